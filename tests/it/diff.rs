//! `concord rules diff`: refactorings are proven equal, and of a change exactly the patients that it concerns are shown.

use std::path::Path;
use std::process::{Command, Output};

use concord::analysis::catalog::Catalog;
use concord::analysis::diff::{implied, ruled_out};
use concord::analysis::logic::Logic;
use concord::ruleset::Ruleset;
use concord::ruleset::diff::{Diff, between};
use serde_json::{Value, json};

/// The files of a package, by name and text.
type Files = Vec<(String, String)>;

fn small() -> Files {
    vec![("package.yaml".to_owned(), std::fs::read_to_string("tests/diff/package.yaml").expect("the small package"))]
}

/// The shipped package.
fn shipped() -> Files {
    let mut files = Files::new();
    let mut folders = vec![Path::new("rules").to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("cases") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&path).expect("a file");
                files.push((path.display().to_string(), text));
            }
        }
    }
    files
}

/// The files with one text in place of another, which stands there once.
fn edited(files: &Files, from: &str, to: &str) -> Files {
    let count: usize = files.iter().map(|(_, text)| text.matches(from).count()).sum();
    assert_eq!(count, 1, "{from}");
    files.iter().map(|(name, text)| (name.clone(), text.replace(from, to))).collect()
}

fn added(files: &Files, text: &str) -> Files {
    let mut files = files.clone();
    files.push(("added.yaml".to_owned(), text.to_owned()));
    files
}

fn ruleset(files: &Files) -> Ruleset {
    Ruleset::from_files(files.clone()).unwrap_or_else(|error| panic!("{error}"))
}

fn diff(old: &Files, new: &Files) -> Diff {
    between(&ruleset(old), &ruleset(new))
}

/// What the small package changes with one edit, in lines; every example is confirmed.
fn changes(from: &str, to: &str) -> Vec<String> {
    lines(&diff(&small(), &edited(&small(), from, to)))
}

fn lines(found: &Diff) -> Vec<String> {
    let mut lines = Vec::new();
    for example in &found.examples {
        assert!(example.unconfirmed.is_empty(), "{:?}", example.unconfirmed);
        assert!(!example.entry.changes.is_empty());
        let facts = example.entry.condition.as_ref().map(|condition| condition.facts.join(" and "));
        for change in &example.entry.changes {
            let subject = &change.subject;
            lines.push(format!(
                "{subject}: {} -> {} when {}",
                subject.value(&change.old),
                subject.value(&change.new),
                facts.as_deref().unwrap_or("(not known)")
            ));
        }
    }
    lines
}

fn has(lines: &[String], line: &str) {
    assert!(lines.iter().any(|one| one == line), "no line `{line}` in {lines:#?}");
}

fn is_proven_equal(old: &Files, new: &Files) {
    let found = diff(old, new);
    assert!(found.equal, "{:#?} {:?}", lines(&found), found.unproven);
    assert!(found.examples.is_empty() && found.wording.is_empty(), "{:?}", found.wording);
}

