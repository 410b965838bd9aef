//! Bad input, a row each: what is refused, with the fields' paths, and what is
//! named in the answer and treated as absent, unknown or possible. Nothing is
//! dropped silently, and nothing panics.

use std::sync::Arc;

use concord::api::decide::{Terms, decide};
use concord::api::json;
use concord::api::limits::Limits;
use concord::api::proto::EvaluateRequest;
use concord::api::refusal::Refusal;
use concord::engine::decision::{Answer, Scope, UnrecognizedReason as Reason};
use serde_json::{Value, json};

use crate::cases::SHIPPED;

/// What becomes of a request.
enum Outcome {
    /// Refused: the paths at fault, with the reasons.
    Refused(&'static [(&'static str, &'static str)]),
    /// Answered: the paths named as not usable, with the reasons, and the scope.
    Named(&'static [(&'static str, Reason)], Scope),
    /// Answered: the paths where the record was read in a way, with the kinds.
    Read(&'static [(&'static str, &'static str)], Scope),
    /// Not a message at all.
    Unreadable,
}

/// The coding that [`with_diagnosis`] adds.
const SECOND: &str = "patient.diagnoses[1].coding[0]";

use Outcome::{Named, Read, Refused, Unreadable};

fn request(body: &Value) -> Result<EvaluateRequest, serde_json::Error> {
    json::from_str(&body.to_string())
}

fn answer(request: EvaluateRequest) -> Result<Answer, Refusal> {
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    decide(&Arc::clone(&SHIPPED), request, &terms, jiff::Timestamp::UNIX_EPOCH).map(|decision| decision.answer)
}

fn patient(patient: Value) -> Value {
    json!({"asOf": "2026-06-01", "patient": patient})
}

/// A patient with opioid dependence and one more diagnosis.
fn with_diagnosis(diagnosis: Value) -> Value {
    patient(json!({"diagnoses": [
        {"coding": [{"system": "ICD-10-CM", "code": "F11.20"}], "clinicalStatus": "ACTIVE"}, diagnosis
    ]}))
}

fn only(diagnosis: Value) -> Value {
    patient(json!({"diagnoses": [diagnosis]}))
}

fn icd(code: &str) -> Value {
    json!([{"system": "ICD-10-CM", "code": code}])
}

fn observed(observation: Value) -> Value {
    patient(json!({"observations": [observation]}))
}

