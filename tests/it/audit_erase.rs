//! What is erased is gone from every file, and nothing else changes: real decisions of many patients, some of whom are
//! erased by the command, which may be killed at any instant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use concord::api::answer::{canonical_bytes, response};
use concord::api::decide::{Terms, decide};
use concord::api::limits::Limits;
use concord::api::proto::EvaluateRequest;
use concord::api::recording::{CallFacts, Recorder, part, recorded_decision};
use concord::api::turns::Turns;
use concord::audit::checkpoint::Checkpoint;
use concord::audit::entry::Kind;
use concord::audit::keys::master_key_file;
use concord::audit::log::{Access, Log, check_row};
use concord::audit::records::{Record, Records};
use concord::audit::sqlite::Sqlite;
use concord::audit::store::Stored;
use concord::audit::tree::{self, Frontier};
use concord::audit::{Audit, Options, log};
use concord::ruleset::Ruleset;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::server::{fine, request};

fn terms() -> Terms {
    Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() }
}

fn access(dir: &Path) -> Access {
    let (master, _) = master_key_file(&dir.join("master.key"), true).unwrap();
    Access { master: Arc::new(master), signing_key: dir.join("signing.key"), origin: None }
}

/// Opens the log, which checks it.
fn open(dir: &Path) -> Log {
    Log::open(Box::new(Sqlite::open(dir).unwrap()), &access(dir)).unwrap()
}

fn records(dir: &Path) -> Records {
    let mut store = Sqlite::open(dir).unwrap();
    let vault = log::vault(&mut store, access(dir).master).unwrap();
    Records::new(Box::new(store), vault)
}

pub fn call() -> CallFacts {
    CallFacts {
        name: Arc::default(),
        recorded: Arc::new(AtomicBool::new(false)),
        caller: "anonymous@127.0.0.1".to_owned(),
        method: "concord.v1.DecisionService/Evaluate".to_owned(),
        trace: None,
        received: jiff::Timestamp::now(),
        place: None,
        turns: Turns::default(),
    }
}

/// A name that is nowhere else.
pub fn patient(number: usize) -> String {
    format!("marker-of-patient-{number:04}")
}

pub fn asked(number: usize) -> EvaluateRequest {
    let mut asked = match number % 3 {
        0 => fine(),
        1 => request(
            r#"{"asOf": "2026-06-01", "patient": {"ageYears": 41,
                "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}]},
                              {"coding": [{"system": "ICD-10-CM", "code": "F33.1"}]}]}}"#,
        ),
        _ => request(
            r#"{"patient": {"ageYears": 19,
                "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F43.10"}]}]}}"#,
        ),
    };
    asked.request_id = format!("request-{number}");
    asked.requester = format!("marker-of-requester-{number:04}");
    asked.patient.as_mut().unwrap().id = patient(number);
    asked
}

/// Records decisions of so many patients, as the service does.
pub async fn decided(dir: &Path, patients: usize, ruleset: &Arc<Ruleset>) {
    let place = dir.to_owned();
    let opener = move || -> Result<Box<dyn concord::audit::store::Store>, _> { Ok(Box::new(Sqlite::open(&place)?)) };
    let options = Options { access: access(dir), queue: 64, queue_wait: Duration::from_mins(1), patient: false };
    let audit = Audit::start(&options, opener, Handle::current()).unwrap();
    let recorder = Recorder::awaiting();
    recorder.opened(audit.clone());
    recorder.activated(ruleset, "start").await.unwrap();
    let mut calls = JoinSet::new();
    for number in 0..patients {
        let (recorder, ruleset) = (recorder.clone(), Arc::clone(ruleset));
        calls.spawn(async move {
            recorder.decide(&call(), Some(ruleset), asked(number), &terms()).await.unwrap();
        });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    audit.close().await;
}

pub fn concord(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.arg("audit").args(words).env_remove("CONCORD_CONFIG");
    command.arg("--set").arg(format!("audit.dir={}", dir.display())).stdin(Stdio::null());
    command
}

fn erase(dir: &Path, patients: impl IntoIterator<Item = usize>) -> Command {
    let mut command =
        concord(dir, &["erase", "--reason", "PATIENT_REQUEST", "--requester", "marker-of-relative", "--yes"]);
    patients.into_iter().for_each(|number| {
        command.args(["--patient", &patient(number)]);
    });
    command
}

pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Every file of the directory.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

/// Files that hold any of these keys, found by the first bytes of each that are random.
fn holding<'a>(dir: &Path, keys: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<String> {
    let keys: BTreeSet<&[u8]> = keys.into_iter().map(|key| &key[9..]).collect();
    let heads: BTreeSet<&[u8]> = keys.iter().map(|key| &key[..12]).collect();
    let held = |bytes: &[u8]| {
        bytes
            .windows(12)
            .enumerate()
            .any(|(at, head)| heads.contains(head) && keys.iter().any(|key| bytes[at..].starts_with(key)))
    };
    files(dir).into_iter().filter(|(_, bytes)| held(bytes)).map(|(name, _)| name).collect()
}

