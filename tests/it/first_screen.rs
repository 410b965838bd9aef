//! The first screen of a page carries what must not be missed: of every case of the package, and of the cases beside it.

use std::path::Path;
use std::process::Command;

use concord::cli::page::{PageStyle, SCREEN, first_screen, render};
use concord::deck::Deck;
use concord::engine::decision::{Answer, Exclusion, Explain, Severity, Urgency};
use concord::ruleset;
use serde_json::Value;

use super::cases::{DECK, SHIPPED, read};

const COLUMNS: usize = 80;

/// The cases beside the project, where they are.
const SHARED: &str = "../shared/cases";

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn answers(deck: &Deck) -> impl Iterator<Item = (&str, Answer)> {
    deck.cases.iter().filter_map(|case| {
        let evaluation = case.evaluation.as_ref()?;
        let (answer, _) = SHIPPED.engine().weigh(&evaluation.patient, &evaluation.as_of, Explain::Standard);
        Some((case.id.as_str(), answer))
    })
}

/// Looks at each answer's first screen; returns the most lines that one has.
fn hold(deck: &Deck) -> usize {
    let style = PageStyle { width: COLUMNS, ..PageStyle::of(&SHIPPED) };
    let (mut most, mut seen) = (0, 0);
    for (case, answer) in answers(deck) {
        let screen = first_screen(&answer, &style);
        assert!(render(&answer, &style).starts_with(&screen.text), "{case}: the page begins with its first screen");
        let (head, less) = screen.text.split_once("\n\nLess urgent:").unwrap_or((&screen.text, ""));
        let musts = flat(head);
        for alert in &answer.alerts {
            if alert.severity >= Severity::High || alert.urgency >= Urgency::SameDay {
                assert!(musts.contains(&flat(&alert.title)), "{case}: {}\n{}", alert.id, screen.text);
                seen += 1;
            }
        }
        let whole = flat(&screen.text);
        for component in answer.recommendations.iter().flat_map(|approach| &approach.components) {
            // Who reads no further knows that what is in use must not end abruptly.
            if let Some(handling) = &component.handling {
                assert!(whole.contains(&flat(handling)), "{case}: {}\n{}", component.code, screen.text);
            }
            if component.exclusion >= Exclusion::VerifyFirst {
                let word =
                    if component.exclusion == Exclusion::VerifyFirst { "VERIFY FIRST" } else { "CONTRAINDICATED" };
                let named = musts.split(word).skip(1).any(|after| after.contains(&flat(&component.title)));
                assert!(named, "{case}: {}\n{}", component.code, screen.text);
                seen += 1;
            }
        }
        assert!(screen.last <= screen.text.lines().count() && !less.contains("CRITICAL"), "{case}");
        for wanted in ["\nOpioid use disorder: ", "\nNot to be missed\n", "\nThe whole page: "] {
            assert!(screen.text.contains(wanted), "{case}: {wanted}");
        }
        assert!(screen.text.lines().all(|line| line.chars().count() <= COLUMNS), "{case}\n{}", screen.text);
        most = most.max(screen.text.lines().count());
    }
    assert!(seen > deck.cases.len() / 2, "{seen} items of {} cases", deck.cases.len());
    most
}

#[test]
fn of_every_case_of_the_package_it_carries_what_must_not_be_missed() {
    let most = hold(&DECK);
    assert!(most <= SCREEN, "{most} lines");
}

#[test]
fn of_the_shared_cases_it_carries_what_must_not_be_missed() {
    // They stand beside the project and not in it.
    if Path::new(SHARED).exists() {
        let most = hold(&read(ruleset::case_files(Path::new(SHARED)).expect("readable cases")));
        assert!(most <= SCREEN, "{most} lines");
    }
}

fn evaluate(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["evaluate", "--case", "tour-suicidal", "--case", "tour-naltrexone"])
        .args(arguments)
        .env("COLUMNS", COLUMNS.to_string())
        .output()
        .expect("the built binary runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What clients get as JSON and what is read at the screen name the same.
#[test]
fn the_alerts_of_the_json_answer_are_on_the_printed_screen() {
    let (json, printed) = (evaluate(&["--format", "json"]), evaluate(&["--first-screen"]));
    let screens: Vec<&str> = printed.split("\n----\n\n").collect();
    assert_eq!((json.lines().count(), screens.len()), (2, 2));
    let mut named = 0;
    for (line, screen) in json.lines().zip(screens) {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        let screen = flat(screen);
        for alert in answer["alerts"].as_array().expect("alerts") {
            let urgent = ["HIGH", "CRITICAL"].iter().any(|word| alert["severity"] == *word)
                || ["IMMEDIATE", "SAME_DAY"].iter().any(|word| alert["urgency"] == *word);
            if urgent {
                assert!(screen.contains(alert["title"].as_str().expect("a title")), "{alert}: {screen}");
                named += 1;
            }
        }
        let approaches = answer["recommendations"].as_array().expect("recommendations");
        for component in approaches.iter().flat_map(|one| one["components"].as_array().expect("components")) {
            if ["CONTRAINDICATED", "VERIFY_FIRST"].iter().any(|word| component["standing"] == *word) {
                assert!(screen.contains(component["title"].as_str().expect("a title")), "{component}: {screen}");
                named += 1;
            }
        }
    }
    assert!(named >= 4, "{named}");
}

#[test]
fn a_case_that_is_not_there_is_told_with_the_nearest() {
    let output = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["evaluate", "--case", "tour-suicide"])
        .output()
        .expect("the built binary runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the package has no case `tour-suicide`; did you mean `tour-suicidal`?"), "{said}");
}