#[test]
fn the_shipped_package_equals_its_refactorings() {
    let files = shipped();
    let refactorings: [(&str, &str, &str); 7] = [
        (
            "the order of a group",
            "when: {all: [agonist-known-current, {diagnosis: [head-injury-tbi, raised-intracranial-pressure, intracranial-lesion]}]}",
            "when: {all: [{diagnosis: [head-injury-tbi, raised-intracranial-pressure, intracranial-lesion]}, agonist-known-current]}",
        ),
        (
            "a definition put in its place",
            "when: {all: [oud-present, {diagnosis: opioid-use-disorder-moderate-severe}]}",
            "when: {all: [{diagnosis: opioid-use-disorder}, {diagnosis: opioid-use-disorder-moderate-severe}]}",
        ),
        (
            "a negation twice",
            "when: {all: [agonist-known-current, {diagnosis: [head-injury-tbi, raised-intracranial-pressure, intracranial-lesion]}]}",
            "when: {not: {not: {all: [agonist-known-current, {diagnosis: [head-injury-tbi, raised-intracranial-pressure, intracranial-lesion]}]}}}",
        ),
        (
            "not any for none",
            "when: {all: [oud-in-remission, {not: oud-present}]}",
            "when: {all: [oud-in-remission, {none: [oud-present]}]}",
        ),
        (
            "a clause twice",
            "when: {all: [agonist-known-current, {diagnosis: [head-injury-tbi, raised-intracranial-pressure, intracranial-lesion]}]}",
            "when: {all: [agonist-known-current, {diagnosis: [head-injury-tbi, raised-intracranial-pressure, intracranial-lesion]}, agonist-known-current]}",
        ),
        (
            "a group in a group",
            "when: {all: [oud-possible, {not: oud-present-known}, {not: oud-in-remission-known}]}",
            "when: {all: [{all: [oud-possible, {not: oud-present-known}]}, {not: oud-in-remission-known}]}",
        ),
        (
            "De Morgan",
            "when: {all: [oud-possible, {not: oud-present-known}, {not: oud-in-remission-known}]}",
            "when: {not: {any: [{not: oud-possible}, oud-present-known, oud-in-remission-known]}}",
        ),
    ];
    for (what, from, to) in refactorings {
        println!("{what}");
        is_proven_equal(&files, &edited(&files, from, to));
    }
    // A definition by another name, everywhere.
    let renamed = files.iter().map(|(name, text)| (name.clone(), text.replace("methadone-in-play", "on-methadone")));
    is_proven_equal(&files, &renamed.collect());
    // The order of rules and files.
    let turned = files.iter().rev().map(|(name, text)| (format!("z/{name}"), turned(text)));
    is_proven_equal(&files, &turned.collect());
}

/// A file with its rules in the opposite order.
fn turned(text: &str) -> String {
    let Some((head, rules)) = text.split_once("\nrules:\n- ") else { return text.to_owned() };
    let mut rules: Vec<&str> = rules.trim_end().split("\n- id:").collect();
    let first = rules[0].strip_prefix("id:").expect("a rule begins with its id");
    rules[0] = first;
    rules.reverse();
    format!("{head}\nrules:\n- id:{}\n", rules.join("\n- id:"))
}

#[test]
fn of_a_moved_threshold_the_patients_between_are_shown() {
    let lines = changes("value: 500 ms", "value: 480 ms");
    has(
        &lines,
        "methadone: start or continue: recommended -> start or continue: contraindicated, offer recommend when opioid use \
         disorder, active and QTc interval at least 480 and below 500 ms within 90 days",
    );
    let beyond = lines.iter().filter(|line| !line.contains("QTc interval at least 480 and below 500 ms"));
    let beyond: Vec<&String> = beyond.filter(|line| !line.starts_with("missing facts")).collect();
    assert!(beyond.is_empty(), "{beyond:#?}");
    let values = diff(&small(), &edited(&small(), "value: 500 ms", "value: 480 ms"));
    for example in values.examples.iter().filter(|example| example.entry.condition.is_some()) {
        let value = example.entry.record.request()["patient"]["observations"][0]["value"].clone();
        assert!(value.as_f64().is_none_or(|value| (480.0..500.0).contains(&value)), "{value}");
    }
}

#[test]
fn literal_thresholds_and_windows_are_shown_by_what_lies_between() {
    let lines = changes("within: 4 hours, below: 8}", "within: 4 hours, below: 11}");
    has(
        &lines,
        "buprenorphine: start or continue: consider -> start or continue: caution, offer consider when opioid use \
         disorder, active and last opioid use within 7 days and COWS at least 8 and below 11 within 4 hours",
    );
    let lines = changes("event: overdose, within: 12 months", "event: overdose, within: 6 months");
    has(
        &lines,
        "alert overdosed: raised (overdose-risk, high, same-day) -> not raised when overdose within 12 months, not \
         within 6 months",
    );
}

#[test]
fn a_code_taken_from_a_value_set_shows_the_patients_with_it() {
    let found = diff(&small(), &edited(&small(), "[F11.10, F11.20]", "[F11.20]"));
    let lines = lines(&found);
    has(&lines, "methadone: start or continue: recommended -> not listed when opioid use disorder, active");
    assert!(found.examples.iter().all(|one| one.entry.record.request().to_string().contains("F11.10")));
}

