//! Probes and metrics over HTTP, of the built binary.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use concord::api::proto::{EvaluateRequest, GetRuleRequest};
use tower::Service as _;

use crate::server::{Server, fine, request};

/// What makes a server listen for these.
pub const LISTEN: &str = "admin.addr=127.0.0.1:0";

/// Address of the admin listener, as the server's log names it.
pub fn address(server: &Server) -> String {
    for _ in 0..1_200 {
        let log = server.log.lock().unwrap().clone();
        if let Some((_, after)) = log.split_once("listening admin=") {
            return after.split('"').next().unwrap().to_owned();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no admin listener: {}", server.log.lock().unwrap());
}

/// Status line, head and body of an answer to these bytes.
fn exchange(address: &str, sent: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(sent).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.to_owned(), body.to_owned())
}

/// Status and body of a page.
pub fn get(address: &str, path: &str) -> (u16, String) {
    let (head, body) = exchange(address, format!("GET {path} HTTP/1.1\r\nhost: concord\r\n\r\n").as_bytes());
    let status = head.split(' ').nth(1).unwrap_or_else(|| panic!("{head}")).parse().unwrap();
    (status, body)
}

/// Value of each series of the page of metrics.
pub fn series(address: &str) -> BTreeMap<String, f64> {
    let (status, page) = get(address, "/metrics");
    assert_eq!(status, 200);
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probes_tell_alive_started_and_ready_apart_to_the_very_end() {
    let mut server = Server::start(&[LISTEN, "server.drain_lead=2s"]);
    let probes = address(&server);
    assert_eq!(get(&probes, "/livez"), (200, "ok\n".to_owned()));
    let channel = server.channel().await;
    assert_eq!(["/startupz", "/readyz"].map(|path| get(&probes, path).0), [200, 200]);
    let (status, version) = get(&probes, "/version");
    let version: serde_json::Value = serde_json::from_str(&version).unwrap();
    assert_eq!((status, &version["version"]), (200, &env!("CARGO_PKG_VERSION").into()));
    assert_eq!(version["ruleset"]["digest"].as_str().map(str::len), Some(64));
    // Settings name files and hosts.
    assert_eq!(["/config", "/", "/debug"].map(|path| get(&probes, path).0), [404, 404, 404]);
    drop(channel);
    server.terminate();
    while get(&probes, "/readyz").0 == 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(get(&probes, "/readyz"), (503, "shutting down\n".to_owned()));
    assert_eq!(get(&probes, "/livez").0, 200);
    assert_eq!(server.ended().await.code(), Some(0));
}

#[test]
fn an_address_in_use_ends_the_start_and_names_the_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let data = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["serve", "--grpc-addr", "127.0.0.1:0", "--set", &format!("audit.dir={}", data.path().display())])
        .args(["--set", &format!("admin.addr={}", taken.local_addr().unwrap())])
        .env_remove("CONCORD_CONFIG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("admin.addr: 127.0.0.1:"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_small_get_is_refused_and_silence_is_cut() {
    let server = Server::start(&[LISTEN]);
    let probes = address(&server);
    let status = |sent: &[u8]| exchange(&probes, sent).0.split(' ').nth(1).map(str::to_owned);
    assert_eq!(status(b"POST /livez HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").as_deref(), Some("405"));
    let large = format!("GET /livez HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(64 * 1024));
    // Cut or refused: the rest of it is not read.
    let mut stream = TcpStream::connect(&probes).unwrap();
    let _ = stream.write_all(large.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    // More silent sockets than there are places: they are cut, and the probe is answered.
    let silent: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(&probes).unwrap()).collect();
    assert_eq!(get(&probes, "/livez").0, 200);
    drop(silent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_is_counted_once_and_callers_make_no_series() {
    let server = Server::start(&[LISTEN, "canary.interval=0s"]);
    let probes = address(&server);
    let channel = server.channel().await;
    let mut decisions = server.decisions().await;
    let mut rules = RulesetServiceClient::new(channel.clone());
    let _ = decisions.evaluate(EvaluateRequest::default()).await.unwrap_err();
    for _ in 0..3 {
        decisions.evaluate(request(r#"{"asOf": "2026-06-01", "patient": {"ageYears": 28}}"#)).await.unwrap();
    }
    let odd = |path: String| {
        let request = http::Request::post(format!("http://{}{path}", server.address))
            .header("content-type", "application/grpc")
            .body(tonic::body::Body::empty())
            .unwrap();
        let mut channel = channel.clone();
        async move {
            std::future::poll_fn(|context| channel.poll_ready(context)).await.unwrap();
            channel.call(request).await.unwrap().status()
        }
    };
    odd("/first".to_owned()).await;
    let _ = rules.get_rule(GetRuleRequest { id: "none".to_owned() }).await.unwrap_err();
    // A repeated request is answered again, and is no new decision.
    let repeated = fine();
    decisions.evaluate(repeated.clone()).await.unwrap();
    decisions.evaluate(repeated).await.unwrap();

    let before = series(&probes);
    let calls = |series: &BTreeMap<String, f64>, method: &str, status: &str| {
        let named = format!(
            "rpc_server_call_duration_seconds_count{{rpc_method=\"{method}\",rpc_response_status_code=\"{status}\",rpc_system_name=\"grpc\"}}"
        );
        series.get(&named).copied()
    };
    let evaluate = "concord.v1.DecisionService/Evaluate";
    assert_eq!(calls(&before, evaluate, "OK"), Some(5.0), "{before:#?}");
    assert_eq!(calls(&before, evaluate, "INVALID_ARGUMENT"), Some(1.0));
    assert_eq!(calls(&before, "_OTHER", "UNIMPLEMENTED"), Some(1.0));
    let sum = |series: &BTreeMap<String, f64>, name: &str| -> f64 {
        series.iter().filter(|(named, _)| named.starts_with(name)).map(|(_, value)| value).sum()
    };
    assert!((sum(&before, "concord_decisions_total") - 4.0).abs() < f64::EPSILON, "{before:#?}");
    assert!(sum(&before, "concord_facts_unknown_total") > 0.0);
    assert!(sum(&before, "concord_rule_fired_total") > 0.0);
    // Rules that never fired are there.
    assert!(before.iter().any(|(name, value)| name.starts_with("concord_rule_fired_total") && *value == 0.0));
    assert!((sum(&before, "concord_calls_in_flight")).abs() < f64::EPSILON);

    for number in 0..200 {
        odd(format!("/concord.v1.DecisionService/Evaluate{number}")).await;
        odd(format!("/{number}/Evaluate?x={number}")).await;
        let _ = rules.get_rule(GetRuleRequest { id: format!("r{number}") }).await;
        let patient = format!(r#"{{"requestId": "n-{number}", "patient": {{"id": "p-{number}", "ageYears": 28}}}}"#);
        decisions.evaluate(request(&patient)).await.unwrap();
    }
    let after = series(&probes);
    let names = |series: &BTreeMap<String, f64>| series.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    assert_eq!(calls(&after, "_OTHER", "UNIMPLEMENTED"), Some(401.0));
    assert!((sum(&after, "concord_decisions_total") - 204.0).abs() < f64::EPSILON);
}
