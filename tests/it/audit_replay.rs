//! Stored decisions give the same bytes again, whatever the rules are by then, and an archive that was altered is told.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use concord::api::json;
use concord::api::proto::audit_service_client::AuditServiceClient;
use concord::api::proto::decision_service_client::DecisionServiceClient;
use concord::api::proto::evaluate_stream_response::Outcome;
use concord::api::proto::replay_decision_response::Outcome as Replayed;
use concord::api::proto::ruleset_service_client::RulesetServiceClient;
use concord::api::proto::{EvaluateRequest, EvaluateResponse, EvaluateStreamRequest, ReplayDecisionRequest};
use concord::audit::sqlite::FILE;
use concord::diag::Files;
use concord::ruleset::{Sources, archive};
use serde_json::json;
use tokio_stream::StreamExt as _;
use tonic::transport::Channel;

use crate::cases::DECK;
use crate::packages::until;
use crate::server::Server;

/// 300 in `scripts/test`; more where the variable says so.
fn wanted() -> usize {
    std::env::var("CONCORD_REPLAY_DECISIONS").map_or(300, |count| count.parse().unwrap())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "cases" => {}
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Sets a parameter of a package.
fn set(text: &str, parameter: &str, before: &str, after: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(&format!("- {{id: {parameter},"))).unwrap();
    let (old, new) = (format!("value: {before},"), format!("value: {after},"));
    assert!(line.contains(&old), "{line}");
    text.replace(line, &line.replace(&old, &new))
}

/// A candidate for methadone with a QTc of 495 ms, in all that a request can ask for.
fn near_the_limit() -> EvaluateRequest {
    let patient = json!({
        "id": "p-1", "ageYears": 40,
        "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}]}],
        "observations": [{
            "coding": [{"system": "LOINC", "code": "8636-3"}], "effective": "2026-05-20", "value": 495, "unit": "ms",
        }],
    });
    json::from_serde(json!({"patient": patient, "asOf": "2026-06-01T12:00:00Z"})).unwrap()
}

/// Patients of the cases, over and over, with every way to ask.
fn patients(count: usize) -> impl Iterator<Item = EvaluateRequest> {
    let cases = DECK.cases.iter().filter(|case| case.evaluation.is_some());
    let requests = cases.cycle().take(count).enumerate().map(|(at, case)| {
        let explain = ["BRIEF", "STANDARD", "FULL"][at % 3];
        let purpose = ["", "HRESCH"][at % 2];
        let as_of = if at % 5 == 0 { "" } else { case.as_of.as_str() };
        let body = json!({
            "patient": case.patient, "asOf": as_of, "explain": explain, "purposeOfUse": purpose,
            "includeDrafts": case.drafts, "part2Covered": at % 7 == 0,
        });
        json::from_serde(body).unwrap()
    });
    requests.collect::<Vec<_>>().into_iter()
}

/// Evaluates, and gives the answer to the last request.
async fn evaluate(channel: &Channel, requests: impl Iterator<Item = EvaluateRequest>) -> EvaluateResponse {
    let mut client = DecisionServiceClient::new(channel.clone()).max_decoding_message_size(usize::MAX);
    let items = requests.map(|request| EvaluateStreamRequest { request: Some(request) });
    let items: Vec<EvaluateStreamRequest> = items.collect();
    let count = items.len();
    let mut answers = client.evaluate_stream(tokio_stream::iter(items)).await.unwrap().into_inner();
    let (mut answered, mut last) = (0, None);
    while let Some(answer) = answers.next().await {
        match answer.unwrap().outcome.unwrap() {
            Outcome::Response(response) => last = Some(response),
            Outcome::Status(status) => panic!("{status:?}"),
        }
        answered += 1;
    }
    assert_eq!(answered, count);
    last.unwrap()
}

