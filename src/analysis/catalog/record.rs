//! Entries of records, and records put together from them.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Map, Value, json};

use crate::clinical::date::{AsOf, FhirDate};
use crate::clinical::patient::{
    Allergy, ClinicalStatus, Coding, Comparator, Completeness, Diagnosis, Event, HistoryFlag, List, Medication,
    MedicationStatus, Observation, ObservedValue, Patient, Plan, Setting, Severity, Sex, VerificationStatus,
};

/// An entry that a record may have.
#[derive(Clone, PartialEq, Eq)]
pub enum Entry {
    /// What is stated of a list.
    Stated(List, Completeness),
    /// A diagnosis.
    Diagnosis(Diagnosis),
    /// A medication.
    Medication(Medication),
    /// An allergy.
    Allergy(Allergy),
    /// Asked, and no allergy known.
    NoAllergyKnown,
    /// A result.
    Observation(Observation),
    /// An event.
    Event(Event),
    /// A history flag.
    History(HistoryFlag),
    /// A plan.
    Plan(Plan),
    /// A preference.
    Preference(String),
    /// Age in years.
    Age(u32),
    /// Recorded sex.
    Sex(Sex),
    /// Pregnant or not.
    Pregnancy(bool),
    /// Lactating or not.
    Lactation(bool),
    /// Could become pregnant or not.
    ChildbearingPotential(bool),
    /// Where care is given.
    Setting(Setting),
    /// The day of the evaluation.
    Day(String),
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Entry(..)")
    }
}

/// A record with the instant it is read at.
#[derive(Clone, Debug)]
pub struct Record {
    /// The record.
    pub patient: Patient,
    /// The instant.
    pub as_of: AsOf,
}

impl Record {
    /// The record of the entries.
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Entry>, as_of: &AsOf) -> Self {
        let mut patient = Patient::default();
        let mut as_of = *as_of;
        for entry in entries {
            match entry {
                Entry::Stated(list, what) => {
                    if let Some(slot) = patient.stated.get_mut(*list as usize) {
                        *slot = *what;
                    }
                }
                Entry::Diagnosis(one) => patient.diagnoses.push(one.clone()),
                Entry::Medication(one) => patient.medications.push(one.clone()),
                Entry::Allergy(one) => patient.allergies.push(one.clone()),
                Entry::NoAllergyKnown => patient.allergies_none_known = Some(true),
                Entry::Observation(one) => patient.observations.push(one.clone()),
                Entry::Event(one) => patient.events.push(one.clone()),
                Entry::History(one) => patient.history.push(one.clone()),
                Entry::Plan(one) => patient.plans.push(one.clone()),
                Entry::Preference(code) => patient.preferences.push(code.clone()),
                Entry::Age(years) => patient.age_years = Some(*years),
                Entry::Sex(sex) => patient.sex = Some(*sex),
                Entry::Pregnancy(is) => patient.pregnant = Some(*is),
                Entry::Lactation(is) => patient.lactating = Some(*is),
                Entry::ChildbearingPotential(is) => patient.childbearing_potential = Some(*is),
                Entry::Setting(setting) => patient.setting = Some(*setting),
                Entry::Day(day) => as_of = AsOf::parse(day).unwrap_or(as_of),
            }
        }
        Self { patient, as_of }
    }

    /// As a request in the canonical JSON mapping of the API.
    #[must_use]
    pub fn request(&self) -> Value {
        let patient = &self.patient;
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                out.insert(key.to_owned(), value);
            }
        };
        put("id", json!("example"));
        put("ageYears", json!(patient.age_years));
        put("birthDate", json!(patient.birth.as_ref().map(FhirDate::as_str)));
        put("sex", json!(patient.sex.map(sex_word)));
        put("pregnancy", json!(patient.pregnant.map(|is| if is { "PREGNANT" } else { "NOT_PREGNANT" })));
        put("lactation", json!(patient.lactating.map(|is| if is { "LACTATING" } else { "NOT_LACTATING" })));
        put("childbearingPotential", json!(patient.childbearing_potential));
        put("setting", json!(patient.setting.map(setting_word)));
        put("diagnoses", patient.diagnoses.iter().map(diagnosis).collect());
        put("medications", patient.medications.iter().map(medication).collect());
        put("allergies", patient.allergies.iter().map(allergy).collect());
        put("allergiesNoneKnown", json!(patient.allergies_none_known));
        put("observations", patient.observations.iter().map(observation).collect());
        put("events", patient.events.iter().map(event).collect());
        put(
            "history",
            patient.history.iter().map(|flag| json!({"code": flag.code, "present": flag.present})).collect(),
        );
        put("plans", patient.plans.iter().map(plan).collect());
        put("preferences", json!(patient.preferences));
        for (key, what) in [("complete", Completeness::Complete), ("partial", Completeness::Partial)] {
            let lists = List::ALL.into_iter().zip(patient.stated).filter(|(_, stated)| *stated == what);
            put(key, lists.map(|(list, _)| json!(list.name())).collect());
        }
        json!({"asOf": self.as_of.to_string(), "patient": out})
    }
}

/// The contract's numbers are doubles.
fn number(value: &Decimal) -> Value {
    match i64::try_from(value.normalize()) {
        Ok(whole) if value.is_integer() => json!(whole),
        _ => json!(value.to_f64()),
    }
}

fn codings(list: &[Coding]) -> Value {
    list.iter().map(|coding| json!({"system": coding.system, "code": coding.code})).collect()
}