fn refused_rows() -> Vec<(&'static str, Value, Outcome)> {
    let many: Vec<Value> = (0..10_000).map(|_| json!({"coding": icd("F11.20")})).collect();
    vec![
        ("no patient", json!({"asOf": "2026-06-01"}), Refused(&[("patient", "REQUIRED")])),
        ("a field that is none", patient(json!({"age": 4})), Unreadable),
        ("text where a number is meant", patient(json!({"ageYears": "old"})), Unreadable),
        ("an enum value that is none", patient(json!({"sex": "F"})), Unreadable),
        ("an undefined enum number", patient(json!({"sex": 9})), Refused(&[("patient.sex", "ENUM_VALUE")])),
        ("a negative age", patient(json!({"ageYears": -1})), Refused(&[("patient.age_years", "RANGE")])),
        ("an age beyond people", patient(json!({"ageYears": 131})), Refused(&[("patient.age_years", "RANGE")])),
        (
            "birth in the future",
            patient(json!({"birthDate": "2027"})),
            Refused(&[("patient.birth_date", "BIRTH_IN_FUTURE")]),
        ),
        (
            "an impossible date",
            only(json!({"coding": icd("F11.20"), "onset": "2024-02-30"})),
            Refused(&[("patient.diagnoses[0].onset", "IMPOSSIBLE_DATE")]),
        ),
        (
            "a date of another form",
            only(json!({"coding": icd("F11.20"), "onset": "03/04/2024"})),
            Refused(&[("patient.diagnoses[0].onset", "FORMAT")]),
        ),
        (
            "10,000 diagnoses",
            patient(json!({"diagnoses": many})),
            Refused(&[("patient.diagnoses", "TOO_MANY_ENTRIES")]),
        ),
        (
            "a look-alike letter in a code",
            only(json!({"coding": icd("F11.2\u{41e}")})),
            Refused(&[("patient.diagnoses[0].coding[0].code", "LOOK_ALIKE")]),
        ),
        (
            "a look-alike in a system",
            only(json!({"coding": [{"system": "ICD-10-\u{421}M", "code": "F11.20"}]})),
            Refused(&[("patient.diagnoses[0].coding[0].system", "LOOK_ALIKE")]),
        ),
        (
            "spaces where a code is meant, a line break, and more spaces than a string may have",
            json!({"purposeOfUse": " ", "patient": {"observations": [
                {"coding": icd("F11.20"), "unit": "\n"}, {"coding": icd("F11.20"), "unit": " ".repeat(257)}
            ]}}),
            Refused(&[
                ("purpose_of_use", "FORMAT"),
                ("patient.observations[0].unit", "CONTROL_CHARACTER"),
                ("patient.observations[1].unit", "STRING_TOO_LONG"),
            ]),
        ),
        (
            "a coding without a code",
            only(json!({"coding": [{"system": "ICD-10-CM"}]})),
            Refused(&[("patient.diagnoses[0].coding[0].code", "REQUIRED")]),
        ),
        (
            "a number that is none",
            observed(json!({"coding": [{"system": "LOINC", "code": "8636-3"}], "value": "NaN", "unit": "ms"})),
            Refused(&[("patient.observations[0].value", "RANGE")]),
        ),
        (
            "two values of one observation",
            observed(
                json!({"coding": [{"system": "LOINC", "code": "8636-3"}], "value": 1, "unit": "ms", "valueText": "positive"}),
            ),
            Refused(&[("patient.observations[0].value_text", "CONFLICT")]),
        ),
        (
            "a list both complete and partial",
            patient(json!({"complete": ["diagnoses"], "partial": ["diagnoses"]})),
            Refused(&[("patient.partial[0]", "CONFLICT")]),
        ),
        (
            "a list that is none",
            patient(json!({"complete": ["diagnosis"]})),
            Refused(&[("patient.complete[0]", "FORMAT")]),
        ),
        (
            "everything at once",
            patient(json!({"ageYears": -3, "diagnoses": [{"coding": icd("\u{410}"), "onset": "2023-13"}]})),
            Refused(&[
                ("patient.age_years", "RANGE"),
                ("patient.diagnoses[0].coding[0].code", "LOOK_ALIKE"),
                ("patient.diagnoses[0].onset", "IMPOSSIBLE_DATE"),
            ]),
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn named_rows() -> Vec<(&'static str, Value, Outcome)> {
    vec![
        ("an empty patient", patient(json!({})), Named(&[], Scope::None)),
        (
            "an unknown system",
            with_diagnosis(json!({"coding": [{"system": "urn:x:y", "code": "1"}]})),
            Named(&[(SECOND, Reason::Unmapped)], Scope::Present),
        ),
        (
            "WHO ICD-10",
            only(json!({"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F11.20"}]})),
            Named(&[("patient.diagnoses[0].coding[0]", Reason::Unmapped)], Scope::None),
        ),
        (
            "words alone",
            with_diagnosis(json!({"text": "opioid dependence"})),
            Named(&[("patient.diagnoses[1]", Reason::Unmapped)], Scope::Present),
        ),
        (
            "a code that is none",
            with_diagnosis(json!({"coding": icd("F11.26")})),
            Named(&[(SECOND, Reason::Unmapped)], Scope::Present),
        ),
        (
            "a malformed code",
            with_diagnosis(json!({"coding": icd("11.F")})),
            Named(&[(SECOND, Reason::Malformed)], Scope::Present),
        ),
        (
            "a wrong check digit",
            with_diagnosis(json!({"coding": [{"system": "SNOMED CT", "code": "75544001"}]})),
            Named(&[(SECOND, Reason::Malformed)], Scope::Present),
        ),
        (
            "a code no rule asks for",
            with_diagnosis(json!({"coding": icd("A00.0")})),
            Named(&[(SECOND, Reason::Unused)], Scope::Present),
        ),
        (
            "a retired code",
            only(json!({"coding": icd("T40.4X1A")})),
            Named(&[("patient.diagnoses[0].coding[0]", Reason::Retired)], Scope::Possible),
        ),
        (
            "a header",
            only(json!({"coding": icd("F11.2")})),
            Named(&[("patient.diagnoses[0].coding[0]", Reason::Ambiguous)], Scope::Possible),
        ),
        (
            "onset after the instant",
            only(json!({"coding": icd("F11.20"), "onset": "2026-07"})),
            Named(&[("patient.diagnoses[0].onset", Reason::AfterAsOf)], Scope::None),
        ),
        (
            "an end before the beginning",
            only(json!({"coding": icd("F11.20"), "clinicalStatus": "ACTIVE", "onset": "2024", "abatement": "2023"})),
            Named(&[("patient.diagnoses[0].abatement", Reason::Contradictory)], Scope::Possible),
        ),
        (
            "active, and ended",
            only(json!({"coding": icd("F11.20"), "clinicalStatus": "ACTIVE", "abatement": "2024"})),
            Named(&[("patient.diagnoses[0].abatement", Reason::Contradictory)], Scope::Possible),
        ),
        (
            "a value without unit",
            observed(json!({"coding": [{"system": "LOINC", "code": "8636-3"}], "value": 500})),
            Named(&[("patient.observations[0].unit", Reason::Unit)], Scope::None),
        ),
        (
            "a unit that can't be converted",
            observed(json!({"coding": [{"system": "LOINC", "code": "8636-3"}], "value": 500, "unit": "mg"})),
            Named(&[("patient.observations[0].unit", Reason::Unit)], Scope::None),
        ),
        (
            "an unknown unit",
            observed(json!({"coding": [{"system": "LOINC", "code": "8636-3"}], "value": 500, "unit": "msec"})),
            Named(&[("patient.observations[0].unit", Reason::Unit)], Scope::None),
        ),
        (
            "a result of the future",
            observed(
                json!({"coding": [{"system": "LOINC", "code": "8636-3"}], "value": 500, "unit": "ms", "effective": "2026-06-02"}),
            ),
            Named(&[("patient.observations[0].effective", Reason::AfterAsOf)], Scope::None),
        ),
        (
            "an answer that is none",
            observed(json!({"coding": [{"system": "LOINC", "code": "2106-3"}], "valueText": "perhaps"})),
            Named(&[("patient.observations[0].value_text", Reason::Value)], Scope::None),
        ),
        (
            "words that no vocabulary has",
            patient(
                json!({"events": [{"type": "party"}], "history": [{"code": "fame"}], "plans": [{"kind": "trip"}], "preferences": ["tea"]}),
            ),
            Named(
                &[
                    ("patient.events[0].type", Reason::Unmapped),
                    ("patient.history[0].code", Reason::Unmapped),
                    ("patient.plans[0].kind", Reason::Unmapped),
                    ("patient.preferences[0]", Reason::Unmapped),
                    ("patient.history[0].present", Reason::Value),
                ],
                Scope::None,
            ),
        ),
        (
            "an event after the instant",
            patient(json!({"events": [{"type": "overdose", "at": "2026-06-02"}]})),
            Named(&[("patient.events[0].at", Reason::AfterAsOf)], Scope::None),
        ),
        (
            "a history both present and absent",
            patient(
                json!({"history": [{"code": "childhood-abuse", "present": true}, {"code": "childhood-abuse", "present": false}]}),
            ),
            Named(
                &[("patient.history[0]", Reason::Contradictory), ("patient.history[1]", Reason::Contradictory)],
                Scope::None,
            ),
        ),
        (
            "no allergy known, and one listed",
            patient(
                json!({"allergiesNoneKnown": true, "allergies": [{"coding": [{"system": "RxNorm", "code": "1819"}]}]}),
            ),
            Named(&[("patient.allergies_none_known", Reason::Contradictory)], Scope::None),
        ),
        (
            "taken now, and ended",
            patient(
                json!({"medications": [{"coding": [{"system": "RxNorm", "code": "6813"}], "status": "CURRENT", "ended": "2026-01-01"}]}),
            ),
            Named(&[("patient.medications[0].ended", Reason::Contradictory)], Scope::None),
        ),
    ]
}

fn read_rows() -> Vec<(&'static str, Value, Outcome)> {
    vec![
        (
            "no status at all",
            only(json!({"coding": icd("F11.20")})),
            Read(
                &[("patient.diagnoses[0]", "absent-clinical-status"), ("patient.diagnoses[0]", "absent-recorded-date")],
                Scope::Present,
            ),
        ),
        (
            "a remission code said to be active",
            only(json!({"coding": icd("F11.21"), "clinicalStatus": "ACTIVE"})),
            Read(&[("patient.diagnoses[0]", "remission-code")], Scope::InRemission),
        ),
        (
            "an active code said to be in remission",
            only(json!({"coding": icd("F11.20"), "clinicalStatus": "REMISSION"})),
            Read(&[("patient.diagnoses[0]", "remission-status")], Scope::InRemission),
        ),
        (
            "an active code said to be resolved",
            only(json!({"coding": icd("F11.20"), "clinicalStatus": "RESOLVED"})),
            Read(&[("patient.diagnoses[0]", "relapsing-disorder")], Scope::Possible),
        ),
        (
            "the same entry twice",
            patient(json!({"diagnoses": [{"coding": icd("F11.20")}, {"coding": icd("F11.20")}]})),
            Read(&[("patient.diagnoses[1]", "duplicate")], Scope::Present),
        ),
        (
            "a refuted diagnosis",
            only(json!({"coding": icd("F11.20"), "verificationStatus": "REFUTED"})),
            Read(&[("patient.diagnoses[0]", "refuted")], Scope::None),
        ),
        (
            "a medication without status",
            patient(json!({"medications": [{"coding": [{"system": "RxNorm", "code": "6813"}]}]})),
            Read(&[("patient.medications[0]", "absent-medication-status")], Scope::None),
        ),
        (
            "a provisional diagnosis",
            only(json!({"coding": icd("F11.20"), "verificationStatus": "PROVISIONAL"})),
            Read(&[], Scope::Possible),
        ),
    ]
}

fn check(name: &str, body: &Value, outcome: &Outcome) {
    let Ok(request) = request(body) else {
        assert!(matches!(outcome, Unreadable), "{name}: unreadable");
        return;
    };
    match (answer(request), outcome) {
        (Err(Refusal::Fields(violations)), Refused(expected)) => {
            let found: Vec<(&str, &str)> =
                violations.iter().map(|one| (one.field.as_str(), one.reason.as_str_name())).collect();
            assert_eq!(found, *expected, "{name}");
            let told: String = violations.iter().map(|one| one.description.as_str()).collect();
            assert!(told.is_ascii(), "{name}: the value is told: {told}");
        }
        (Ok(answer), Named(expected, scope)) => {
            for (path, reason) in *expected {
                let found = answer.unrecognized.iter().any(|one| one.path == *path && one.reason == *reason);
                assert!(found, "{name}: {path} is not named as {reason:?}: {:?}", answer.unrecognized);
            }
            assert_eq!(answer.scope, *scope, "{name}");
        }
        (Ok(answer), Read(expected, scope)) => {
            for (path, kind) in *expected {
                let found = answer.readings.iter().any(|one| one.path == *path && one.kind == *kind);
                assert!(found, "{name}: {path} is not told as {kind}: {:?}", answer.readings);
            }
            assert_eq!(answer.scope, *scope, "{name}");
        }
        (other, _) => panic!("{name}: {other:?}"),
    }
}

#[test]
fn every_row_comes_out_as_the_table_says() {
    let rows: Vec<_> = [refused_rows(), named_rows(), read_rows()].into_iter().flatten().collect();
    assert!(rows.len() >= 45, "{} rows", rows.len());
    for (name, body, outcome) in &rows {
        check(name, body, outcome);
    }
}