#[test]
fn rules_that_come_and_go_are_shown() {
    let rule = "rules:\n- id: new\n  title: New\n  alert: {category: monitoring, severity: low, urgency: routine}\n  when: \
                {diagnosis: long-qt-syndrome}\n  statement: An ECG.\n  strength: strong\n  verification: primary\n  \
                review_by: 2027-11-22\n  evidence: [{source: chou-2014, place: recommendations}]\n";
    let line = |a: &str, b: &str| format!("alert new: {a} -> {b} when long QT syndrome, active");
    let raised = "raised (monitoring, low, routine)";
    has(&lines(&diff(&small(), &added(&small(), rule))), &line("not raised", raised));
    has(&lines(&diff(&added(&small(), rule), &small())), &line(raised, "not raised"));
    let retired = added(&small(), &rule.replace("  title: New", "  status: retired\n  title: New"));
    has(&lines(&diff(&added(&small(), rule), &retired)), &line(raised, "not raised"));
}

#[test]
fn what_a_rule_concludes_is_compared() {
    let lines = changes(
        "alert: {category: interaction, severity: high, urgency: prompt}",
        "alert: {category: interaction, severity: moderate, urgency: prompt}",
    );
    assert_eq!(
        lines,
        [
            "alert sedatives: raised (interaction, high, prompt) -> raised (interaction, moderate, prompt) when methadone, \
          current and benzodiazepine, current"
        ]
    );
    let lines = changes("action: [start, continue]", "action: start");
    has(
        &lines,
        "methadone: continue: caution, not offered, no abrupt stop -> continue: listed, not offered when methadone, current \
         and long QT syndrome, active",
    );
    let lines = changes(
        "within: 90 days, at_least: $qtc_limit, as: ecg}\n  unknown: request",
        "within: 90 days, at_least: $qtc_limit, as: ecg}\n  unknown: verify",
    );
    has(
        &lines,
        "methadone: start or continue: recommended -> start or continue: verify first, offer recommend when opioid use \
         disorder, active",
    );
}

#[test]
fn a_rule_that_no_longer_outranks_another_is_shown() {
    let outranks = edited(&small(), "An ECG before methadone.", "An ECG before methadone.\n  outranks: [qtc-high]");
    let lines = lines(&diff(&outranks, &small()));
    has(
        &lines,
        "methadone: start or continue: caution, offer recommend -> start or continue: contraindicated, offer recommend when \
         opioid use disorder, active and long QT syndrome, active and QTc interval at least 500 ms within 90 days",
    );
}

#[test]
fn a_statement_in_other_words_changes_no_advice() {
    let found = diff(&small(), &edited(&small(), "Both slow breathing.", "Both drugs slow breathing."));
    assert!(found.equal && found.examples.is_empty());
    let wording: Vec<_> = found.wording.iter().map(|one| (one.kind, one.id.as_str(), one.parts.join(" "))).collect();
    assert_eq!(wording, [("rule", "sedatives", "statement".to_owned())]);
}

#[test]
fn codes_that_one_package_alone_lists_keep_equality_from_being_claimed() {
    let found = diff(&small(), &edited(&small(), "loinc: [8636-3]", "loinc: [8636-3, 8634-8]"));
    assert_eq!(found.listed_once, ["LOINC 8634-8"]);
    assert!(!found.equal);
}

/// Equality is proven with them, so that a wrong one would prove too much.
#[test]
fn what_one_fact_implies_of_another_holds_for_every_record_of_the_catalog() {
    let ruleset = Ruleset::embedded().expect("the shipped package");
    let catalog = Catalog::new(&[ruleset.side()]);
    let mut logic = Logic::new();
    let space = catalog.assert(&mut logic);
    let atoms = space.atoms(0).to_vec();
    let facts = &ruleset.program().atoms;
    let (implied, ruled_out) = (implied(facts), ruled_out(facts));
    assert!(!implied.is_empty() && !ruled_out.is_empty());
    for (a, b) in implied {
        let (first, second) = (atoms[a.at()], atoms[b.at()]);
        let [a, b] = [a, b].map(|id| &facts[id.at()].text);
        assert!(logic.impossible(&[first.yes, !second.yes]), "{a} is true, {b} is not");
    }
    for (a, b) in ruled_out {
        let (first, second) = (atoms[a.at()], atoms[b.at()]);
        let [a, b] = [a, b].map(|id| &facts[id.at()].text);
        assert!(logic.impossible(&[second.no, !first.no]), "{b} is false, {a} is not");
    }
}

