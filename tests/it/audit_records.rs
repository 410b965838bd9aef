//! Commands on a recorded log: export for other systems, retention, and keys that are replaced.

use std::path::Path;
use std::sync::Arc;

use concord::audit::keys::master_key_file;
use concord::audit::log::{Access, Log};
use concord::audit::sqlite::{FILE, Sqlite};
use concord::ruleset::Ruleset;
use serde_json::Value;

use crate::audit_erase::{concord, decided, patient, text};

const PATIENTS: usize = 12;

async fn log() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    decided(dir.path(), PATIENTS, &Arc::new(Ruleset::embedded().unwrap())).await;
    dir
}

fn lines(dir: &Path, words: &[&str]) -> Vec<Value> {
    let mut all = vec!["export", "--format"];
    all.extend(words);
    all.push("-");
    let output = concord(dir, &all).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let out = String::from_utf8(output.stdout).unwrap();
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_leave_as_lines_after_the_log_says_so() {
    let dir = log().await;
    let dir = dir.path();
    let clear = lines(dir, &["ndjson"]);
    // Created, key, ruleset, decisions, closed.
    assert_eq!(clear.len(), PATIENTS + 4);
    assert!(clear.iter().zip(0..).all(|(line, index)| line["index"] == index && line.get("content").is_none()));
    assert!(!serde_json::to_string(&clear).unwrap().contains("marker-of"));
    let whole = lines(dir, &["ndjson", "--with-content"]);
    // The export before is in it, and this one is not yet.
    assert_eq!(whole.len(), PATIENTS + 5);
    let read = &whole[PATIENTS + 4]["leaf"];
    assert_eq!(
        (&read["kind"], &read["method"], &read["count"]),
        (&"read".into(), &"concord audit export".into(), &16.into())
    );
    assert!(read["caller"].as_str().unwrap().starts_with("local:"));
    let decisions: Vec<&Value> = whole.iter().filter(|line| line["leaf"]["kind"] == "decision").collect();
    assert_eq!(decisions.len(), PATIENTS);
    for decision in decisions {
        let content = &decision["content"];
        assert!(content["request"]["patient"]["id"].as_str().unwrap().starts_with("marker-of-patient"));
        assert_eq!(content["answer"]["decisionId"], decision["leaf"]["id"]);
        assert!(content["rules"].is_array() && content["terms"]["purposeOfUse"] == "TREAT");
    }
    assert_eq!(lines(dir, &["ndjson", "--to", "2020-01-01"]).len(), 0);
    assert_eq!(lines(dir, &["ndjson", "--from", "2999-01-01"]).len(), 0);
    assert_eq!(lines(dir, &["ndjson", "--from", "2020-01-01", "--to", "2999-01-01"]).len(), PATIENTS + 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_leave_as_audit_events() {
    let dir = log().await;
    let dir = dir.path();
    let clear = lines(dir, &["fhir"]);
    assert!(clear.iter().all(|line| line["resourceType"] == "AuditEvent" && line.get("meta").is_none()));
    assert!(!serde_json::to_string(&clear).unwrap().contains("marker-of"));
    let whole = lines(dir, &["fhir", "--with-content", "--server", "concord.example.org"]);
    let profiled = whole.iter().filter(|line| {
        line["meta"]["profile"][0]
            == "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery"
    });
    assert_eq!(profiled.count(), PATIENTS);
    let told = serde_json::to_string(&whole).unwrap();
    assert!((0..PATIENTS).all(|number| told.contains(&patient(number))));
    // A file is readable by its owner alone, and is never written over.
    let file = dir.join("events.ndjson");
    let export = || concord(dir, &["export", "--format", "fhir", &file.display().to_string()]).output().unwrap();
    assert!(export().status.success());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(export().status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_pruned_on_command() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    decided(dir, 300, &Arc::new(Ruleset::embedded().unwrap())).await;
    let prune = |words: &[&str]| {
        let mut all = vec!["prune"];
        all.extend(words);
        let output = concord(dir, &all).output().unwrap();
        (output.status.code(), text(&output))
    };
    assert!(matches!(prune(&[]), (Some(0), told) if told.contains("nothing to prune")));
    let (code, told) = prune(&["--before", "2999-01-01"]);
    assert!(code == Some(2) && told.contains("--yes"), "{told}");
    let (code, told) = prune(&["--before", "2999-01-01", "--yes"]);
    assert!(code == Some(0) && told.contains("pruned 256 entries (0-255)"), "{told}");
    let left = lines(dir, &["ndjson"]);
    assert_eq!(left[0]["index"], 256);
    assert_eq!(left.last().unwrap()["leaf"]["first"], 256);
    // The entries of its keys are gone, and it opens all the same.
    let (master, _) = master_key_file(&dir.join("master.key"), false).unwrap();
    let access = Access { master: Arc::new(master), signing_key: dir.join("signing.key"), origin: None };
    Log::open(Box::new(Sqlite::open(dir).unwrap()), &access).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_replaced_on_command() {
    let dir = log().await;
    let dir = dir.path();
    let rotate = || concord(dir, &["rotate-key"]).output().unwrap();
    let (first, second) = (text(&rotate()), text(&rotate()));
    let key = |told: &str| told.lines().next().unwrap().to_owned();
    assert_ne!(key(&first), key(&second));
    let entries = lines(dir, &["ndjson"]);
    let events: Vec<&str> = entries
        .iter()
        .filter(|line| line["leaf"]["kind"] == "key")
        .map(|line| line["leaf"]["event"].as_str().unwrap())
        .collect();
    assert_eq!(events, ["created", "created", "retired", "created", "retired"]);
    let created = entries.iter().rfind(|line| line["leaf"]["event"] == "created").unwrap();
    assert_eq!(created["leaf"]["key"], key(&second));

    let new = dir.join("new.key");
    let rewrap = || concord(dir, &["rewrap", "--new-master-key-file", &new.display().to_string()]).output().unwrap();
    let told = text(&rewrap());
    assert!(told.contains(&format!("{PATIENTS} keys of entries")) && told.contains("a master key was made"), "{told}");
    assert!(text(&rewrap()).contains("nothing to do"));
    // The old one opens nothing any more; the new one everything.
    let export = ["export", "--format", "ndjson", "--with-content", "-"];
    let output = concord(dir, &export).output().unwrap();
    assert!(output.status.code() == Some(2) && text(&output).contains("another master key"), "{}", text(&output));
    std::fs::rename(&new, dir.join("master.key")).unwrap();
    let opened = lines(dir, &["ndjson", "--with-content"]);
    assert_eq!(opened.iter().filter(|line| line["content"]["answer"].is_object()).count(), PATIENTS);
    // A command makes no log where there is none.
    let none = tempfile::tempdir().unwrap();
    for words in [vec!["rotate-key"], vec!["rewrap", "--new-master-key-file", "k"], vec!["prune"], export.to_vec()] {
        assert_eq!(concord(none.path(), &words).output().unwrap().status.code(), Some(2), "{words:?}");
        assert_eq!(std::fs::read_dir(none.path()).unwrap().count(), 0, "{words:?}");
    }
    assert!(dir.join(FILE).is_file());
}
