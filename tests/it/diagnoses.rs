//! What several entries of the list of diagnoses say together: which of them contest each other, and what follows for
//! a concept that unites several disorders.

use std::fmt::Write as _;

use concord::api::json;
use concord::api::limits::Limits;
use concord::api::request;
use concord::rule::truth::Truth::{self, False, True, Unknown};
use concord::ruleset::Ruleset;
use serde_json::{Value, json};

const PACKAGE: &str = "
concepts:
- {id: oud, kind: diagnosis, title: oud, includes: [mild, severe], remission: oud-remitted, relapsing: true}
- {id: mild, kind: diagnosis, title: mild, icd-10-cm: [F11.10]}
- {id: severe, kind: diagnosis, title: severe, icd-10-cm: [F11.20, F11.23]}
- {id: oud-remitted, kind: diagnosis, title: remitted, icd-10-cm: [F11.11, F11.21]}
- {id: withdrawal, kind: diagnosis, title: withdrawal, icd-10-cm: [F11.23]}
- {id: cocaine, kind: diagnosis, title: cocaine, icd-10-cm: [F14.20], remission: cocaine-remitted, relapsing: true}
- {id: cocaine-remitted, kind: diagnosis, title: remitted, icd-10-cm: [F14.21]}
- {id: substance, kind: diagnosis, title: substance, includes: [oud, cocaine]}
- {id: depression, kind: diagnosis, title: depression, icd-10-cm: [F32.1, F33.1], remission: depression-remitted}
- {id: depression-remitted, kind: diagnosis, title: remitted, icd-10-cm: [F32.5]}
- {id: dysthymia, kind: diagnosis, title: dysthymia, icd-10-cm: [F34.1]}
- {id: ptsd, kind: diagnosis, title: ptsd, icd-10-cm: [F43.10], includes: [ptsd-chronic], one_disorder: true}
- {id: ptsd-chronic, kind: diagnosis, title: chronic, icd-10-cm: [F43.12]}
- {id: anxiety, kind: diagnosis, title: anxiety, icd-10-cm: [F41.0, F41.1]}
- {id: mental, kind: diagnosis, title: mental, icd-10-cm: [F42.2], includes: [depression, dysthymia, ptsd, anxiety]}
- {id: agonist, kind: medication, title: agonist, rxnorm: ['6813']}
";

/// Truth of conditions for a patient with these diagnoses, each a code with what else is said of it.
fn truths(entries: &[(&str, Value)], more: &Value, conditions: &[&str]) -> Vec<Truth> {
    let base = std::fs::read_to_string("tests/broken/base.yaml").unwrap();
    let mut defined = String::new();
    for (at, condition) in conditions.iter().enumerate() {
        writeln!(defined, "- {{id: asked-{at}, title: asked, when: {condition}}}").unwrap();
    }
    let files =
        vec![("base.yaml".to_owned(), base), ("asked.yaml".to_owned(), format!("{PACKAGE}definitions:\n{defined}"))];
    let ruleset = Ruleset::from_files(files).unwrap_or_else(|error| panic!("{error}"));
    let diagnoses: Vec<Value> = entries
        .iter()
        .map(|(code, said)| {
            let mut entry = json!({"coding": [{"system": "ICD-10-CM", "code": code}]});
            entry.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
            entry
        })
        .collect();
    let mut patient = json!({"diagnoses": diagnoses});
    patient.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let body = json!({"patient": patient, "asOf": "2026-06-01T12:00:00Z"}).to_string();
    let wire = json::from_str(&body).unwrap();
    let read = request::read(wire, &Limits::default(), jiff::Timestamp::UNIX_EPOCH).unwrap();
    let (_, values) = ruleset.truths(&read.patient, &read.as_of);
    let definitions = &ruleset.program().definitions;
    (0..conditions.len())
        .map(|at| {
            let id = format!("asked-{at}");
            values.get(definitions.iter().find(|one| one.id == id).unwrap().node)
        })
        .collect()
}

fn hold(entries: &[(&str, Value)], expected: &[(&str, Truth)]) {
    hold_with(entries, &json!({}), expected);
}

