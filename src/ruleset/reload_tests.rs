use std::fs;
use std::path::Path;

use super::*;
use crate::note::PrivateKey;
use crate::ruleset::signature;
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
    let signed = |key: &PrivateKey| sign(dir.path(), key);
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
    assert!(fs::read_to_string(&state).unwrap().starts_with("package small 1.10.0 "));
    // A new process knows what the one before has seen.
    let origin = Origin { rules: Some(dir.path().to_owned()), overlay: None };
    let mut after = Reloader::new(origin, trust(), Active::new());
    write(dir.path(), "1.9.0", "");
    signed(&key);
    assert_eq!(outcome(&after.attempt()), ("refused", "rolled-back"));
    assert!(after.active.get().is_none());
}

fn overlay(dir: &Path, version: &str, qtc: &str) {
    let head = format!("{{name: north, version: {version}, title: North, developer: North, base: small}}");
    fs::write(dir.join("site.yaml"), format!("overlay: {head}\nset: {{qtc_limit: {qtc}}}\n")).unwrap();
}

fn sign(dir: &Path, key: &PrivateKey) {
    let files = Origin { rules: Some(dir.to_owned()), overlay: None }.read().unwrap().base;
    fs::write(dir.join(SIGNATURE), signature::sign(&files, key)).unwrap();
}

#[test]
fn an_overlay_is_reloaded_with_its_package_and_refused_with_it() {
    let (dir, site) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(dir.path(), "1.0.0", "");
    overlay(site.path(), "1.0.0", "480 ms");
    let origin = Origin { rules: Some(dir.path().to_owned()), overlay: Some(site.path().to_owned()) };
    let mut reloader = Reloader::new(origin, None, Active::new());
    let first = reloader.attempt();
    assert_eq!(outcome(&first), ("activated", ""), "{first:?}");
    assert_eq!(outcome(&reloader.attempt()), ("unchanged", ""));

    overlay(site.path(), "1.0.1", "470 ms");
    let second = reloader.attempt();
    assert_eq!(outcome(&second), ("activated", ""));
    assert!(first.content != second.content && first.digest != second.digest);
    let serving = reloader.active.get().unwrap();
    assert_eq!(serving.package().parameters[0].value, "470 ms");

    overlay(site.path(), "1.0.2", "600 ms");
    let refused = reloader.attempt();
    assert_eq!(outcome(&refused), ("refused", "faulty"));
    assert!(refused.message.starts_with("overlay/site.yaml:2:"), "{}", refused.message);
    // Right by itself, and no longer for this package.
    overlay(site.path(), "1.0.3", "480 ms");
    fs::write(dir.path().join("base.yaml"), BASE.replace("name: small", "name: other")).unwrap();
    assert_eq!(outcome(&reloader.attempt()), ("refused", "faulty"));
    fs::remove_file(site.path().join("site.yaml")).unwrap();
    assert_eq!(outcome(&reloader.attempt()), ("refused", "unreadable"));
    assert_eq!(reloader.active.get().unwrap().digest(), serving.digest());
}

#[test]
fn where_signatures_are_required_package_and_overlay_are_signed_each_for_itself() {
    let (dir, site) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = PrivateKey::new("clinic.example", &[1; 32]).unwrap();
    let other = PrivateKey::new("elsewhere.example", &[2; 32]).unwrap();
    let trust = Trust::new(vec![key.public()], None).unwrap();
    let origin = Origin { rules: Some(dir.path().to_owned()), overlay: Some(site.path().to_owned()) };
    let mut reloader = Reloader::new(origin, Some(trust), Active::new());
    let mut told = |expected: &str, message: &str| {
        let attempt = reloader.attempt();
        assert_eq!(attempt.outcome.reason().unwrap_or(attempt.outcome.word()), expected, "{attempt:?}");
        assert!(attempt.message.starts_with(message), "{}", attempt.message);
    };
    write(dir.path(), "1.2.0", "");
    overlay(site.path(), "3.0.0", "480 ms");
    told("unsigned", "package: not signed");
    sign(dir.path(), &key);
    told("unsigned-overlay", "overlay: not signed");
    sign(site.path(), &other);
    told("unknown-key", "overlay: ");
    sign(site.path(), &key);
    told("activated", "");
    overlay(site.path(), "2.9.0", "470 ms");
    told("tampered-file", "overlay: `site.yaml` differs");
    sign(site.path(), &key);
    told("rolled-back", "overlay north: version 2.9.0 is older than 3.0.0");
    // A package is no overlay, whoever signed it.
    fs::remove_file(site.path().join("site.yaml")).unwrap();
    for name in ["base.yaml", SIGNATURE] {
        fs::copy(dir.path().join(name), site.path().join(name)).unwrap();
    }
    told("faulty", "overlay/base.yaml:2:1: an overlay has no section `package`");
    fs::remove_file(site.path().join("base.yaml")).unwrap();
    overlay(site.path(), "3.1.0", "470 ms");
    sign(site.path(), &key);
    write(dir.path(), "1.1.0", "");
    sign(dir.path(), &key);
    told("rolled-back", "package small: version 1.1.0 is older than 1.2.0");
    write(dir.path(), "1.3.0", "");
    sign(dir.path(), &key);
    told("activated", "");
}

#[test]
fn an_overlay_of_the_package_in_the_binary_is_signed_alone() {
    let site = tempfile::tempdir().unwrap();
    let head = "{name: north, version: 1.0.0, title: North, developer: North, base: concord-core}";
    fs::write(site.path().join("site.yaml"), format!("overlay: {head}\n")).unwrap();
    let key = PrivateKey::new("clinic.example", &[1; 32]).unwrap();
    let trust = Trust::new(vec![key.public()], None).unwrap();
    let origin = Origin { rules: None, overlay: Some(site.path().to_owned()) };
    let mut reloader = Reloader::new(origin, Some(trust), Active::new());
    assert_eq!(outcome(&reloader.attempt()), ("refused", "unsigned-overlay"));
    sign(site.path(), &key);
    let attempt = reloader.attempt();
    assert_eq!(outcome(&attempt), ("activated", ""), "{attempt:?}");
}