fn holding_text(dir: &Path, text: &str) -> Vec<String> {
    let held = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    files(dir).into_iter().filter(|(_, bytes)| held(bytes)).map(|(name, _)| name).collect()
}

/// The record of each patient's decision, by number.
fn by_patient(dir: &Path, patients: usize) -> BTreeMap<usize, Record> {
    let mut records = records(dir);
    let mut found = BTreeMap::new();
    for number in 0..patients {
        let tag = records.vault().subject_tag(&patient(number));
        for index in records.store().of_subject(&tag).unwrap() {
            let record = records.at(index).unwrap().unwrap();
            assert!(found.insert(number, record).is_none());
        }
    }
    found
}

/// The root over the leaves that are there, each of which is whole, is that of the checkpoint; so is that of the older one.
fn holds(dir: &Path, older: &str) {
    drop(open(dir));
    let mut records = records(dir);
    let keys = records.keys().unwrap();
    let older = Checkpoint::open(older, &keys).unwrap();
    let (_, checkpoint) = records.checkpoint().unwrap();
    let mut frontier = Frontier::default();
    for row in records.store().rows(0, checkpoint.size, checkpoint.size).unwrap() {
        check_row(&row).unwrap();
        frontier.push(tree::leaf_hash(&row.leaf));
        if frontier.size() == older.size {
            assert_eq!(frontier.root(), older.root);
        }
    }
    assert_eq!((frontier.size(), frontier.root()), (checkpoint.size, checkpoint.root));
    assert_eq!(tree::root(&mut Stored(records.store()), checkpoint.size).unwrap(), checkpoint.root);
}

const PATIENTS: usize = 1_000;

