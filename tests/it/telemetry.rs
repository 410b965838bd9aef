//! Traces, metrics and logs together, as a collector receives them.

use std::process::Command;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::server::{Server, request};

/// A collector of the tests' own.
#[derive(Clone, Default)]
pub struct Collector {
    pub spans: Arc<Mutex<Vec<Span>>>,
    pub metrics: Arc<Mutex<Vec<Metric>>>,
    pub logs: Arc<Mutex<Vec<LogRecord>>>,
}

impl Collector {
    /// Begins to collect; the endpoint.
    pub fn start(&self) -> String {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let endpoint = format!("http://{}", incoming.local_addr().unwrap());
        let services = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self.clone()));
        tokio::spawn(services.serve_with_incoming(incoming));
        endpoint
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        self.metrics.lock().unwrap().extend(scopes.flat_map(|scope| scope.metrics));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
        self.logs.lock().unwrap().extend(scopes.flat_map(|scope| scope.log_records));
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    match value {
        Some(Value::StringValue(text)) => Some(text),
        _ => None,
    }
}

fn body(record: &LogRecord) -> &str {
    text(record.body.as_ref().and_then(|body| body.value.as_ref())).unwrap_or_default()
}

const PATIENT: &str = r#"{"requestId": "SENTINEL", "patient": {"id": "SENTINEL", "birthDate": "1987-03-14",
    "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}], "text": "SENTINEL"}]}}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_worker_all_that_is_told_leaves_before_the_end_and_the_logs_are_those_of_standard_error() {
    let collector = Collector::default();
    let endpoint = format!("telemetry.otlp_endpoint={}", collector.start());
    let mut one = Command::new(env!("CARGO_BIN_EXE_concord"));
    one.env("TOKIO_WORKER_THREADS", "1");
    let mut server = Server::of(one, "127.0.0.1:0", &[&endpoint]);
    let mut client = server.decisions().await;
    let mut call = Request::new(request(PATIENT));
    call.metadata_mut()
        .insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap());
    let decision = client.evaluate(call).await.unwrap().into_inner().decision_id;
    drop(client);
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));

    let trace = 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes();
    assert!(collector.spans.lock().unwrap().iter().any(|span| span.trace_id == trace));
    let metrics = collector.metrics.lock().unwrap().clone();
    for name in ["rpc.server.call.duration", "concord.decisions", "process.memory.usage", "concord.audit.lag"] {
        assert!(metrics.iter().any(|metric| metric.name == name), "{name}");
    }
    let logs = collector.logs.lock().unwrap().clone();
    let call = logs.iter().find(|record| body(record) == "call" && record.trace_id == trace).expect("the call's line");
    let attribute = |key: &str| {
        let found = call.attributes.iter().find(|attribute| attribute.key == key)?;
        text(found.value.as_ref()?.value.as_ref())
    };
    assert_eq!(attribute("method"), Some("concord.v1.DecisionService/Evaluate"));
    assert_eq!(attribute("status"), Some("OK"));
    let told = format!("{logs:?} {metrics:?} {:?}", collector.spans.lock().unwrap());
    for secret in ["SENTINEL", "1987-03", "F11"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }

    // The same line for line; what came before the address is not in the test's copy, nor in its count.
    let shown = server.log.lock().unwrap().clone();
    let shown: Vec<serde_json::Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let messages: Vec<&str> = shown.iter().filter_map(|line| line["message"].as_str()).collect();
    let sent: Vec<&str> = logs.iter().map(body).collect();
    for message in &sent {
        assert!(messages.contains(message) || message.starts_with("listening grpc="), "sent, not shown: {message}");
    }
    for message in &messages {
        assert!(sent.contains(message), "shown, not sent: {message}");
    }

    // The line of a call, field by field.
    let line =
        shown.iter().find(|line| line["message"] == "call" && line["method"] == "concord.v1.DecisionService/Evaluate");
    let line = line.unwrap();
    for (field, wanted) in [("level", "INFO"), ("target", "concord::server::call"), ("status", "OK")] {
        assert_eq!(line[field], wanted, "{line}");
    }
    assert_eq!(line["span"]["trace_id"], "0af7651916cd43dd8448eb211c80319c", "{line}");
    assert_eq!(line["span"]["concord.decision.id"], decision.as_str(), "{line}");
    assert!(line["timestamp"].is_string() && line["elapsed_us"].is_u64(), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_does_not_keep_the_process() {
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("telemetry.otlp_endpoint=http://{}", deaf.local_addr().unwrap());
    let mut one = Command::new(env!("CARGO_BIN_EXE_concord"));
    one.env("TOKIO_WORKER_THREADS", "1");
    let mut server = Server::of(one, "127.0.0.1:0", &[&endpoint]);
    let mut client = server.decisions().await;
    client.evaluate(request(PATIENT)).await.unwrap();
    drop(client);
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(server.log.lock().unwrap().contains("could not be sent"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_sample_everything_are_followed_up_to_the_setting() {
    let collector = Collector::default();
    let endpoint = format!("telemetry.otlp_endpoint={}", collector.start());
    let settings = [&*endpoint, "telemetry.sampled_per_second=0", "telemetry.sample_ratio=0"];
    let mut server = Server::start(&settings);
    let mut client = server.decisions().await;
    for number in 1..=50_u32 {
        let mut call = Request::new(request(PATIENT));
        call.get_mut().request_id = format!("r-{number}");
        let parent = format!("00-{number:032x}-b7ad6b7169203331-01");
        call.metadata_mut().insert("traceparent", parent.parse().unwrap());
        client.evaluate(call).await.unwrap();
    }
    drop(client);
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
    assert_eq!(collector.spans.lock().unwrap().len(), 0);
}
