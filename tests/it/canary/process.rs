//! The server under test: every output that it has is kept.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message as _;
use tonic::transport::Channel;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::admin::get;

type Bytes = Arc<Mutex<Vec<u8>>>;

/// What a collector of OpenTelemetry received, as it came.
#[derive(Clone, Default)]
pub struct Collector {
    pub spans: Bytes,
    pub metrics: Bytes,
    pub logs: Bytes,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.spans.lock().unwrap().extend(request.into_inner().encode_to_vec());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.metrics.lock().unwrap().extend(request.into_inner().encode_to_vec());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.logs.lock().unwrap().extend(request.into_inner().encode_to_vec());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

/// A server with a directory of its own for all that it may write.
pub struct Process {
    child: Child,
    pub address: String,
    pub stdout: Bytes,
    pub stderr: Bytes,
    pub collector: Collector,
    /// `data`, `tmp` and `work`, which is where it runs.
    pub base: tempfile::TempDir,
}

/// Reads a pipe to its end.
fn keep(mut pipe: impl Read + Send + 'static) -> Bytes {
    let kept = Bytes::default();
    let sink = Arc::clone(&kept);
    std::thread::spawn(move || {
        let mut part = [0; 8192];
        while let Ok(size @ 1..) = pipe.read(&mut part) {
            sink.lock().unwrap().write_all(&part[..size]).unwrap();
        }
    });
    kept
}

impl Process {
    /// Core files are as large as may be, so that one would be written; and a write beyond the size that a file may
    /// have is an error, as on a disk that is full, and not the end.
    pub fn start(settings: &[&str]) -> Self {
        let base = tempfile::tempdir().unwrap();
        for name in ["data", "tmp", "work"] {
            std::fs::create_dir(base.path().join(name)).unwrap();
        }
        let collector = Collector::default();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let endpoint = format!("telemetry.otlp_endpoint=http://{}", incoming.local_addr().unwrap());
        let services = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()))
            .add_service(LogsServiceServer::new(collector.clone()));
        tokio::spawn(services.serve_with_incoming(incoming));
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "trap '' XFSZ; ulimit -c unlimited || :; exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_concord"),
        ]);
        command.args(["serve", "--grpc-addr", "127.0.0.1:0", "--set", "telemetry.log_filter=trace"]);
        command.args(["--set", "server.drain_lead=500ms", "--set", &endpoint]);
        command.args(["--set", "admin.addr=127.0.0.1:0", "--set", "canary.interval=1s"]);
        command.arg("--set").arg(format!("audit.dir={}", base.path().join("data").display()));
        for setting in settings {
            command.args(["--set", setting]);
        }
        command.current_dir(base.path().join("work")).env("TMPDIR", base.path().join("tmp"));
        command.env_remove("CONCORD_CONFIG").env("RUST_BACKTRACE", "full");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, stderr) = (keep(child.stdout.take().unwrap()), keep(child.stderr.take().unwrap()));
        let begun = Instant::now();
        let address = loop {
            let said = String::from_utf8_lossy(&stderr.lock().unwrap()).into_owned();
            let after = said.split_once("listening grpc=").map(|(_, after)| after);
            if let Some((address, _)) = after.and_then(|after| after.split_once(['"', ' ', '\n'])) {
                break address.to_owned();
            }
            assert!(child.try_wait().unwrap().is_none() && begun.elapsed() < Duration::from_secs(30), "{said}");
            std::thread::sleep(Duration::from_millis(20));
        };
        Self { child, address, stdout, stderr, collector, base }
    }

    pub fn data(&self) -> PathBuf {
        self.base.path().join("data")
    }

    pub async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    /// Waits until health says so.
    pub async fn is(&self, wanted: ServingStatus) {
        let mut health = HealthClient::new(self.channel().await);
        let begun = Instant::now();
        while health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status() != wanted {
            assert!(begun.elapsed() < Duration::from_secs(30), "not {wanted:?}: {}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().unwrap()).into_owned()
    }

    /// Pages of the listener for probes, in one.
    pub fn pages(&self) -> String {
        let said = self.said();
        let after = said.split_once("listening admin=").unwrap().1;
        let address = after.split(['"', ' ', '\n']).next().unwrap();
        ["/metrics", "/version", "/readyz"].map(|path| get(address, path).1).concat()
    }

    pub fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Bytes that a file of the process may have from now on.
    pub fn file_size(&self, most: &str) {
        let ended = Command::new("prlimit").args(["--pid", &self.id(), &format!("--fsize={most}:unlimited")]).status();
        assert!(ended.unwrap().success());
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.id()]).status().unwrap().success());
    }

    pub async fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the server did not end: {}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every file below a directory.
pub fn files(below: &Path) -> Vec<PathBuf> {
    let mut open = vec![below.to_owned()];
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