fn concord(arguments: &[&str], data: &Path) -> Output {
    let data = format!("audit.dir={}", data.display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.arg("audit").args(arguments).args(["--set", &data]).env_remove("CONCORD_CONFIG").output().unwrap()
}

fn said(output: &Output) -> String {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

async fn replay(channel: &Channel, answer: &EvaluateResponse) -> concord::api::proto::ReplayDecisionResponse {
    let request = ReplayDecisionRequest { decision_id: answer.decision_id.clone(), ..ReplayDecisionRequest::default() };
    AuditServiceClient::new(channel.clone()).replay_decision(request).await.unwrap().into_inner()
}

/// Alters one file of an archived package in the store.
fn alter(data: &Path, digest: &str, change: impl Fn(&str) -> String) -> String {
    let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&digest[2 * at..2 * at + 2], 16).unwrap()).collect();
    let database = rusqlite::Connection::open(data.join(FILE)).unwrap();
    let query = "SELECT content FROM archive WHERE kind = 'package' AND digest = ?";
    let content: Vec<u8> = database.query_row(query, [&bytes], |row| row.get(0)).unwrap();
    let sources = archive::unpack(&content).unwrap();
    let files = sources.base.iter().map(|(_, name, text)| {
        let text = if name == "package.yaml" { change(text) } else { text.to_owned() };
        (name.to_owned(), text)
    });
    let altered = archive::pack(&Sources { base: Files::new(files.collect()), overlay: None });
    let update = "UPDATE archive SET content = ? WHERE kind = 'package' AND digest = ?";
    assert_eq!(database.execute(update, rusqlite::params![altered, bytes]).unwrap(), 1);
    archive::load(&altered).unwrap().digest().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_of_three_versions_replay_to_the_byte_and_an_altered_archive_is_told() {
    let rules = tempfile::tempdir().unwrap();
    copy(Path::new("rules"), rules.path());
    let mut server = Server::with_rules(rules.path(), &["telemetry.log_filter=info"]);
    let channel = server.channel().await;
    let mut service = RulesetServiceClient::new(channel.clone());
    let file = rules.path().join("package.yaml");
    let shipped = fs::read_to_string(&file).unwrap();
    let versions = [
        shipped.clone(),
        set(&shipped, "qtc_limit", "500 ms", "480 ms"),
        set(&set(&shipped, "phq9_moderate", "10", "7"), "qtc_caution", "450 ms", "440 ms"),
    ];

    // Two thirds of a version are stored when the next becomes active.
    let (mut lasts, mut digest) = (Vec::new(), String::new());
    for (at, version) in versions.iter().enumerate() {
        if at > 0 {
            let beside = rules.path().join(".package.yaml");
            fs::write(&beside, version).unwrap();
            fs::rename(&beside, &file).unwrap();
            server.hang_up();
        }
        let is_new = |now: &concord::api::proto::GetRulesetResponse| now.ruleset.as_ref().unwrap().digest != digest;
        let now = until(&server, &mut service, is_new).await;
        digest = now.ruleset.unwrap().digest;
        let requests = patients(wanted() / 3 - 1).chain([near_the_limit()]);
        lasts.push(evaluate(&channel, requests).await);
    }
    let standing = |answer: &EvaluateResponse| {
        let mut all = answer.recommendations.iter().flat_map(|one| &one.components);
        all.find(|component| component.code == "methadone").unwrap().standing().as_str_name()
    };
    assert_eq!(lasts.iter().map(standing).collect::<Vec<_>>(), ["CAUTION", "CONTRAINDICATED", "CAUTION"]);

    for last in &lasts {
        let replayed = replay(&channel, last).await;
        assert_eq!(replayed.outcome(), Replayed::Identical, "{replayed:?}");
        assert_eq!(replayed.archived_digest, last.ruleset.as_ref().unwrap().digest);
    }
    let data = server.data.path().to_owned();
    let output = concord(&["replay"], &data);
    let count = wanted() / 3 * 3;
    assert_eq!((output.status.code(), said(&output)), (Some(0), format!("{count} decisions: {count} identical\n")));

    let first = &lasts[0];
    let digest = first.ruleset.clone().unwrap().digest;
    let altered = alter(&data, &digest, |text| set(text, "qtc_limit", "500 ms", "490 ms"));
    let replayed = replay(&channel, first).await;
    assert_eq!((replayed.outcome(), replayed.archived_digest), (Replayed::ArchiveAltered, altered.clone()));
    assert!(replayed.package_differences.is_empty() && !replayed.differences.is_empty());
    assert_eq!(replay(&channel, &lasts[1]).await.outcome(), Replayed::Identical);

    // The package in the binary is the one that answered.
    let output = concord(&["replay", &first.decision_id], &data);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    let (head, rest) = text.split_once('\n').unwrap();
    assert!(head.starts_with(&format!("ARCHIVE_ALTERED {} (entry ", first.decision_id)), "{head}");
    insta::assert_snapshot!(
        "replay-altered",
        rest.replace(&digest, "<digest of the package that answered>").replace(&altered, "<digest of the altered one>")
    );

    let output = concord(&["replay", "--format", "json"], &data);
    assert_eq!(output.status.code(), Some(1));
    let told = said(&output);
    let told = |outcome: &str| told.lines().filter(|line| line.contains(&format!("\"outcome\":\"{outcome}\""))).count();
    assert_eq!((told("ARCHIVE_ALTERED"), told("IDENTICAL")), (count / 3, count / 3 * 2));
    let page = said(&concord(&["show", &lasts[1].decision_id], &data));
    assert!(page.contains("made again with the archived package and the same to the byte"), "{page}");
    let page = said(&concord(&["show", &first.decision_id], &data));
    assert!(page.contains("The answer is not made again to the same bytes"), "{page}");
    server.terminate();
    server.ended().await;
}
