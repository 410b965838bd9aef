//! The patient of a request to the record of the domain.

use rust_decimal::Decimal;

use super::limits::CODINGS;
use super::proto::{self, ErrorReason, diagnosis, medication, observation, patient as wire};
use super::refusal::Path;
use super::text::{Check, Need};
use crate::clinical::patient::{
    Allergy, ClinicalStatus, Coding, Comparator, Completeness, Diagnosis, Event, HistoryFlag, List, Medication,
    MedicationStatus, Observation, ObservedValue, Patient, Plan, Setting, Severity, Sex, VerificationStatus,
};

/// Largest age in years.
const OLDEST: i32 = 130;

pub(super) fn patient(check: &mut Check<'_>, path: &Path<'_>, sent: proto::Patient) -> Patient {
    check.opaque(&path.field("id"), sent.id);
    let entries = check.limits.list_entries;
    if !sent.birth_date.is_empty() && sent.age_years.is_some() {
        check.conflict(&path.field("age_years"), "birth_date");
    }
    Patient {
        birth: check.date(&path.field("birth_date"), &sent.birth_date),
        age_years: sent.age_years.and_then(|age| check.whole(&path.field("age_years"), age, 0, OLDEST)),
        sex: check.choice(&path.field("sex"), sent.sex, sex),
        pregnant: check.choice(&path.field("pregnancy"), sent.pregnancy, |value| match value {
            wire::Pregnancy::Unspecified => None,
            wire::Pregnancy::Pregnant => Some(true),
            wire::Pregnancy::NotPregnant => Some(false),
        }),
        lactating: check.choice(&path.field("lactation"), sent.lactation, |value| match value {
            wire::Lactation::Unspecified => None,
            wire::Lactation::Lactating => Some(true),
            wire::Lactation::NotLactating => Some(false),
        }),
        childbearing_potential: sent.childbearing_potential,
        diagnoses: check.list(path.field("diagnoses"), sent.diagnoses, entries, diagnosis),
        medications: check.list(path.field("medications"), sent.medications, entries, medication),
        allergies: check.list(path.field("allergies"), sent.allergies, entries, allergy),
        allergies_none_known: sent.allergies_none_known,
        observations: check.list(path.field("observations"), sent.observations, entries, observation),
        events: check.list(path.field("events"), sent.events, entries, event),
        history: check.list(path.field("history"), sent.history, entries, history),
        plans: check.list(path.field("plans"), sent.plans, entries, plan),
        preferences: check.list(path.field("preferences"), sent.preferences, entries, |check, path, code| {
            check.token(path, Need::Required, code).unwrap_or_default()
        }),
        setting: check.choice(&path.field("setting"), sent.setting, setting),
        stated: stated(check, path, sent.complete, sent.partial),
    }
}

fn sex(value: wire::Sex) -> Option<Sex> {
    match value {
        wire::Sex::Unspecified => None,
        wire::Sex::Female => Some(Sex::Female),
        wire::Sex::Male => Some(Sex::Male),
        wire::Sex::Other => Some(Sex::Other),
    }
}

fn setting(value: wire::Setting) -> Option<Setting> {
    match value {
        wire::Setting::Unspecified => None,
        wire::Setting::Emergency => Some(Setting::Emergency),
        wire::Setting::Inpatient => Some(Setting::Inpatient),
        wire::Setting::Outpatient => Some(Setting::Outpatient),
        wire::Setting::OpioidTreatmentProgram => Some(Setting::OpioidTreatmentProgram),
        wire::Setting::Custody => Some(Setting::Custody),
        wire::Setting::Residential => Some(Setting::Residential),
    }
}

fn stated(
    check: &mut Check<'_>,
    path: &Path<'_>,
    complete: Vec<String>,
    partial: Vec<String>,
) -> [Completeness; List::COUNT] {
    let mut read = |name: &'static str, lists: Vec<String>| {
        check.list(path.field(name), lists, List::COUNT, |check, path, name: String| {
            let list = List::from_name(&name);
            if list.is_none() {
                check.faults.add(path, ErrorReason::Format, "is not the name of a list of the patient");
            }
            list
        })
    };
    let (complete, partial) = (read("complete", complete), read("partial", partial));
    for (index, list) in partial.iter().enumerate() {
        if list.is_some() && complete.contains(list) {
            check.conflict(&path.field("partial").at(index), "complete");
        }
    }
    List::ALL.map(|list| {
        if complete.contains(&Some(list)) {
            Completeness::Complete
        } else if partial.contains(&Some(list)) {
            Completeness::Partial
        } else {
            Completeness::Unstated
        }
    })
}

