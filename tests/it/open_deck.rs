//! The deck as others use it: every case says when, what and why, the export holds it whole, and its page counts right.

use std::process::Command;

use concord::deck::{FORMAT, export};
use serde_json::Value;

use super::cases::DECK;

const PAGE: &str = "rules/cases/README.md";
const BEFORE: &str = "concord rules cases\n```\n\n<!-- output -->\n```text\n";
const AFTER: &str = "```\n<!-- end -->";

fn cases(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    let output = command.args(["rules", "cases"]).args(arguments).output().expect("the built binary runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn every_case_says_when_what_and_why() {
    let written = export(&DECK).expect("a deck that can be written");
    assert_eq!(written.len(), DECK.cases.len());
    for (whole, case) in written.iter().zip(&DECK.cases) {
        let words = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
        assert_eq!(whole["id"], *case.id);
        assert!(words(&whole["as_of"]) && words(&whole["kind"]) && words(&whole["source"]["title"]), "{}", case.id);
        assert!(case.labeled && whole["expect"].as_object().is_some_and(|expect| !expect.is_empty()), "{}", case.id);
        let why = [&whole["reason"], &whole["summary"], &whole["topic"]["summary"]];
        assert!(why.into_iter().any(words), "{}: neither a reason nor a summary", case.id);
        assert_eq!(whole["patient"], case.patient, "{}", case.id);
    }
}

#[test]
fn a_case_of_a_table_is_written_with_what_its_head_says() {
    let all: Value = serde_json::from_str(&cases(&[
        "tests/deck/package/cases",
        "--rules",
        "tests/deck/package",
        "--format",
        "json",
    ]))
    .expect("JSON");
    assert_eq!((&all["format"], &all["license"]), (&Value::from(FORMAT), &Value::from("Apache-2.0")));
    let cases = all["cases"].as_array().expect("cases");
    let case = cases.iter().find(|case| case["id"] == "qtc-at-the-limit").expect("the case");
    assert!(case["patient"]["diagnoses"].is_array() && case["patient"]["observations"].is_array(), "{case}");
    assert!(case["tags"].as_array().expect("tags").contains(&"qtc".into()), "{case}");
    assert!(
        case["source"].is_object() && case["file"].as_str().is_some_and(|file| file.ends_with("qtc.yaml")),
        "{case}"
    );
}

#[test]
fn the_page_of_the_deck_counts_what_is_there() {
    let page = std::fs::read_to_string(PAGE).expect("the page");
    let (head, rest) = page.split_once(BEFORE).expect("the command and its output");
    let (shown, tail) = rest.split_once(AFTER).expect("an end");
    let printed = cases(&[]);
    if std::env::var("TUTORIAL").is_ok_and(|wish| wish == "write") {
        std::fs::write(PAGE, format!("{head}{BEFORE}{printed}{AFTER}{tail}")).expect("a page that can be written");
    } else {
        assert_eq!(shown, printed, "TUTORIAL=write cargo test --test it open_deck");
    }
}
