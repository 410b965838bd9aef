//! Encryption: who gets in, and certificates that change under load.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use concord::api::proto::EvaluateRequest;
use concord::api::proto::decision_service_client::DecisionServiceClient;
use tokio::task::JoinSet;

use crate::authority::{Authority, Files, Secure, set};
use crate::server::{Server, fine};

fn start(settings: &[String]) -> Server {
    Server::start(&settings.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn evaluates(client: &Secure, address: &str) -> bool {
    let Ok(channel) = client.connect(address).await else { return false };
    let unnamed = EvaluateRequest { request_id: String::new(), ..fine() };
    DecisionServiceClient::new(channel).evaluate(unnamed).await.is_ok()
}

#[tokio::test]
async fn clients_show_a_certificate_where_they_must_and_a_good_one_where_they_may() {
    let (ours, others) = (Authority::new(), Authority::new());
    let files = Files::new(&ours.signs(&["localhost"]));
    std::fs::write(files.path("ca.pem"), ours.pem()).unwrap();
    let good = ours.signs(&["spiffe://example.org/caller"]);
    let bad = others.signs(&["spiffe://example.org/caller"]);
    for (auth, without) in [("optional", true), ("required", false)] {
        let mut settings = files.settings();
        settings.push(set("tls.client_ca_file", &files.path("ca.pem")));
        settings.push(format!("tls.client_auth={auth}"));
        let server = start(&settings);
        ours.client(Some(&good)).channel(&server.address).await;
        assert!(evaluates(&ours.client(Some(&good)), &server.address).await, "{auth}");
        assert!(!evaluates(&ours.client(Some(&bad)), &server.address).await, "{auth}");
        assert_eq!(evaluates(&ours.client(None), &server.address).await, without, "{auth}");
        // Who does not trust the server does not call it.
        assert!(!evaluates(&others.client(Some(&good)), &server.address).await, "{auth}");
        // Who does not encrypt gets no answer.
        let plain = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        if let Ok(channel) = plain.connect().await {
            assert!(DecisionServiceClient::new(channel).evaluate(fine()).await.is_err(), "{auth}");
        }
    }
}

#[test]
fn encryption_that_is_set_in_part_refuses_to_start_and_names_what_is_missing() {
    let ours = Authority::new();
    let files = Files::new(&ours.signs(&["localhost"]));
    let pair = files.settings();
    let (cert, key) = (pair[0].as_str(), pair[1].as_str());
    let ca = set("tls.client_ca_file", &files.path("cert.pem"));
    for (settings, missing) in [
        (vec![cert], "tls.key_file: must be set where tls.cert_file is"),
        (vec![key], "tls.cert_file: must be set where tls.key_file is"),
        (vec!["tls.client_auth=required"], "tls.cert_file: must be set where tls.client_auth is not none"),
        (vec![&ca], "tls.cert_file: must be set where tls.client_ca_file is"),
        (vec![cert, key, "tls.client_auth=required"], "tls.client_ca_file: must be set where tls.client_auth"),
        (vec![cert, key, &ca], "tls.client_auth: must be optional or required where tls.client_ca_file is set"),
        (vec![cert, key, "tls.client_auth=maybe"], "tls.client_auth"),
        (vec![cert, key, "server.allow_plaintext_off_loopback=true"], "server.allow_plaintext_off_loopback: must be"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
        command.args(["serve", "--grpc-addr", "127.0.0.1:0"]).env_remove("CONCORD_CONFIG");
        for setting in &settings {
            command.args(["--set", setting]);
        }
        let output = command.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && told.contains(missing), "{settings:?}: {told}");
    }
}

/// `CONCORD_ROTATION_SECONDS` for how long; a minute in the full test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_change_under_load_fail_no_call() {
    const CALLERS: u64 = 30;
    const EACH_SECOND: u64 = 300;
    let seconds = std::env::var("CONCORD_ROTATION_SECONDS").map_or(10, |text| text.parse().unwrap());
    let ours = Authority::new();
    let files = Files::new(&ours.signs(&["localhost"]));
    let mut settings = files.settings();
    settings.extend(["tls.poll=200ms", "telemetry.log_filter=info"].map(str::to_owned));
    let server = start(&settings);
    let client = ours.client(None);
    drop(client.channel(&server.address).await);
    let (begun, calls) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let end = begun + Duration::from_secs(seconds);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (client, calls, address) = (client.clone(), Arc::clone(&calls), server.address.clone());
        callers.spawn(async move {
            let mut every = tokio::time::interval(Duration::from_millis(1000 * CALLERS / EACH_SECOND));
            // Some stay on a connection for long, some begin one for every call.
            let on_one = 1 + caller * 5;
            while Instant::now() < end {
                let channel = client.connect(&address).await.unwrap();
                let mut client = DecisionServiceClient::new(channel);
                for _ in 0..on_one {
                    every.tick().await;
                    let unnamed = EvaluateRequest { request_id: String::new(), ..fine() };
                    client.evaluate(unnamed).await.expect("no call fails because of new certificates");
                    calls.fetch_add(1, Ordering::Relaxed);
                    if Instant::now() >= end {
                        break;
                    }
                }
            }
        });
    }
    let mut written = 1;
    while begun.elapsed() + Duration::from_secs(5) <= Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_secs(5).min(Duration::from_secs(seconds) / 3)).await;
        files.write(&ours.signs(&["localhost"]));
        written += 1;
    }
    callers.join_all().await;
    let shown = client.shown.lock().unwrap().clone();
    let different = shown.iter().collect::<BTreeSet<_>>().len();
    let (calls, connections) = (calls.load(Ordering::Relaxed), shown.len());
    println!("{calls} calls, {connections} connections, {different} of {written} certificates seen in {seconds} s");
    assert!(different > 1, "{written} were written");
}
