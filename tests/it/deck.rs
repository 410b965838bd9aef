//! `concord rules test`: what it prints, what it refuses, and what it says of a
//! small package whose coverage and mutants were worked out by hand.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const CASES: &str = "tests/deck/package/cases";

fn test(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args(["rules", "test"]).args(arguments);
    if !arguments.contains(&"--rules") {
        command.args(["--rules", "tests/deck/package"]);
    }
    command.output().expect("the built binary runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(arguments: &[&str]) -> Value {
    let output = test(&[arguments, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

#[test]
fn the_cases_of_a_package_are_those_in_its_folder() {
    let output = test(&[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = said(&output);
    assert!(said.starts_with("4 cases: 4 passed, 0 failed, 1 without an expectation  (small 1.0.0, sha256 "), "{said}");
}

#[test]
fn a_case_that_fails_says_what_differs() {
    let output = test(&["tests/deck/faulty/wrong.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(without_digest(&said(&output)));
}

/// The digest changes with every release of the code tables.
fn without_digest(text: &str) -> String {
    text.lines().map(|line| line.split(", sha256 ").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn junit_names_every_case_and_what_failed() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("junit.xml");
    let output = test(&[CASES, "tests/deck/faulty", "--junit", file.to_str().expect("a path")]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(std::fs::read_to_string(file).expect("the report"));
}

#[test]
fn cases_are_chosen_by_rule_tag_and_id() {
    let ids = |arguments: &[&str]| -> Vec<String> {
        let report = json(arguments);
        let cases = report["cases"].as_array().expect("cases").iter();
        cases.map(|case| case["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(&["--tag", "qtc"]), ["qtc-at-the-limit", "qtc-shorter", "qtc-not-measured"]);
    assert_eq!(ids(&["--id", "waits"]), ["waits"]);
    assert_eq!(ids(&["--rule", "methadone-qtc-long"]), ["qtc-at-the-limit", "qtc-shorter", "qtc-not-measured"]);
    let output = test(&["--rule", "methadone-qtc-lon"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `methadone-qtc-long`?"), "{output:?}");
}

#[test]
fn sizes_are_those_of_the_answers() {
    let report = json(&["--sizes"]);
    let sizes = &report["sizes"];
    assert_eq!((&sizes["answers"], &sizes["columns"]), (&Value::from(4), &Value::from(80)));
    let measures = sizes["measures"].as_array().expect("measures");
    let of = |name: &str| measures.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}"));
    // One of the four has the long interval.
    assert_eq!(of("components contraindicated")["maximum"], 1);
    assert_eq!(of("components contraindicated")["case"], "qtc-at-the-limit");
    assert_eq!(of("components contraindicated")["median"], 0);
    assert!(of("lines of the page")["median"].as_u64() > of("lines of the first screen")["median"].as_u64());
    let printed = said(&test(&["--sizes", "--id", "waits"]));
    assert!(printed.starts_with("sizes of 1 answers, pages of 80 columns\n"), "{printed}");
}

/// Worked out by hand: all three patients have the disorder, so that no case
/// shows what happens without it, nor with it unknown.
#[test]
fn coverage_is_what_it_is_by_hand() {
    let report = json(&["--coverage"]);
    let coverage = &report["coverage"];
    assert_eq!(coverage["cases"], 3, "the case without an expectation shows nothing");
    let cases = |goal: &Value| goal["cases"].as_u64().unwrap_or(99);
    let (offer, long) = (&coverage["rules"][0], &coverage["rules"][1]);
    assert_eq!([cases(&offer["fires"]), cases(&offer["nearMiss"]), cases(&offer["unknown"])], [3, 0, 0]);
    assert_eq!([cases(&long["fires"]), cases(&long["nearMiss"]), cases(&long["unknown"])], [1, 1, 1]);
    let clause = |one: &Value| [cases(&one["holds"]), cases(&one["keeps"]), cases(&one["unknown"])];
    assert_eq!(clause(&offer["clauses"][0]), [3, 0, 99]);
    assert_eq!(clause(&long["clauses"][0]), [1, 0, 0]);
    assert_eq!(clause(&long["clauses"][1]), [1, 2, 1]);
    assert_eq!(long["fires"]["first"], "qtc-at-the-limit");
}

#[test]
fn the_coverage_that_people_read_names_what_is_missing() {
    insta::assert_snapshot!(without_digest(&said(&test(&["--coverage"]))));
}

/// What no truth values of the facts can show is not missing.
#[test]
fn what_is_out_of_reach_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string("tests/deck/package/rules.yaml").expect("the package");
    let known = "{all: [{known: {diagnosis: opioid-use-disorder}}, {diagnosis: opioid-use-disorder}]}";
    let text = text.replace("when: oud-present\n", &format!("when: {known}\n"));
    std::fs::write(dir.path().join("rules.yaml"), text).expect("a package");
    let rules = dir.path().to_str().expect("a path");
    let report = json(&["--rules", rules, CASES, "--coverage", "--rule", "methadone-offer"]);
    let rule = &report["coverage"]["rules"][0];
    assert!(rule["unknown"]["unreachable"] == true, "{rule:#}");
    assert!(rule["clauses"][0]["keeps"]["unreachable"] == true, "{rule:#}");
    assert!(rule["clauses"][1]["keeps"]["unreachable"].is_null(), "{rule:#}");
}

#[test]
fn mutants_are_killed_or_survive_as_by_hand() {
    let report = json(&["--mutate"]);
    let mutants = report["mutation"]["mutants"].as_array().expect("mutants");
    let fate = |change: &str| {
        let found = mutants.iter().find(|one| one["change"] == change);
        found.unwrap_or_else(|| panic!("{change}: {mutants:#?}"))["fate"].as_str().expect("a fate").to_owned()
    };
    // A QTc of 500 no longer counts.
    assert_eq!(fate("`$qtc_limit`: 500 ms made 501 ms"), "killed");
    // No case has a QTc of 499.
    assert_eq!(fate("`$qtc_limit`: 500 ms made 499 ms"), "survived");
    assert_eq!(fate("at_least 500 made above it"), "killed");
    // The results are four days old.
    assert_eq!(fate("the window: 90 days made 89"), "survived");
    assert_eq!(fate("the window dropped"), "survived");
    // Every patient has the disorder.
    assert_eq!(fate("part 1 of 2 dropped"), "survived");
    assert_eq!(fate("part 2 of 2 dropped"), "killed");
    assert_eq!(fate("`all` made `any`"), "killed");
    assert_eq!(fate("contraindicate made caution"), "killed");
    assert_eq!(fate("unknown: verify made request"), "killed");
    assert_eq!(fate("ICD-10-CM F11.20 dropped"), "killed");
    assert_eq!(fate("LOINC 8636-3 dropped"), "killed");
}

#[test]
fn mutation_does_not_depend_on_the_number_of_threads() {
    assert_eq!(json(&["--mutate", "--jobs", "1"]), json(&["--mutate", "--jobs", "3"]));
    let sample = json(&["--mutate", "--sample", "5"]);
    assert_eq!(sample["mutation"]["tried"], 5);
    assert_eq!(sample, json(&["--mutate", "--sample", "5"]));
    assert_ne!(sample, json(&["--mutate", "--sample", "5", "--seed", "1"]));
}

#[test]
fn too_few_mutants_killed_is_a_failure() {
    let report = json(&["--mutate"]);
    let share = report["mutation"]["mutants"].as_array().expect("mutants").iter();
    let of = |fate: &str| share.clone().filter(|one| one["fate"] == fate).count();
    let killed = of("killed") * 100 / (of("killed") + of("survived"));
    assert_eq!(test(&["--mutate", "--killed", &killed.to_string()]).status.code(), Some(0));
    let output = test(&["--mutate", "--killed", &(killed + 1).to_string()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--killed"), "{output:?}");
    assert_eq!(test(&["--killed", "90"]).status.code(), Some(2), "nothing was changed");
}

#[test]
fn nothing_in_a_case_is_skipped() {
    let dir = tempfile::tempdir().expect("a folder");
    let case = "id: wrong\ntitle: What is not known\nsauce: {}\nsource: {title: one}\nkind: guideline-constructed\n\
                as_of: 2026-06-01\npatient: {agee: 40}\nexpect:\n  rules: {fires: [methadone-qtc-lng], silnt: []}\n  \
                components: {standing: [{component: methadon, is: recommended}, {component: methadone, is: forbidden}]}\n  \
                alerts: {must: [{category: contraindication, about: [QTc]}]}\n";
    std::fs::write(dir.path().join("wrong.yaml"), case).expect("a case");
    let output = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["rules", "test", "wrong.yaml", "--rules"])
        .arg(Path::new("tests/deck/package").canonicalize().expect("the package"))
        .current_dir(dir.path())
        .output()
        .expect("the built binary runs");
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr));
}

/// Suggestions are a table that the runner reads, and that shows nothing until
/// it is labeled; what is there is not written over.
#[test]
fn suggested_patients_show_what_is_missing() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().to_str().expect("a path");
    let output = test(&["--suggest", folder]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = std::fs::read_to_string(dir.path().join("suggested.yaml")).expect("the table");
    assert!(text.contains("# What must be said of methadone-offer here?\n#   it is false"), "{text}");
    let report = json(&[folder]);
    assert_eq!((&report["failed"], &report["cases"][0]["labeled"]), (&0.into(), &false.into()));
    assert_eq!(test(&["--suggest", folder]).status.code(), Some(2));
}