/// The packages as folders, and a cohort.
fn command(new: &Files, cohort: Option<&[Value]>, format: &str) -> Output {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, files) in [("old", &small()), ("new", new)] {
        std::fs::create_dir(dir.path().join(name)).expect("a folder");
        for (file, text) in files {
            std::fs::write(dir.path().join(name).join(file), text).expect("a file");
        }
    }
    let mut arguments = vec!["rules", "diff", "old", "new", "--format", format];
    if let Some(cohort) = cohort {
        let text = cohort.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        std::fs::write(dir.path().join("cohort.ndjson"), text).expect("a file");
        arguments.extend(["--cohort", "cohort.ndjson", "--as-of", "2026-06-01"]);
    }
    Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(arguments)
        .current_dir(dir.path())
        .output()
        .expect("the built binary runs")
}

fn patient(id: &str, qtc: i32) -> Value {
    json!({
        "id": id,
        "diagnoses": [{"coding": [{"system": "ICD-10-CM", "code": "F11.20"}]}],
        "observations": [{
            "coding": [{"system": "LOINC", "code": "8636-3"}], "value": qtc, "unit": "ms", "effective": "2026-05-20",
        }],
    })
}

#[test]
fn of_a_cohort_exactly_those_between_the_thresholds_differ() {
    let cohort: Vec<Value> = (440..=540).map(|qtc| patient(&format!("qtc-{qtc}"), qtc)).collect();
    let new = edited(&small(), "value: 500 ms", "value: 480 ms");
    let output = command(&new, Some(&cohort), "json");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["cohort"]["patients"], 101);
    let ids = |list: &Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    };
    let expected: Vec<String> = (480..500).map(|qtc| format!("qtc-{qtc}")).collect();
    assert_eq!(ids(&told["cohort"]["differing"]), expected);
    // Above both thresholds the advice is the same, and the fact that it rests on is another.
    let above: Vec<String> = (500..=540).map(|qtc| format!("qtc-{qtc}")).collect();
    assert_eq!(ids(&told["cohort"]["reworded"]), above);
    let changes = told["cohort"]["changes"].as_array().expect("a list");
    let standing = changes.iter().find(|one| one["change"].as_str().expect("text").starts_with("methadone: "));
    assert_eq!(ids(&standing.expect("the standing changes")["patients"]), expected);
}

/// Digests cover the code tables and the semantics of the engine, and move with them.
fn without_digests(page: &[u8]) -> String {
    let hidden = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = String::from_utf8_lossy(page);
    words
        .split_inclusive(char::is_whitespace)
        .map(|word| if hidden(word.trim()) { "(digest)\n" } else { word })
        .collect()
}

#[test]
fn the_page_of_a_moved_threshold_is_read_by_people() {
    let new = edited(&small(), "value: 500 ms", "value: 480 ms");
    let cohort = [patient("below", 479), patient("between", 480), patient("above", 500)];
    let output = command(&new, Some(&cohort), "text");
    insta::assert_snapshot!("diff-threshold", without_digests(&output.stdout));
}

#[test]
fn the_page_of_other_words_is_read_by_people() {
    let output = command(&edited(&small(), "Both slow breathing.", "Both drugs slow breathing."), None, "text");
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!("diff-wording", without_digests(&output.stdout));
}

#[test]
fn what_is_no_package_or_no_cohort_is_unusable() {
    let concord = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_concord")).args(arguments).output().expect("the binary runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, told) = concord(&["rules", "diff", "embedded", "nowhere"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("nowhere"), "{told}");
    let (code, told) = concord(&["rules", "diff", "embedded", "embedded", "--cohort", "nowhere.json"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("nowhere.json"), "{told}");
}
