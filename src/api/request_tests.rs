use super::*;
use crate::api::json;
use crate::api::refusal::Violation;
use crate::clinical::patient::{Completeness, List, ObservedValue};

fn request(text: &str) -> proto::EvaluateRequest {
    json::from_str(text).unwrap()
}

fn now() -> Timestamp {
    "2026-06-01T12:00:00.5Z".parse().unwrap()
}

fn violations(text: &str) -> Vec<Violation> {
    match read(request(text), &Limits::default(), now()) {
        Err(Refusal::Fields(violations)) => violations,
        other => panic!("{other:?}"),
    }
}

fn paths(text: &str) -> Vec<(String, ErrorReason)> {
    violations(text).into_iter().map(|violation| (violation.field, violation.reason)).collect()
}

#[test]
fn a_patient_is_required() {
    assert_eq!(paths("{}"), [("patient".to_owned(), ErrorReason::Required)]);
}

#[test]
fn every_violation_is_named_and_no_value_is() {
    let text = r#"{"asOf": "2026-02-30", "patient": {"ageYears": 131, "birthDate": "SENTINEL",
        "diagnoses": [{}, {"coding": [{"system": "ICD-10-CM", "code": "SENTINEL-Ѕ"}], "onset": "SENTINEL"}],
        "observations": [{"value": "NaN", "valueText": "SENTINEL\u0007"}],
        "complete": ["events", "SENTINEL"], "partial": ["events"]}}"#;
    let violations = violations(text);
    let found: Vec<String> = violations.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    as_of: is not in the calendar [IMPOSSIBLE_DATE]
    patient.age_years: excludes `birth_date`, which is set too [CONFLICT]
    patient.birth_date: must be YYYY, YYYY-MM, YYYY-MM-DD, or RFC 3339 with seconds and offset [FORMAT]
    patient.age_years: must be 0 to 130 [RANGE]
    patient.diagnoses[1].coding[0].code: contains a character that is not ASCII [LOOK_ALIKE]
    patient.diagnoses[1].onset: must be YYYY, YYYY-MM, YYYY-MM-DD, or RFC 3339 with seconds and offset [FORMAT]
    patient.observations[0].value_text: excludes `value`, which is set too [CONFLICT]
    patient.observations[0].value: is not a number that can be represented [RANGE]
    patient.observations[0].value_text: contains a control character [CONTROL_CHARACTER]
    patient.complete[1]: is not the name of a list of the patient [FORMAT]
    patient.partial[0]: excludes `complete`, which is set too [CONFLICT]
    ");
}

#[test]
fn further_violations_are_counted() {
    let diagnoses = vec![r#"{"onset": "x"}"#; 40].join(",");
    let violations = violations(&format!(r#"{{"patient": {{"diagnoses": [{diagnoses}]}}}}"#));
    assert_eq!(violations.len(), 32);
    assert!(violations[31].description.ends_with("; and 8 further violations"));
}

#[test]
fn birth_must_not_be_in_the_future_and_an_onset_may() {
    let born = |date: &str| {
        let text = format!(
            r#"{{"asOf": "2026-06-01", "patient": {{"birthDate": "{date}", "diagnoses": [{{"onset": "2099"}}]}}}}"#
        );
        read(request(&text), &Limits::default(), now()).err()
    };
    assert_eq!(born("2026"), None);
    assert_eq!(born("2026-06-01"), None);
    let Some(Refusal::Fields(found)) = born("2026-06-02") else { panic!() };
    assert_eq!((found[0].field.as_str(), found[0].reason), ("patient.birth_date", ErrorReason::BirthInFuture));
}

#[test]
fn numbers_are_what_the_sender_typed() {
    let text = r#"{"patient": {"observations": [{"value": 0.1, "comparator": "LESS_THAN"}], "complete": ["plans"]}}"#;
    let read = read(request(text), &Limits::default(), now()).unwrap();
    let Some(ObservedValue::Quantity(value, _)) = &read.patient.observations[0].value else { panic!() };
    assert_eq!(value.to_string(), "0.1");
    assert_eq!(read.as_of.to_string(), "2026-06-01T12:00:00Z");
    let stated = |list: List| read.patient.stated[List::ALL.iter().position(|one| *one == list).unwrap()];
    assert_eq!((stated(List::Plans), stated(List::Events)), (Completeness::Complete, Completeness::Unstated));
}

#[test]
fn limits_hold_at_the_limit_and_not_beyond() {
    let with = |bytes: usize, entries: usize| {
        let words = vec![format!(r#"{{"text": "{}"}}"#, "a".repeat(bytes)); entries].join(",");
        let text = format!(r#"{{"patient": {{"allergies": [{words}]}}}}"#);
        let limits = Limits { string_bytes: 8, list_entries: 3, ..Limits::default() };
        match read(request(&text), &limits, now()) {
            Ok(_) => None,
            Err(Refusal::Fields(found)) => Some((found[0].reason, found[0].description.clone())),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(with(8, 3), None);
    assert_eq!(with(9, 1), Some((ErrorReason::StringTooLong, "longer than 8 bytes (limits.string_bytes)".to_owned())));
    assert_eq!(with(1, 4), Some((ErrorReason::TooManyEntries, "more than 3 entries (limits.list_entries)".to_owned())));
}
