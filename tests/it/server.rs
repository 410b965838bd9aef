//! A server of the built binary, on a free port of loopback.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use concord::api::json;
use concord::api::proto::EvaluateRequest;
use concord::api::proto::decision_service_client::DecisionServiceClient;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::audited::binary;

/// A server that ends with the test.
pub struct Server {
    pub child: Child,
    pub address: String,
    pub log: Arc<Mutex<String>>,
    reading: std::thread::JoinHandle<()>,
    /// Where its record is, unless the settings say otherwise.
    pub data: tempfile::TempDir,
}

impl Server {
    pub fn start(settings: &[&str]) -> Self {
        Self::at("127.0.0.1:0", settings)
    }

    pub fn at(address: &str, settings: &[&str]) -> Self {
        Self::of(Command::new(binary()), address, settings)
    }

    /// Of a command that runs the binary.
    pub fn of(mut command: Command, address: &str, settings: &[&str]) -> Self {
        command.args(["serve", "--grpc-addr", address, "--set", "telemetry.log_format=json"]);
        command.args(["--set", "server.drain_lead=300ms", "--set", "telemetry.log_filter=trace"]);
        let data = tempfile::tempdir().unwrap();
        command.arg("--set").arg(format!("audit.dir={}", data.path().display()));
        for setting in settings {
            command.args(["--set", setting]);
        }
        let mut child = command.env_remove("CONCORD_CONFIG").stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let address = loop {
            let line = lines.next().expect("the server ended").unwrap();
            if let Some((_, after)) = line.split_once("listening grpc=") {
                break after.split('"').next().unwrap().to_owned();
            }
        };
        let sink = Arc::clone(&log);
        let reading = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut log = sink.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Self { child, address, log, reading, data }
    }

    pub async fn channel(&self) -> Channel {
        let channel = Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap();
        let mut health = HealthClient::new(channel.clone());
        for _ in 0..1_200 {
            let answer = health.check(HealthCheckRequest { service: String::new() }).await.unwrap();
            if answer.into_inner().status() == ServingStatus::Serving {
                return channel;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server never served: {}", self.log.lock().unwrap());
    }

    pub async fn decisions(&self) -> DecisionServiceClient<Channel> {
        DecisionServiceClient::new(self.channel().await)
    }

    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// The log, once it holds a text: another thread writes it than the one that answers, and a third reads it here.
    pub async fn logged(&self, text: &str) -> String {
        for _ in 0..6000 {
            let log = self.log.lock().unwrap().clone();
            if log.contains(text) {
                return log;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("`{text}` was never logged: {}", self.log.lock().unwrap());
    }

    /// How it ended, once its log is whole.
    pub async fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap()
                && self.reading.is_finished()
            {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "the server did not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn request(text: &str) -> EvaluateRequest {
    json::from_str(text).unwrap()
}

pub fn fine() -> EvaluateRequest {
    request(
        r#"{"requestId": "r-1", "asOf": "2026-06-01", "patient": {"ageYears": 28,
            "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}]}]}}"#,
    )
}
