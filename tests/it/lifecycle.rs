//! How the server begins and ends, for those who start it and those who call it.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use concord::api::proto::EvaluateResponse;
use concord::api::proto::decision_service_client::DecisionServiceClient;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::audited::{self, binary, question};
use crate::authority::{Authority, Files, set};
use crate::server::Server;

fn healthcheck(settings: &[String]) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    command.arg("healthcheck").env_remove("CONCORD_CONFIG");
    for setting in settings {
        command.args(["--set", setting]);
    }
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_health_check_tells_by_its_exit_code_with_and_without_encryption() {
    let ours = Authority::new();
    let files = Files::new(&ours.signs(&["localhost"]));
    std::fs::write(files.path("ca.pem"), ours.pem()).unwrap();
    let mut mutual = files.settings();
    mutual.extend([set("tls.client_ca_file", &files.path("ca.pem")), "tls.client_auth=required".to_owned()]);
    for settings in [Vec::new(), files.settings(), mutual] {
        let lead = ["server.drain_lead=60s".to_owned()];
        let with = [&settings[..], &lead].concat();
        let server = Server::start(&with.iter().map(String::as_str).collect::<Vec<_>>());
        let of = [&settings[..], &[format!("server.grpc_addr={}", server.address)]].concat();
        let begun = Instant::now();
        while healthcheck(&of).0 != Some(0) {
            assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", healthcheck(&of));
        }
        server.terminate();
        while healthcheck(&of).0 == Some(0) {
            assert!(begun.elapsed() < Duration::from_mins(1));
        }
        assert_eq!(healthcheck(&of), (Some(1), "NOT_SERVING\n".to_owned()));
        drop(server);
        assert_eq!(healthcheck(&of).0, Some(1));
    }
    assert_eq!(healthcheck(&["server.grpc_adr=x".to_owned()]).0, Some(2));
}

#[tokio::test]
async fn the_service_manager_hears_when_it_serves_reloads_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let manager = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    manager.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let hear = || {
        let mut words = [0; 256];
        let length = manager.recv(&mut words).unwrap();
        String::from_utf8_lossy(&words[..length]).into_owned()
    };
    let mut command = Command::new(binary());
    command.env("NOTIFY_SOCKET", folder.path().join("notify"));
    let mut server = Server::of(command, "127.0.0.1:0", &[]);
    assert_eq!(hear(), "READY=1");
    server.signal("-HUP");
    assert!(hear().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(hear(), "READY=1");
    server.terminate();
    assert_eq!(hear(), "STOPPING=1");
    assert_eq!(server.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_socket_that_is_passed_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut command = Command::new("sh");
    let passes = r#"exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@""#;
    command.arg("-c").arg(passes).arg(binary()).stdin(Stdio::from(OwnedFd::from(listener)));
    // The address of the settings is not bound.
    let mut server = Server::of(command, "127.0.0.1:1", &[]);
    assert_eq!(server.address, address);
    server.channel().await;
    server.terminate();
    assert_eq!(server.ended().await.code(), Some(0));
}

/// Asks until it is refused or cut off. What it was answered, and when it was not.
async fn caller(
    server: &Server,
    numbers: Arc<AtomicUsize>,
) -> tokio::task::JoinHandle<(Vec<EvaluateResponse>, Instant)> {
    let mut client = DecisionServiceClient::new(server.channel().await);
    tokio::spawn(async move {
        let mut answers = Vec::new();
        loop {
            let number = numbers.fetch_add(1, Ordering::Relaxed);
            match client.evaluate(question("drain", number)).await {
                Ok(answer) => answers.push(answer.into_inner()),
                Err(_) => return (answers, Instant::now()),
            }
        }
    })
}

/// `CONCORD_DRAIN_ROUNDS` for how often; 100 in the full test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_under_load_loses_no_answer_and_health_tells_it_first() {
    const CALLERS: usize = 8;
    let rounds = audited::number("CONCORD_DRAIN_ROUNDS", 5);
    let numbers = Arc::new(AtomicUsize::new(0));
    let (mut answered, mut first_after) = (0, Duration::MAX);
    for round in 0..rounds {
        let mut server = Server::start(&["server.drain_lead=200ms", "telemetry.log_filter=warn,concord=info"]);
        let channel = server.channel().await;
        let mut watch = HealthClient::new(channel);
        let mut watch = watch.watch(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
        let mut callers = Vec::new();
        for _ in 0..CALLERS {
            callers.push(caller(&server, Arc::clone(&numbers)).await);
        }
        tokio::time::sleep(Duration::from_millis(150 + 37 * (round as u64 % 11))).await;
        server.terminate();
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
        let told = Instant::now();
        drop(watch);
        let mut answers = Vec::new();
        for caller in callers {
            let (of_caller, refused) = caller.await.unwrap();
            answers.extend(of_caller);
            first_after = first_after.min(refused.checked_duration_since(told).expect("health tells it first"));
        }
        assert_eq!(server.ended().await.code(), Some(0), "round {round}: {}", server.log.lock().unwrap());
        let data = server.data.path().to_owned();
        answered += answers.len();
        tokio::task::spawn_blocking(move || audited::hold(&audited::decisions(&data), &answers)).await.unwrap();
    }
    println!(
        "{rounds} signals, {answered} answers, all on record; the first refusal {first_after:?} after NOT_SERVING"
    );
    assert!(answered > 0);
}