fn codings(check: &mut Check<'_>, path: Path<'_>, sent: Vec<proto::Coding>) -> Vec<Coding> {
    check.list(path, sent, CODINGS, coding)
}

fn coding(check: &mut Check<'_>, path: &Path<'_>, sent: proto::Coding) -> Coding {
    Coding {
        system: check.code(&path.field("system"), Need::Required, sent.system).unwrap_or_default(),
        code: check.code(&path.field("code"), Need::Required, sent.code).unwrap_or_default(),
    }
}

fn diagnosis(check: &mut Check<'_>, path: &Path<'_>, sent: proto::Diagnosis) -> Diagnosis {
    Diagnosis {
        coding: codings(check, path.field("coding"), sent.coding),
        text: check.words(&path.field("text"), sent.text),
        clinical_status: check.choice(&path.field("clinical_status"), sent.clinical_status, |value| match value {
            diagnosis::ClinicalStatus::Unspecified => None,
            diagnosis::ClinicalStatus::Active => Some(ClinicalStatus::Active),
            diagnosis::ClinicalStatus::Recurrence => Some(ClinicalStatus::Recurrence),
            diagnosis::ClinicalStatus::Relapse => Some(ClinicalStatus::Relapse),
            diagnosis::ClinicalStatus::Inactive => Some(ClinicalStatus::Inactive),
            diagnosis::ClinicalStatus::Remission => Some(ClinicalStatus::Remission),
            diagnosis::ClinicalStatus::Resolved => Some(ClinicalStatus::Resolved),
        }),
        verification_status: check.choice(&path.field("verification_status"), sent.verification_status, verification),
        onset: check.date(&path.field("onset"), &sent.onset),
        abatement: check.date(&path.field("abatement"), &sent.abatement),
        recorded: check.date(&path.field("recorded"), &sent.recorded),
        severity: check.choice(&path.field("severity"), sent.severity, |value| match value {
            diagnosis::Severity::Unspecified => None,
            diagnosis::Severity::Mild => Some(Severity::Mild),
            diagnosis::Severity::Moderate => Some(Severity::Moderate),
            diagnosis::Severity::Severe => Some(Severity::Severe),
        }),
    }
}

fn verification(value: diagnosis::VerificationStatus) -> Option<VerificationStatus> {
    match value {
        diagnosis::VerificationStatus::Unspecified => None,
        diagnosis::VerificationStatus::Unconfirmed => Some(VerificationStatus::Unconfirmed),
        diagnosis::VerificationStatus::Provisional => Some(VerificationStatus::Provisional),
        diagnosis::VerificationStatus::Differential => Some(VerificationStatus::Differential),
        diagnosis::VerificationStatus::Confirmed => Some(VerificationStatus::Confirmed),
        diagnosis::VerificationStatus::Refuted => Some(VerificationStatus::Refuted),
        diagnosis::VerificationStatus::EnteredInError => Some(VerificationStatus::EnteredInError),
    }
}

fn medication(check: &mut Check<'_>, path: &Path<'_>, sent: proto::Medication) -> Medication {
    Medication {
        coding: codings(check, path.field("coding"), sent.coding),
        text: check.words(&path.field("text"), sent.text),
        status: check.choice(&path.field("status"), sent.status, |value| match value {
            medication::Status::Unspecified => None,
            medication::Status::Current => Some(MedicationStatus::Current),
            medication::Status::Planned => Some(MedicationStatus::Planned),
            medication::Status::Stopped => Some(MedicationStatus::Stopped),
        }),
        started: check.date(&path.field("started"), &sent.started),
        ended: check.date(&path.field("ended"), &sent.ended),
        dose: sent.dose.and_then(|sent| dose(check, &path.field("dose"), sent)),
        reason: codings(check, path.field("reason"), sent.reason),
    }
}

