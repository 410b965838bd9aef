use std::fs;
use std::path::Path;

use super::*;
use crate::ruleset::signature::PrivateKey;
use crate::ruleset::source::SIGNATURE;

const BASE: &str = include_str!("../../tests/broken/base.yaml");

fn write(dir: &Path, version: &str, more: &str) {
    fs::write(dir.join("base.yaml"), BASE.replace("1.0.0", version) + more).unwrap();
}

fn reloader(dir: &Path, trust: Option<Trust>) -> Reloader {
    let origin = Origin { rules: Some(dir.to_owned()), overlay: None };
    Reloader::new(origin, trust, Active::new())
}

fn outcome(attempt: &Attempt) -> (&'static str, &'static str) {
    (attempt.outcome.word(), attempt.outcome.reason().unwrap_or_default())
}

type Spoil = fn(&Path);

#[test]
fn what_fails_leaves_the_package_before_and_says_why_once() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "1.0.0", "");
    let mut reloader = reloader(dir.path(), None);
    let first = reloader.attempt();
    assert_eq!(outcome(&first), ("activated", ""));
    assert_eq!(outcome(&reloader.attempt()), ("unchanged", ""));
    let serving = || reloader.active.get().unwrap().digest().to_owned();
    let before = serving();
    assert_eq!(first.digest.as_ref(), Some(&before));

    let rows: [(&str, Spoil, &str); 4] = [
        ("faulty", |dir| write(dir, "1.1.0", "rulez: []\n"), "base.yaml:20:1: a package has no section `rulez`"),
        ("newer-format", |dir| write(dir, "1.1.0, format: 2", "rulez: []\n"), "the package is of format 2"),
        ("unreadable", |dir| fs::write(dir.join("base.yaml"), b"a: \xff").unwrap(), "not UTF-8 at byte 3"),
        ("unreadable", |dir| fs::remove_file(dir.join("base.yaml")).unwrap(), "holds no file named *.yaml"),
    ];
    for (reason, spoil, told) in rows {
        spoil(dir.path());
        let attempt = reloader.attempt();
        assert_eq!(outcome(&attempt), ("refused", reason));
        assert!(attempt.message.contains(told) && attempt.diagnostics == 1, "{attempt:?}");
        assert_eq!(outcome(&reloader.attempt()), ("unchanged", ""), "{reason}");
        let state = reloader.active.state();
        assert_eq!(state.attempt.unwrap().message, attempt.message);
        assert_eq!(state.ruleset.unwrap().digest(), before);
    }
    write(dir.path(), "1.1.0", "");
    assert_eq!(outcome(&reloader.attempt()), ("activated", ""));
    assert_ne!(reloader.active.get().unwrap().digest(), before);
}

#[test]
fn where_signatures_are_required_only_a_signed_and_newer_package_becomes_active() {
    let dir = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let state = state.path().join("state");
    let key = PrivateKey::new("clinic.example", &[1; 32]).unwrap();
    let other = PrivateKey::new("elsewhere.example", &[2; 32]).unwrap();
    let trust = || Some(Trust::new(vec![key.public()], Some(state.clone())).unwrap());
    let mut reloader = reloader(dir.path(), trust());
    let signed = |key: &PrivateKey| {
        let files = Origin { rules: Some(dir.path().to_owned()), overlay: None }.read().unwrap().base;
        fs::write(dir.path().join(SIGNATURE), key.sign(&files)).unwrap();
    };
    let mut told = |expected: &str| {
        let attempt = reloader.attempt();
        let word = attempt.outcome.reason().unwrap_or(attempt.outcome.word());
        assert_eq!(word, expected, "{attempt:?}");
    };
    write(dir.path(), "1.2.0", "");
    told("unsigned");
    signed(&other);
    told("unknown-key");
    signed(&key);
    told("activated");
    write(dir.path(), "1.3.0", "");
    told("tampered-file");
    write(dir.path(), "1.2.0", "");
    told("activated");
    fs::write(dir.path().join("more.yaml"), "").unwrap();
    told("extra-file");
    signed(&key);
    told("rolled-back");
    fs::remove_file(dir.path().join("more.yaml")).unwrap();
    told("missing-file");
    write(dir.path(), "1.1.9", "");
    signed(&key);
    told("rolled-back");
    write(dir.path(), "new", "");
    signed(&key);
    told("no-version");
    write(dir.path(), "1.10.0", "");
    signed(&key);
    told("activated");
    assert!(fs::read_to_string(&state).unwrap().starts_with("1.10.0 "));
    // A new process knows what the one before has seen.
    let origin = Origin { rules: Some(dir.path().to_owned()), overlay: None };
    let mut after = Reloader::new(origin, trust(), Active::new());
    write(dir.path(), "1.9.0", "");
    signed(&key);
    assert_eq!(outcome(&after.attempt()), ("refused", "rolled-back"));
    assert!(after.active.get().is_none());
}