fn object(pairs: Vec<(&str, Value)>) -> Value {
    pairs.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.to_owned(), value)).collect()
}

fn diagnosis(one: &Diagnosis) -> Value {
    object(vec![
        ("coding", codings(&one.coding)),
        ("clinicalStatus", json!(one.clinical_status.map(clinical_word))),
        ("verificationStatus", json!(one.verification_status.map(verification_word))),
        ("severity", json!(one.severity.map(severity_word))),
        ("onset", json!(one.onset.as_ref().map(FhirDate::as_str))),
        ("recorded", json!(one.recorded.as_ref().map(FhirDate::as_str))),
    ])
}

fn medication(one: &Medication) -> Value {
    let dose = one.dose.as_ref().map(|(value, unit)| json!({"value": number(value), "unit": unit}));
    object(vec![
        ("coding", codings(&one.coding)),
        ("status", json!(one.status.map(medication_word))),
        ("started", json!(one.started.as_ref().map(FhirDate::as_str))),
        ("ended", json!(one.ended.as_ref().map(FhirDate::as_str))),
        ("dose", json!(dose)),
        ("reason", if one.reason.is_empty() { Value::Null } else { codings(&one.reason) }),
    ])
}

fn allergy(one: &Allergy) -> Value {
    object(vec![
        ("coding", codings(&one.coding)),
        ("verificationStatus", json!(one.verification_status.map(verification_word))),
    ])
}

fn observation(one: &Observation) -> Value {
    let (value, text, coded) = match &one.value {
        Some(ObservedValue::Quantity(value, _)) => (number(value), Value::Null, Value::Null),
        Some(ObservedValue::Text(text)) => (Value::Null, json!(text), Value::Null),
        Some(ObservedValue::Coded(coding)) => {
            (Value::Null, Value::Null, json!({"system": coding.system, "code": coding.code}))
        }
        None => (Value::Null, Value::Null, Value::Null),
    };
    let comparator = match &one.value {
        Some(ObservedValue::Quantity(_, comparator)) => comparator_word(*comparator),
        _ => None,
    };
    let range = one.reference_high.map(|high| json!({"high": number(&high)}));
    object(vec![
        ("coding", codings(&one.coding)),
        ("value", value),
        ("comparator", json!(comparator)),
        ("unit", json!(one.unit)),
        ("valueText", text),
        ("valueCoding", coded),
        ("referenceRange", json!(range)),
        ("effective", json!(one.effective.as_ref().map(FhirDate::as_str))),
    ])
}

fn event(one: &Event) -> Value {
    object(vec![
        ("type", json!(one.kind)),
        ("at", json!(one.at.as_ref().map(FhirDate::as_str))),
        ("substance", json!(one.substance)),
    ])
}

fn plan(one: &Plan) -> Value {
    let coding = if one.coding.is_empty() { Value::Null } else { codings(&one.coding) };
    object(vec![("kind", json!(one.kind)), ("coding", coding)])
}

fn clinical_word(status: ClinicalStatus) -> &'static str {
    match status {
        ClinicalStatus::Active => "ACTIVE",
        ClinicalStatus::Recurrence => "RECURRENCE",
        ClinicalStatus::Relapse => "RELAPSE",
        ClinicalStatus::Inactive => "INACTIVE",
        ClinicalStatus::Remission => "REMISSION",
        ClinicalStatus::Resolved => "RESOLVED",
    }
}

fn verification_word(status: VerificationStatus) -> &'static str {
    match status {
        VerificationStatus::Unconfirmed => "UNCONFIRMED",
        VerificationStatus::Provisional => "PROVISIONAL",
        VerificationStatus::Differential => "DIFFERENTIAL",
        VerificationStatus::Confirmed => "CONFIRMED",
        VerificationStatus::Refuted => "REFUTED",
        VerificationStatus::EnteredInError => "ENTERED_IN_ERROR",
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Mild => "MILD",
        Severity::Moderate => "MODERATE",
        Severity::Severe => "SEVERE",
    }
}

fn medication_word(status: MedicationStatus) -> &'static str {
    match status {
        MedicationStatus::Current => "CURRENT",
        MedicationStatus::Planned => "PLANNED",
        MedicationStatus::Stopped => "STOPPED",
    }
}

fn sex_word(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "FEMALE",
        Sex::Male => "MALE",
        Sex::Other => "OTHER",
    }
}

fn setting_word(setting: Setting) -> &'static str {
    match setting {
        Setting::Emergency => "EMERGENCY",
        Setting::Inpatient => "INPATIENT",
        Setting::Outpatient => "OUTPATIENT",
        Setting::OpioidTreatmentProgram => "OPIOID_TREATMENT_PROGRAM",
        Setting::Custody => "CUSTODY",
        Setting::Residential => "RESIDENTIAL",
    }
}

fn comparator_word(comparator: Comparator) -> Option<&'static str> {
    match comparator {
        Comparator::Equal => None,
        Comparator::Less => Some("LESS_THAN"),
        Comparator::LessOrEqual => Some("LESS_OR_EQUAL"),
        Comparator::GreaterOrEqual => Some("GREATER_OR_EQUAL"),
        Comparator::Greater => Some("GREATER_THAN"),
    }
}

/// The upper limit of normal of results that are compared with it.
pub const UPPER_LIMIT: Decimal = Decimal::ONE_HUNDRED;
