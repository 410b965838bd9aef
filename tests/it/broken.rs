//! Packages with a fault each: the diagnostics are snapshots, since people
//! read them. A package that doesn't check never serves.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn concord(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the built binary runs")
}

/// A copy of the small package with the files of one fault.
fn package(fault: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::copy("tests/broken/base.yaml", dir.path().join("base.yaml")).expect("the base");
    for file in files(&Path::new("tests/broken").join(fault)) {
        std::fs::copy(&file, dir.path().join(file.file_name().expect("a name"))).expect("a copy");
    }
    dir
}

fn files(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}

fn faults() -> Vec<String> {
    let dirs = files(Path::new("tests/broken")).into_iter().filter(|path| path.is_dir());
    let mut names: Vec<String> =
        dirs.map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_small_package_checks() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::copy("tests/broken/base.yaml", dir.path().join("base.yaml")).expect("the base");
    let output = concord(&["rules", "check", "."], dir.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_fault_is_shown_where_it_is_with_what_to_write_instead() {
    let faults = faults();
    assert!(faults.len() >= 10);
    for fault in faults {
        let output = concord(&["rules", "check", "."], package(&fault).path());
        assert_eq!(output.status.code(), Some(2), "{fault}");
        assert!(output.stdout.is_empty(), "{fault}");
        insta::assert_snapshot!(fault.clone(), String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn faults_are_shown_as_json_too() {
    let output = concord(&["rules", "check", ".", "--format", "json"], package("unknown-name").path());
    let diagnostics: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(diagnostics[0]["code"], "unknown-name");
    assert_eq!((&diagnostics[0]["file"], &diagnostics[0]["line"]), (&"rules.yaml".into(), &4.into()));
}

#[test]
fn a_package_with_a_fault_never_serves() {
    for fault in ["unknown-key", "cycle", "not-yaml"] {
        let dir = package(fault);
        let output = concord(&["serve", "--rules", ".", "--set", "server.grpc_addr=127.0.0.1:0"], dir.path());
        assert_eq!(output.status.code(), Some(2), "{fault}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("rules.yaml:"), "{fault}: {told}");
    }
}

#[test]
fn what_is_no_package_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let told = |name: &str| {
        let output = concord(&["rules", "check", name], dir.path());
        assert_eq!(output.status.code(), Some(2), "{name}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(told("absent").contains("absent"));
    std::fs::create_dir(dir.path().join("empty")).expect("a folder");
    assert!(told("empty").contains("no file named *.yaml"));
    std::fs::create_dir(dir.path().join("latin")).expect("a folder");
    std::fs::write(dir.path().join("latin/a.yaml"), b"package: {title: \xe9}").expect("a file");
    assert!(told("latin").contains("not UTF-8 at byte 17"));
}

#[test]
fn a_file_that_is_no_yaml_is_the_only_thing_that_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("package.yaml"), "package:\n\tname: x\n").expect("a file");
    let output = concord(&["rules", "check", ".", "--format", "json"], dir.path());
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let codes: Vec<&str> = told.as_array().expect("a list").iter().filter_map(|one| one["code"].as_str()).collect();
    assert_eq!((output.status.code(), codes), (Some(2), vec!["yaml"]));
}

/// A number beyond what can be reckoned with is refused, and ends nothing.
#[test]
fn a_number_too_large_to_reckon_with_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let base = std::fs::read_to_string("tests/broken/base.yaml").expect("the small package");
    std::fs::write(dir.path().join("base.yaml"), base).expect("a file");
    let huge = "79228162514264337593543950335";
    let text = format!(
        "scales:\n- {{id: s, title: s, observation: qtc-interval, range: [0, {huge}], step: 0.0000000000000000000000000001, \
         bands: [{{id: b, title: b, from: {huge}}}]}}\ndefinitions:\n- {{id: d, title: d, when: {{observation: \
         qtc-interval, at_least: {huge} ULN}}}}\n"
    );
    std::fs::write(dir.path().join("rules.yaml"), text).expect("a file");
    let output = concord(&["rules", "check", "."], dir.path());
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("malformed-number") && !told.contains("panicked"), "{told}");
}