fn hold_with(entries: &[(&str, Value)], more: &Value, expected: &[(&str, Truth)]) {
    let conditions: Vec<&str> = expected.iter().map(|(condition, _)| *condition).collect();
    let found = truths(entries, more, &conditions);
    let found: Vec<(&str, Truth)> = conditions.into_iter().zip(found).collect();
    assert_eq!(found, expected, "{entries:?}");
}

fn active() -> Value {
    json!({"clinicalStatus": "ACTIVE"})
}

fn said(status: &str, recorded: &str) -> Value {
    json!({"clinicalStatus": status, "recorded": recorded})
}

#[test]
fn remission_of_one_disorder_says_nothing_of_another() {
    for remission in [json!({"clinicalStatus": "REMISSION"}), said("REMISSION", "2026-05-01")] {
        hold(
            &[("F32.1", active()), ("F43.12", remission.clone())],
            &[
                ("{diagnosis: mental}", True),
                ("{diagnosis: depression}", True),
                ("{diagnosis: ptsd}", False),
                ("{diagnosis: mental, status: remission}", True),
                ("{diagnosis: mental, status: conflicting}", False),
                ("{diagnosis: mental, status: doubtful}", False),
            ],
        );
        // One concept can hold the codes of several disorders, and say of none that it is one.
        hold(&[("F41.1", active()), ("F41.0", remission.clone())], &[("{diagnosis: anxiety}", True)]);
        hold(&[("F42.2", active()), ("F43.12", remission.clone())], &[("{diagnosis: mental}", True)]);
        hold(&[("F34.1", active()), ("F32.5", remission)], &[("{diagnosis: mental}", True)]);
    }
    hold(
        &[("F14.20", active()), ("F11.21", said("REMISSION", "2026-05-01"))],
        &[
            ("{diagnosis: substance}", True),
            ("{diagnosis: oud}", False),
            ("{diagnosis: substance, status: remission}", True),
        ],
    );
}

#[test]
fn entries_on_one_disorder_contest_each_other_everywhere() {
    for (one, other) in [("F11.20", "F11.21"), ("F11.10", "F11.21")] {
        let (old, new) = (said("ACTIVE", "2024-01-01"), said("REMISSION", "2026-01-01"));
        hold(
            &[(one, old.clone()), (other, new)],
            &[
                ("{diagnosis: oud}", False),
                ("{diagnosis: [mild, severe]}", False),
                ("{diagnosis: substance}", False),
                ("{diagnosis: substance, status: remission}", True),
                ("{diagnosis: substance, status: conflicting}", True),
            ],
        );
        hold(
            &[(one, old), (other, said("REMISSION", "2023-01-01"))],
            &[("{diagnosis: [mild, severe]}", True), ("{diagnosis: substance, status: remission}", False)],
        );
    }
    // Same disorder by the codes for remission, by `one_disorder`, by the same code.
    for (one, other, whole) in [
        ("F32.1", "F32.5", "depression"),
        ("F33.1", "F32.1", "depression"),
        ("F43.12", "F43.10", "ptsd"),
        ("F41.1", "F41.1", "anxiety"),
    ] {
        for umbrella in [whole, "mental"] {
            let (is, was) =
                (format!("{{diagnosis: {umbrella}}}"), format!("{{diagnosis: {umbrella}, status: remission}}"));
            let doubtful = format!("{{diagnosis: {umbrella}, status: doubtful}}");
            let remission = json!({"clinicalStatus": "REMISSION"});
            hold(&[(one, active()), (other, remission)], &[(&is, Unknown), (&was, Unknown), (&doubtful, True)]);
            hold(
                &[(one, said("ACTIVE", "2025")), (other, said("REMISSION", "2026"))],
                &[(&is, False), (&was, True), (&doubtful, False)],
            );
        }
    }
    hold(
        &[("F43.12", said("ACTIVE", "2025")), ("F43.10", said("REMISSION", "2026"))],
        &[("{diagnosis: ptsd-chronic}", False)],
    );
}

