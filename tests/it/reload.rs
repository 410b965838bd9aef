//! A server whose package changes below it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use concord::api::answer::{canonical_bytes, response};
use concord::api::decide::{Terms, decide};
use concord::api::limits::Limits;
use concord::api::proto::decision_service_client::DecisionServiceClient;
use concord::api::proto::evaluate_stream_response::Outcome;
use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use concord::api::proto::{EvaluateRequest, EvaluateResponse, EvaluateStreamRequest, reload};
use concord::ruleset::Ruleset;
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::packages::{ConfigMap, Package, digest, overlay, package, until, write};
use crate::server::{Server, fine};

/// What each package answers, by its digest, to the byte.
type References = BTreeMap<String, Vec<u8>>;

fn reference(package: &Package) -> (String, Vec<u8>) {
    let ruleset = Arc::new(Ruleset::from_files(package.clone()).unwrap());
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    let decision = decide(&ruleset, anew(), &terms, jiff::Timestamp::UNIX_EPOCH).unwrap();
    (ruleset.digest().to_owned(), canonical_bytes(&response(decision)))
}

fn hold(answer: &EvaluateResponse, references: &References) -> String {
    let digest = &answer.ruleset.as_ref().unwrap().digest;
    let reference = references.get(digest).expect("a digest of a package that was written");
    assert_eq!(reference, &canonical_bytes(answer), "{answer:?}");
    digest.clone()
}

/// Evaluates until it is told to stop. How many answers each package gave.
async fn ask(channel: Channel, references: Arc<References>, stop: Arc<AtomicBool>) -> BTreeMap<String, usize> {
    let mut client = DecisionServiceClient::new(channel);
    let mut answers = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        let answer = client.evaluate(anew()).await.expect("no request fails because of a reload").into_inner();
        *answers.entry(hold(&answer, &references)).or_default() += 1;
    }
    answers
}

/// The same over streams, whose items each have the package of their time.
async fn stream(channel: Channel, references: Arc<References>, stop: Arc<AtomicBool>) -> BTreeMap<String, usize> {
    let mut client = DecisionServiceClient::new(channel);
    let mut answers = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        let items = (0..50).map(|_| EvaluateStreamRequest { request: Some(anew()) });
        let mut replies = client.evaluate_stream(tokio_stream::iter(items)).await.unwrap().into_inner();
        while let Some(reply) = replies.next().await {
            match reply.expect("no stream fails because of a reload").outcome.unwrap() {
                Outcome::Response(answer) => *answers.entry(hold(&answer, &references)).or_default() += 1,
                Outcome::Status(status) => panic!("{status:?}"),
            }
        }
    }
    answers
}

/// A request without an id: one that is repeated would get the answer of the package before.
fn anew() -> EvaluateRequest {
    EvaluateRequest { request_id: String::new(), ..fine() }
}

/// 100 in `scripts/test`; more where the variable says so.
fn rounds() -> usize {
    std::env::var("CONCORD_RELOAD_ROUNDS").map_or(100, |rounds| rounds.parse().unwrap())
}