fn dose(check: &mut Check<'_>, path: &Path<'_>, sent: proto::Dose) -> Option<(Decimal, String)> {
    let at = path.field("value");
    let value = match sent.value {
        None => {
            check.required(&at);
            None
        }
        Some(value) if value < 0.0 => {
            check.faults.add(&at, ErrorReason::Range, "must be 0 or more");
            None
        }
        Some(value) => check.decimal(&at, value),
    };
    let unit = check.code(&path.field("unit"), Need::Required, sent.unit);
    value.zip(unit)
}

fn allergy(check: &mut Check<'_>, path: &Path<'_>, sent: proto::Allergy) -> Allergy {
    Allergy {
        coding: codings(check, path.field("coding"), sent.coding),
        text: check.words(&path.field("text"), sent.text),
        verification_status: check.choice(&path.field("verification_status"), sent.verification_status, verification),
    }
}

fn observation(check: &mut Check<'_>, path: &Path<'_>, mut sent: proto::Observation) -> Observation {
    let range = sent.reference_range.take();
    let limit = |check: &mut Check<'_>, name, value: Option<f64>| {
        value.and_then(|value| check.decimal(&path.field("reference_range").field(name), value))
    };
    let (low, high) = range.map_or((None, None), |range| (range.low, range.high));
    let comparator = check.choice(&path.field("comparator"), sent.comparator, |value| {
        Some(match value {
            observation::Comparator::Unspecified => Comparator::Equal,
            observation::Comparator::LessThan => Comparator::Less,
            observation::Comparator::LessOrEqual => Comparator::LessOrEqual,
            observation::Comparator::GreaterOrEqual => Comparator::GreaterOrEqual,
            observation::Comparator::GreaterThan => Comparator::Greater,
        })
    });
    Observation {
        coding: codings(check, path.field("coding"), sent.coding),
        value: observed(check, path, sent.value, comparator, sent.value_coding, sent.value_text),
        unit: check.code(&path.field("unit"), Need::Optional, sent.unit),
        reference_low: limit(check, "low", low),
        reference_high: limit(check, "high", high),
        effective: check.date(&path.field("effective"), &sent.effective),
    }
}

/// Every form that was sent is checked; the first is the result, and each
/// further one is a conflict.
fn observed(
    check: &mut Check<'_>,
    path: &Path<'_>,
    number: Option<f64>,
    comparator: Option<Comparator>,
    coded: Option<proto::Coding>,
    words: String,
) -> Option<ObservedValue> {
    if coded.is_some() && number.is_some() {
        check.conflict(&path.field("value_coding"), "value");
    }
    if !words.is_empty() && (number.is_some() || coded.is_some()) {
        check.conflict(&path.field("value_text"), if number.is_some() { "value" } else { "value_coding" });
    }
    let number = number
        .and_then(|number| check.decimal(&path.field("value"), number))
        .map(|number| ObservedValue::Quantity(number, comparator.unwrap_or(Comparator::Equal)));
    let coded = coded.map(|coded| ObservedValue::Coded(coding(check, &path.field("value_coding"), coded)));
    let words = check.words(&path.field("value_text"), words);
    number.or(coded).or((!words.is_empty()).then_some(ObservedValue::Text(words)))
}

fn event(check: &mut Check<'_>, path: &Path<'_>, sent: proto::Event) -> Event {
    let substance = check.words(&path.field("substance"), sent.substance);
    Event {
        kind: check.token(&path.field("type"), Need::Required, sent.r#type).unwrap_or_default(),
        at: check.date(&path.field("at"), &sent.at),
        substance: (!substance.is_empty()).then_some(substance),
    }
}

fn history(check: &mut Check<'_>, path: &Path<'_>, sent: proto::HistoryFlag) -> HistoryFlag {
    HistoryFlag {
        code: check.token(&path.field("code"), Need::Required, sent.code).unwrap_or_default(),
        present: sent.present,
    }
}

fn plan(check: &mut Check<'_>, path: &Path<'_>, sent: proto::Plan) -> Plan {
    Plan {
        kind: check.token(&path.field("kind"), Need::Required, sent.kind).unwrap_or_default(),
        coding: codings(check, path.field("coding"), sent.coding),
        text: check.words(&path.field("text"), sent.text),
    }
}