#[test]
fn the_strongest_disorder_decides_of_an_umbrella() {
    let contested = [("F32.1", active()), ("F32.5", json!({})), ("F43.12", active())];
    hold(&contested, &[("{diagnosis: mental}", True), ("{diagnosis: depression}", Unknown)]);
    hold(
        &[("F32.1", json!({"clinicalStatus": "RESOLVED"})), ("F43.12", active())],
        &[("{diagnosis: mental, status: past}", True), ("{diagnosis: ptsd, status: past}", False)],
    );
    hold(
        &[("F43.12", json!({"clinicalStatus": "RESOLVED"})), ("F43.10", active())],
        &[("{diagnosis: ptsd-chronic, status: past}", False)],
    );
}

#[test]
fn parts_and_unions_of_a_relapsing_disorder_see_it_as_the_whole_does() {
    for status in ["RESOLVED", "INACTIVE"] {
        let concepts = ["oud", "severe", "substance"];
        let asked: Vec<(String, Truth)> = concepts
            .iter()
            .flat_map(|concept| {
                [
                    (format!("{{diagnosis: {concept}}}"), Unknown),
                    (format!("{{diagnosis: {concept}, status: past}}"), False),
                    (format!("{{diagnosis: {concept}, status: doubtful}}"), True),
                ]
            })
            .collect();
        let asked: Vec<(&str, Truth)> = asked.iter().map(|(condition, truth)| (condition.as_str(), *truth)).collect();
        hold(&[("F11.20", json!({"clinicalStatus": status}))], &asked);
        // What merely has a code in common is no part of it.
        hold(&[("F11.23", json!({"clinicalStatus": status}))], &[("{diagnosis: withdrawal, status: past}", True)]);
    }
    hold(&[("F14.21", active())], &[("{diagnosis: substance, status: ever}", True), ("{diagnosis: substance}", False)]);
}

#[test]
fn what_a_partial_list_does_not_say_is_unknown_beside_an_entry_in_another_state() {
    let partial = json!({"partial": ["diagnoses", "medications"]});
    hold_with(
        &[("F43.12", json!({"clinicalStatus": "REMISSION"}))],
        &partial,
        &[
            ("{diagnosis: ptsd}", Unknown),
            ("{diagnosis: ptsd, status: remission}", True),
            ("{diagnosis: ptsd, status: conflicting}", False),
        ],
    );
    let complete = json!({"complete": ["diagnoses"]});
    hold_with(&[("F43.12", json!({"clinicalStatus": "REMISSION"}))], &complete, &[("{diagnosis: ptsd}", False)]);
}

#[test]
fn an_active_entry_without_a_date_was_recorded_now() {
    let (recent, old) =
        ("{diagnosis: anxiety, recorded_within: 90 days}", "{diagnosis: anxiety, recorded_more_than: 90 days}");
    hold(&[("F41.1", active())], &[(recent, True), (old, False)]);
    hold(&[("F41.1", json!({}))], &[(recent, True), (old, False)]);
    hold(&[("F41.1", json!({"onset": "2026-05-20"}))], &[(recent, True), (old, False)]);
    hold(&[("F41.1", json!({"onset": "2020"}))], &[(recent, Unknown), (old, Unknown)]);
    hold(
        &[("F41.1", json!({"clinicalStatus": "RESOLVED"}))],
        &[("{diagnosis: anxiety, status: ever, recorded_within: 90 days}", Unknown)],
    );
}

#[test]
fn a_gap_between_onsets_is_counted_by_the_calendar() {
    let order = "{onset_order: {first: anxiety, then: oud, gap: 6 months}}";
    for (first, then, truth) in [
        ("2020-01-01", "2020-07-01", True),
        ("2020-01-01", "2020-06-30", False),
        ("2019-08-31", "2020-02-29", True),
        ("2020-01", "2020-07-15", Unknown),
        ("2020-01", "2020-08", True),
        ("2020", "2021", Unknown),
    ] {
        hold(&[("F41.1", json!({"onset": first})), ("F11.20", json!({"onset": then}))], &[(order, truth)]);
    }
}
