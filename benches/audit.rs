//! What the record costs: the service with its audit log against the service
//! without one, over gRPC, in turns within one run.
//!
//! `cargo bench --bench audit` prints a table. Each row has the figures of one
//! store at one number of requests in flight, and their ratio to the service
//! that keeps no record, measured in the same rounds. The load generator runs
//! on the same cores as the server, which is the same for both.
//!
//! `CONCORD_BENCH_POSTGRES` adds rows for PostgreSQL at that URL: a database
//! that is empty at each run, for a log that another key began is refused.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark ends where it can't go on, and prints for people"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use concord::api::proto::EvaluateRequest;
use concord::api::proto::decision_service_client::DecisionServiceClient;
use concord::api::{json, yaml};
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// Requests in flight.
const IN_FLIGHT: [usize; 4] = [1, 16, 64, 256];

/// Rounds of each store at each number, in turns.
const ROUNDS: usize = 5;

/// One round.
const ROUND: Duration = Duration::from_millis(1_500);

/// Connections that share the requests in flight: a connection has 100 streams.
const CONNECTIONS: usize = 4;

/// A server that ends with the benchmark.
struct Server {
    name: &'static str,
    child: Child,
    clients: Vec<DecisionServiceClient<Channel>>,
    _data: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Default)]
struct Figures {
    micros: Vec<u64>,
    seconds: f64,
}

impl Figures {
    fn rate(&self) -> f64 {
        self.micros.len() as f64 / self.seconds
    }

    fn percentile(&mut self, of: usize) -> f64 {
        self.micros.sort_unstable();
        self.micros[(self.micros.len() - 1) * of / 100] as f64 / 1_000.0
    }
}

#[tokio::main]
async fn main() {
    let requests = requests();
    let mut servers = vec![start("none", &["audit.store=none"]).await, start("sqlite", &[]).await];
    if let Ok(url) = std::env::var("CONCORD_BENCH_POSTGRES") {
        servers.push(start("postgres", &["audit.store=postgres", &format!("audit.postgres={url}")]).await);
    }
    println!("{} patients, {ROUNDS} rounds of {ROUND:?} each in turns", requests.len());
    println!(
        "{:<10} {:>9} {:>10} {:>8} {:>8} {:>8}   {:>10} {:>7} {:>7}",
        "record", "in flight", "answers/s", "p50 ms", "p99 ms", "max ms", "throughput", "p50", "p99"
    );
    for in_flight in IN_FLIGHT {
        let mut figures: Vec<Figures> = servers.iter().map(|_| Figures::default()).collect();
        for round in 0..=ROUNDS {
            for (server, sum) in servers.iter().zip(&mut figures) {
                let (micros, seconds) = load(server, &requests, in_flight).await;
                // The first round warms caches and the store.
                if round > 0 {
                    sum.micros.extend(micros);
                    sum.seconds += seconds;
                }
            }
        }
        let base = (figures[0].rate(), figures[0].percentile(50), figures[0].percentile(99));
        for (server, figures) in servers.iter().zip(&mut figures) {
            let (rate, p50, p99) = (figures.rate(), figures.percentile(50), figures.percentile(99));
            println!(
                "{:<10} {in_flight:>9} {rate:>10.0} {p50:>8.2} {p99:>8.2} {:>8.2}   {:>10.2} {:>7.2} {:>7.2}",
                server.name,
                figures.percentile(100),
                rate / base.0,
                p50 / base.1,
                p99 / base.2,
            );
        }
    }
}

async fn start(name: &'static str, settings: &[&str]) -> Server {
    let data = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(["serve", "--grpc-addr", "127.0.0.1:0", "--set", "telemetry.log_filter=warn,concord=info"]);
    // Room for all: what is measured is the record, not what is refused.
    let most = IN_FLIGHT.into_iter().max().expect("there are some");
    command.args(["--set", &format!("limits.in_flight={most}")]);
    command.arg("--set").arg(format!("audit.dir={}", data.path().display()));
    for setting in settings {
        command.args(["--set", setting]);
    }
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the built binary runs");
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let address = loop {
        let line = lines.next().expect("the server ended").expect("text");
        if let Some((_, address)) = line.split_once("listening grpc=") {
            break address.trim().to_owned();
        }
    };
    // A line a call: read, or the server would wait for a reader.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let channel = Channel::from_shared(format!("http://{address}")).expect("an address").connect().await;
        let channel = channel.expect("the server listens");
        let mut health = HealthClient::new(channel.clone());
        loop {
            let asked = health.check(HealthCheckRequest { service: String::new() }).await.expect("health answers");
            if asked.into_inner().status() == ServingStatus::Serving {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        clients.push(DecisionServiceClient::new(channel));
    }
    Server { name, child, clients, _data: data }
}

/// Keeps so many requests in flight for a round: microseconds of each, and the
/// seconds it took.
async fn load(server: &Server, requests: &[EvaluateRequest], in_flight: usize) -> (Vec<u64>, f64) {
    let began = Instant::now();
    let callers: Vec<_> = (0..in_flight)
        .map(|caller| {
            let mut client = server.clients[caller % CONNECTIONS].clone();
            let requests = requests.to_vec();
            tokio::spawn(async move {
                let mut micros = Vec::new();
                for at in caller.. {
                    if began.elapsed() >= ROUND {
                        break;
                    }
                    let asked = Instant::now();
                    client.evaluate(requests[at % requests.len()].clone()).await.expect("an answer");
                    micros.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
                }
                micros
            })
        })
        .collect();
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.await.expect("no panic"));
    }
    (all, began.elapsed().as_secs_f64())
}

/// The example, and the cases beside the project.
fn requests() -> Vec<EvaluateRequest> {
    let example = std::fs::read_to_string("examples/oud-ptsd.json").expect("the example");
    let mut requests = vec![json::from_str(&example).expect("a request")];
    let folder = std::fs::read_dir(Path::new("../shared/cases")).into_iter().flatten().flatten();
    let mut files: Vec<_> = folder.map(|entry| entry.path()).collect();
    files.sort();
    requests.extend(files.iter().filter_map(|file| {
        let value = yaml::read(&std::fs::read_to_string(file).ok()?).ok()?.value;
        let body = serde_json::json!({"patient": value["patient"], "asOf": value["as_of"]}).to_string();
        json::from_str(&body).ok()
    }));
    requests
}
