//! Metrics as a collector receives them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data, number_data_point};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::packages::{ConfigMap, package, until};
use crate::server::Server;

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Metric>>>);

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let scopes = request.into_inner().resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        self.0.lock().unwrap().extend(scopes.flat_map(|scope| scope.metrics));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

fn attributes(of: &[KeyValue]) -> Vec<String> {
    let mut pairs: Vec<String> = of
        .iter()
        .map(|pair| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(value)) => format!("{}={value}", pair.key),
            other => panic!("{other:?}"),
        })
        .collect();
    pairs.sort();
    pairs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_are_counted_by_outcome_and_reason_and_the_package_has_an_age() {
    let collector = Collector::default();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("telemetry.otlp_endpoint=http://{}", incoming.local_addr().unwrap());
    let service = MetricsServiceServer::new(collector.clone());
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));

    let mut map = ConfigMap::new(&package("alpha", "1.0.0"));
    let mut server = Server::with_rules(map.path(), &[&endpoint]);
    let mut rules = RulesetServiceClient::new(server.channel().await);
    let digest = until(&server, &mut rules, |now| now.reload.is_some()).await.ruleset.unwrap().digest;
    map.set(&package("beta", "1.0.1, format: 7"));
    until(&server, &mut rules, |now| now.reload.as_ref().unwrap().reason == "newer-format").await;
    drop(rules);
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));

    let metrics = collector.0.lock().unwrap().clone();
    let last =
        |name: &str| metrics.iter().rev().find(|metric| metric.name == name).and_then(|metric| metric.data.clone());
    let Some(Data::Sum(reloads)) = last("concord.ruleset.reloads") else { panic!("{metrics:?}") };
    let count = |wanted: &[&str]| {
        let point = reloads.data_points.iter().find(|point| attributes(&point.attributes) == wanted);
        point.and_then(|point| point.value).map(|value| match value {
            number_data_point::Value::AsInt(count) => count,
            number_data_point::Value::AsDouble(count) => panic!("{count}"),
        })
    };
    assert_eq!(count(&["outcome=activated"]), Some(1), "{reloads:?}");
    assert_eq!(count(&["outcome=refused", "reason=newer-format"]), Some(1), "{reloads:?}");
    assert!(count(&["outcome=unchanged"]) >= Some(1), "{reloads:?}");
    // The activation; what opens the log is written before there is anything to count.
    let Some(Data::Sum(entries)) = last("concord.audit.entries") else { panic!("{metrics:?}") };
    assert!(entries.is_monotonic);
    assert_eq!(entries.data_points[0].value, Some(number_data_point::Value::AsInt(1)), "{entries:?}");
    let Some(Data::Sum(missed)) = last("concord.audit.not_recorded") else { panic!("{metrics:?}") };
    let missed: BTreeMap<_, _> =
        missed.data_points.iter().map(|point| (attributes(&point.attributes), point.value)).collect();
    let none = |reason: &str| (vec![format!("reason={reason}")], Some(number_data_point::Value::AsInt(0)));
    assert_eq!(missed, BTreeMap::from([none("store"), none("busy")]));
    let Some(Data::Gauge(age)) = last("concord.ruleset.age") else { panic!("{metrics:?}") };
    assert_eq!(age.data_points.len(), 1);
    let expected = [format!("digest={digest}"), "name=small".to_owned(), "version=1.0.0".to_owned()];
    assert_eq!(attributes(&age.data_points[0].attributes), expected);
}