/// Every tenth.
fn is_erased(number: usize) -> bool {
    number.is_multiple_of(10)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_of_a_thousand_patients_are_erased_and_the_others_are_as_before() {
    let (dir, ruleset) = (tempfile::tempdir().unwrap(), Arc::new(Ruleset::embedded().unwrap()));
    let dir = dir.path();
    decided(dir, PATIENTS, &ruleset).await;
    let before = by_patient(dir, PATIENTS);
    assert_eq!(before.len(), PATIENTS);
    let (older, _) = records(dir).checkpoint().unwrap();
    let keys = |erased: bool| {
        let chosen = before.iter().filter(move |(number, _)| is_erased(**number) == erased);
        chosen.map(|(_, record)| record.row.key.as_ref().unwrap())
    };
    assert!(!holding(dir, keys(true)).is_empty() && holding_text(dir, "marker-of").is_empty());

    let output = erase(dir, (0..PATIENTS).filter(|number| is_erased(*number))).output().unwrap();
    let said = text(&output);
    assert!(
        output.status.success() && said.contains("erased 100 entries") && said.contains("\u{2014} concord/"),
        "{said}"
    );
    assert!(!said.contains("marker-of"), "{said}");

    assert_eq!(holding(dir, keys(true)), Vec::<String>::new());
    assert!(keys(false).take(5).all(|key| !holding(dir, [key]).is_empty()));
    assert_eq!(holding_text(dir, "marker-of"), Vec::<String>::new());
    holds(dir, &older);

    let mut records = records(dir);
    let after = by_patient(dir, PATIENTS);
    assert_eq!(after.len(), PATIENTS - 100);
    for (number, record) in &before {
        let now = records.by_id(&record.leaf.id).unwrap().unwrap();
        assert_eq!((&now.row.leaf, &now.row.body), (&record.row.leaf, &record.row.body));
        if is_erased(*number) {
            assert!(now.is_erased() && now.content.is_none() && recorded_decision(&now).is_none());
            continue;
        }
        let (held, content) = (record.content.as_ref().unwrap(), now.content.as_ref().unwrap());
        for name in [part::REQUEST, part::ANSWER, part::RULES, part::TERMS] {
            assert_eq!(held.part(name).unwrap(), content.part(name).unwrap());
        }
        let (request, _, answer) = recorded_decision(&now).unwrap();
        let again = response(decide(&ruleset, request, &terms(), jiff::Timestamp::now()).unwrap());
        assert_eq!(canonical_bytes(&again), canonical_bytes(&answer));
    }

    // The log says what was done and by whom; who asked for it is sealed.
    let size = records.checkpoint().unwrap().1.size;
    let erasures: Vec<Record> = (0..size)
        .filter_map(|index| records.at(index).unwrap())
        .filter(|record| record.leaf.kind == Kind::Erasure)
        .collect();
    assert_eq!(erasures.len(), 1);
    let leaf = &erasures[0].leaf;
    let told: u64 = leaf.entries.iter().map(|[first, last]| last - first + 1).sum();
    assert_eq!((leaf.count, told, leaf.reason.as_deref()), (Some(100), 100, Some("PATIENT_REQUEST")));
    assert!(leaf.caller.as_ref().unwrap().starts_with("local:"));
    assert_eq!(
        erasures[0].content.as_ref().unwrap().part(part::TERMS),
        Some(br#"{"requester":"marker-of-relative"}"#.as_slice())
    );

    // A second time there is nothing to erase, and an export has no content of them.
    let output = erase(dir, [0, 10]).output().unwrap();
    assert_eq!((output.status.code(), text(&output).contains("nothing to erase")), (Some(1), true));
    let output = concord(dir, &["export", "--format", "ndjson", "--with-content", "-"]).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let with_content = |number: usize| lines.contains(&format!("\"id\":\"{}\"", patient(number)));
    assert!((0..PATIENTS).all(|number| with_content(number) != is_erased(number)));

    // The request id of an erased decision is free again: what it was is not known.
    decided_again(dir, &ruleset).await;
}

async fn decided_again(dir: &Path, ruleset: &Arc<Ruleset>) {
    let before = open(dir).size();
    decided(dir, 1, ruleset).await;
    assert_eq!(by_patient(dir, 1).len(), 1);
    assert!(open(dir).size() > before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_erased_with_what_is_about_it_and_only_with_a_yes() {
    let (dir, ruleset) = (tempfile::tempdir().unwrap(), Arc::new(Ruleset::embedded().unwrap()));
    let dir = dir.path();
    decided(dir, 3, &ruleset).await;
    let decision = by_patient(dir, 3)[&1].leaf.id;
    let mut log = open(dir);
    let about = concord::audit::entry::Leaf { of: Some(decision), ..concord::audit::entry::Leaf::new(Kind::Feedback) };
    let content = concord::audit::content::Content::new().with(part::REQUEST, b"marker".to_vec());
    let feedback = log
        .append_draft(concord::audit::entry::Draft::sealed(about, content), concord::audit::log::Effect::None)
        .unwrap()
        .index;
    drop(log);
    let id = decision.to_string();
    let words = ["erase", "--decision", &id, "--reason", "court_order"];
    let output = concord(dir, &words).output().unwrap();
    assert_eq!((output.status.code(), text(&output).contains("erase 2 entries")), (Some(2), true), "{}", text(&output));
    assert!(text(&output).contains("--yes"));
    assert_eq!(by_patient(dir, 3).len(), 3);
    let output = concord(dir, &words).arg("--yes").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(records(dir).at(feedback).unwrap().unwrap().is_erased());
    assert_eq!(by_patient(dir, 3).into_keys().collect::<Vec<_>>(), [0, 2]);

    // The id of a patient from standard input; one that is unknown.
    let piped = |id: &str| {
        use std::io::Write as _;
        let mut command = concord(dir, &["erase", "--patient", "-", "--reason", "ERROR", "--yes"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.take().unwrap(), "{id}").unwrap();
        child.wait_with_output().unwrap().status.code()
    };
    assert_eq!((piped("someone else"), piped(&patient(2)), piped(&patient(2))), (Some(1), Some(0), Some(1)));
    let wrong = concord(dir, &["erase", "--decision", "no-uuid", "--reason", "OTHER", "--yes"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(concord(dir, &["erase", "--reason", "OTHER", "--yes"]).output().unwrap().status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_is_killed_happened_wholly_or_not_at_all() {
    let (dir, ruleset) = (tempfile::tempdir().unwrap(), Arc::new(Ruleset::embedded().unwrap()));
    let dir = dir.path();
    decided(dir, 60, &ruleset).await;
    let before = by_patient(dir, 60);
    let (older, _) = records(dir).checkpoint().unwrap();
    let (mut rounds, mut killed) = (0, 0);
    loop {
        let mut child = erase(dir, 0..50).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(rounds * 4));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        killed += usize::from(status.code().is_none());
        rounds += 1;
        let left = by_patient(dir, 60).len();
        let mut log = open(dir);
        let size = log.size();
        let rows = log.store().rows(0, size, size).unwrap();
        let said = rows.iter().filter(|row| check_row(row).unwrap().kind == Kind::Erasure).count();
        assert!([(60, 0), (10, 1)].contains(&(left, said)), "round {rounds}: {left} left, said {said} times");
        if said == 1 {
            break;
        }
        assert!(rounds < 1_000, "never erased");
    }
    assert!(killed > 0, "no erasure was ever killed");
    // The log was opened since, which ends what the kill may have left.
    let keys: Vec<Vec<u8>> =
        before.into_iter().filter(|(number, _)| *number < 50).filter_map(|(_, one)| one.row.key).collect();
    assert_eq!(holding(dir, &keys), Vec::<String>::new());
    holds(dir, &older);
}