/// Valid, invalid, valid …: every write is waited for, under load.
async fn reloads_under_load(server: &Server, versions: [&str; 3], mut put: impl FnMut(&Package)) {
    let (a, b) = (package("alpha", versions[0]), package("beta", versions[1]));
    let references: Arc<References> = Arc::new([reference(&a), reference(&b)].into());
    assert_eq!(references.len(), 2);
    let spoiled = |text: &str| {
        let mut bad = package("gamma", versions[2]);
        bad[1].1.push_str(text);
        bad
    };
    let bad = [spoiled("rulez: []\n"), spoiled("  x: [\n"), spoiled("- id: one\n  x: y\n"), spoiled("x: &a [*a]\n")];

    let mut rules = RulesetServiceClient::new(server.channel().await);
    let stop = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    for _ in 0..4 {
        load.spawn(ask(server.channel().await, Arc::clone(&references), Arc::clone(&stop)));
    }
    load.spawn(stream(server.channel().await, Arc::clone(&references), Arc::clone(&stop)));

    let (begun, mut activated, mut refused) = (Instant::now(), 0, 0);
    let mut serving = reference(&a).0;
    for round in 1..=rounds() {
        let next = match round % 4 {
            0 => &a,
            2 => &b,
            _ => &bad[(round / 2) % bad.len()],
        };
        put(next);
        let content = digest(next);
        let now = until(server, &mut rules, |now| now.reload.as_ref().unwrap().content_digest == content).await;
        let reload = now.reload.unwrap();
        if reload.outcome() == reload::Outcome::Activated {
            activated += 1;
            serving = reload.candidate_digest;
        } else {
            assert_eq!((reload.reason.as_str(), reload.diagnostics >= 1), ("faulty", true), "{reload:?}");
            refused += 1;
        }
        assert_eq!(now.ruleset.unwrap().digest, serving);
    }
    let took = begun.elapsed();
    stop.store(true, Ordering::Relaxed);
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for tally in load.join_all().await {
        for (digest, count) in tally {
            *answers.entry(digest).or_default() += count;
        }
    }
    println!("{} reloads in {took:.1?}: {activated} activated, {refused} refused; answers {answers:?}", rounds());
    assert_eq!((activated, refused), (rounds() / 2, rounds().div_ceil(2)));
    assert_eq!(answers.keys().collect::<Vec<_>>(), references.keys().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_map_that_changes_under_load_mixes_no_answer() {
    let mut map = ConfigMap::new(&package("alpha", "1.0.0"));
    let server = Server::with_rules(map.path(), &["telemetry.log_filter=info,concord::server::call=off"]);
    reloads_under_load(&server, ["1.0.0", "1.0.1", "1.0.2"], |package| map.set(package)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_under_load_mix_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &package("alpha", "1.0.0"));
    let server = Server::with_rules(dir.path(), &["telemetry.log_filter=info,concord::server::call=off"]);
    // Of a package whose files are written one by one, only one file differs: in
    // between, the directory would hold a third package.
    reloads_under_load(&server, ["1.0.0"; 3], |package| {
        write(dir.path(), package);
        server.hang_up();
    })
    .await;
}

#[tokio::test]
async fn what_fails_leaves_the_old_package_serving_and_says_so() {
    let mut map = ConfigMap::new(&package("alpha", "1.0.0"));
    let server = Server::with_rules(map.path(), &["rules.poll=1m"]);
    let channel = server.channel().await;
    let mut rules = RulesetServiceClient::new(channel.clone());
    let before = until(&server, &mut rules, |now| now.reload.is_some()).await;
    assert_eq!(before.reload.as_ref().unwrap().outcome(), reload::Outcome::Activated);
    let mut bad = package("beta", "1.0.1");
    bad[1].1.push_str("rulez: []\n");
    map.set(&bad);
    let refused = |now: &concord::api::proto::GetRulesetResponse| {
        now.reload.as_ref().unwrap().outcome() == reload::Outcome::Refused
    };
    let now = until(&server, &mut rules, refused).await;
    assert_eq!((&now.ruleset, &now.active_since), (&before.ruleset, &before.active_since));
    let reload = now.reload.unwrap();
    assert_eq!((reload.reason.as_str(), reload.diagnostics, reload.candidate_version.as_str()), ("faulty", 1, "1.0.1"));
    assert_eq!(reload.message, "rules.yaml:16:1: a package has no section `rulez` [unknown-key]");
    assert!(reload.candidate_digest.is_empty() && reload.tried_at <= reload.looked_at, "{reload:?}");
    let health = HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(health.status(), ServingStatus::Serving);

    // Looked at again, the same fault is not told again.
    server.hang_up();
    let looked = until(&server, &mut rules, |now| now.reload.as_ref().unwrap().looked_at > reload.looked_at).await;
    assert_eq!(looked.reload.unwrap().tried_at, reload.tried_at);
    let log = server.logged("the rules package is unchanged").await;
    assert_eq!(log.matches("rules package refused").count(), 1, "{log}");
    assert!(log.contains("did you mean `rules`?"), "{log}");
}

#[tokio::test]
async fn a_directory_that_is_swapped_below_the_watch_is_found_by_the_poll() {
    let place = tempfile::tempdir().unwrap();
    for name in ["alpha", "beta"] {
        std::fs::create_dir(place.path().join(name)).unwrap();
        write(&place.path().join(name), &package(name, "1.0.0"));
    }
    let link = |name: &str| {
        std::os::unix::fs::symlink(name, place.path().join("next")).unwrap();
        std::fs::rename(place.path().join("next"), place.path().join("rules")).unwrap();
    };
    link("alpha");
    let server = Server::with_rules(&place.path().join("rules"), &["rules.poll=50ms"]);
    let mut rules = RulesetServiceClient::new(server.channel().await);
    let looked = |now: &concord::api::proto::Reload| now.looked_at > now.tried_at;
    until(&server, &mut rules, |now| now.reload.as_ref().is_some_and(looked)).await;
    link("beta");
    let wanted = digest(&package("beta", "1.0.0"));
    until(&server, &mut rules, |now| now.reload.as_ref().unwrap().content_digest == wanted).await;
    server.logged(r#""trigger":"poll""#).await;
}

#[tokio::test]
async fn an_overlay_reloads_by_event_and_by_poll_and_a_bad_one_is_refused() {
    for (poll, trigger) in [("1m", "event"), ("50ms", "poll")] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &package("alpha", "1.0.0"));
        // Below a link that is swapped, nothing tells the watch.
        let place = tempfile::tempdir().unwrap();
        for (name, version, qtc) in [("a", "1.0.0", "480 ms"), ("b", "1.1.0", "470 ms")] {
            std::fs::create_dir(place.path().join(name)).unwrap();
            write(&place.path().join(name), &overlay(version, qtc));
        }
        let site = place.path().join("site");
        std::os::unix::fs::symlink("a", &site).unwrap();
        let setting = format!("rules.overlay={}", site.display());
        let server = Server::with_rules(dir.path(), &[&setting, &format!("rules.poll={poll}")]);
        let mut rules = RulesetServiceClient::new(server.channel().await);
        let looked = |now: &concord::api::proto::Reload| now.looked_at > now.tried_at;
        let before = until(&server, &mut rules, |now| now.reload.as_ref().is_some_and(looked)).await;
        assert_eq!(before.parameters[0].value, "480 ms");
        if trigger == "poll" {
            std::os::unix::fs::symlink("b", place.path().join("next")).unwrap();
            std::fs::rename(place.path().join("next"), &site).unwrap();
        } else {
            write(&site, &overlay("1.1.0", "470 ms"));
        }
        let now = until(&server, &mut rules, |now| now.parameters[0].value == "470 ms").await;
        let (ruleset, laid) = (now.ruleset.unwrap(), before.ruleset.unwrap());
        assert_eq!(ruleset.overlay.unwrap().version, "1.1.0");
        assert_ne!(ruleset.digest, laid.digest);
        server.logged(&format!(r#""trigger":"{trigger}""#)).await;
        write(&site, &overlay("1.2.0", "900 ms"));
        let refused = |now: &concord::api::proto::GetRulesetResponse| {
            now.reload.as_ref().unwrap().outcome() == reload::Outcome::Refused
        };
        let now = until(&server, &mut rules, refused).await;
        assert_eq!(now.ruleset.unwrap().digest, ruleset.digest);
        let reload = now.reload.unwrap();
        assert!(reload.reason == "faulty" && reload.message.starts_with("overlay/site.yaml:2:"), "{reload:?}");
    }
}

#[test]
fn a_site_signs_its_overlay_over_a_package() {
    let place = tempfile::tempdir().unwrap();
    for (name, files) in [("rules", package("alpha", "1.1.0")), ("north", overlay("2.0.0", "480 ms"))] {
        std::fs::create_dir(place.path().join(name)).unwrap();
        write(&place.path().join(name), &files);
    }
    let made = concord(&["rules", "keygen", "--name", "clinic.example", "--out", "key"], place.path());
    let trusted = format!("rules.trusted_keys={}", String::from_utf8(made.stdout).unwrap().trim_end());
    let settings = ["--set", "rules.require_signature=true", "--set", &trusted];
    let config = || {
        told(&concord(&[&["config", "--rules", "rules", "--overlay", "north"], &settings[..]].concat(), place.path()))
    };
    let sign = |arguments: &[&str]| {
        let output = concord(&[&["rules", "sign", "--key", "key"], arguments].concat(), place.path());
        (told(&output), String::from_utf8(output.stdout).unwrap())
    };
    assert!(config().1.contains("package: not signed"), "{:?}", config());
    assert_eq!(sign(&["rules"]).0, (Some(0), String::new()));
    assert!(config().1.contains("overlay: not signed"), "{:?}", config());
    let (outcome, text) = sign(&["rules", "--overlay", "north"]);
    assert_eq!(outcome, (Some(0), String::new()));
    assert!(text.starts_with("north/package.sig: north 2.0.0, 1 files, content sha256 "), "{text}");
    assert_eq!(config(), (Some(0), String::new()));
    // Signed is only what the package takes.
    write(&place.path().join("north"), &overlay("2.1.0", "900 ms"));
    let ((code, text), _) = sign(&["rules", "--overlay", "north"]);
    assert!(code == Some(2) && text.contains("site.yaml"), "{text}");
    assert!(config().1.contains("overlay: `site.yaml` differs from what was signed"));
    assert_eq!(sign(&[]).0.0, Some(2));
}

#[tokio::test]
async fn the_package_in_the_binary_never_reloads() {
    let server = Server::start(&[]);
    let mut rules = RulesetServiceClient::new(server.channel().await);
    let before = until(&server, &mut rules, |_| true).await;
    server.hang_up();
    server.logged("is the one in the binary, and never reloads").await;
    assert_eq!(until(&server, &mut rules, |_| true).await, before);
}

fn concord(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_concord")).args(arguments).current_dir(dir).output().unwrap()
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn a_site_signs_its_packages_and_a_server_loads_no_other() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("rules");
    std::fs::create_dir(&dir).unwrap();
    write(&dir, &package("alpha", "1.1.0"));
    let made = concord(&["rules", "keygen", "--name", "clinic.example", "--out", "key"], place.path());
    assert_eq!(told(&made), (Some(0), String::new()));
    let public = String::from_utf8(made.stdout).unwrap().trim_end().to_owned();
    let bits = std::fs::metadata(place.path().join("key")).unwrap().permissions().mode();
    assert_eq!(bits & 0o777, 0o600);
    let again = concord(&["rules", "keygen", "--name", "clinic.example", "--out", "key"], place.path());
    assert_eq!(again.status.code(), Some(2), "a key that is in use is not written over");

    let trusted = format!("rules.trusted_keys={public}");
    let state = format!("rules.state_file={}", place.path().join("state").display());
    let settings = ["rules.require_signature=true", trusted.as_str(), state.as_str()];
    let patient = place.path().join("patient.json");
    std::fs::write(&patient, r#"{"asOf": "2026-06-01", "patient": {"ageYears": 28}}"#).unwrap();
    let once = |command: &str| {
        let mut arguments = vec![command, "--rules", "rules"];
        arguments.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        arguments.push(if command == "serve" { "--grpc-addr=127.0.0.1:0" } else { "patient.json" });
        told(&concord(&arguments, place.path()))
    };
    for command in ["serve", "evaluate"] {
        let (code, text) = once(command);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("package: not signed"), "{command}: {text}");
    }
    let sign = || concord(&["rules", "sign", "--key", "key", "rules"], place.path());
    let signed = sign();
    assert_eq!(told(&signed), (Some(0), String::new()));
    assert!(String::from_utf8(signed.stdout).unwrap().contains("small 1.1.0, 2 files, content sha256 "));
    assert_eq!(once("evaluate").0, Some(0));

    let server = Server::with_rules(&dir, &[&settings[..], &["rules.poll=1m"]].concat());
    let mut rules = RulesetServiceClient::new(server.channel().await);
    let before = until(&server, &mut rules, |now| now.reload.is_some()).await.ruleset;
    let refused = async |rules: &mut _, reason: &str| {
        let now = until(&server, rules, |now| now.reload.as_ref().unwrap().reason == reason).await;
        assert_eq!(now.ruleset, before, "{reason}");
    };
    write(&dir, &package("beta", "1.2.0"));
    refused(&mut rules, "tampered-file").await;
    write(&dir, &package("alpha", "1.0.9"));
    sign();
    refused(&mut rules, "rolled-back").await;
    write(&dir, &package("beta", "1.2.0"));
    sign();
    until(&server, &mut rules, |now| now.ruleset.as_ref().unwrap().version == "1.2.0").await;
    server.logged("version 1.0.9 is older than 1.1.0, which was active before").await;
    drop(server);

    write(&dir, &package("alpha", "1.1.0"));
    sign();
    assert!(once("serve").1.contains("version 1.1.0 is older than 1.2.0"), "the state outlives the process");
    let private = std::fs::read_to_string(place.path().join("key")).unwrap();
    let pinned = format!("rules.trusted_keys={}", private.trim_end());
    let output = concord(
        &["serve", "--rules", "rules", "--set", "rules.require_signature=true", "--set", &pinned],
        place.path(),
    );
    let (code, text) = told(&output);
    assert_eq!(code, Some(2));
    assert!(text.contains("this is a private key") && !text.contains(&private[20..60]), "{text}");
}
