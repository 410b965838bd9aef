//! Statements with their places filled in from what a rule matched.

use crate::clinical::date::{AsOf, FhirDate, Length, LengthUnit};
use crate::clinical::patient::{ObservedValue, Patient};
use crate::rule::template::{self, Field, Part};

use super::ground::{Element, ElementKind};

/// Fills in a statement. What a record does not say is said to be missing.
pub fn fill(statement: &str, patient: &Patient, as_of: &AsOf, matched: impl Fn(&str) -> Option<Element>) -> String {
    if !statement.contains('{') {
        return statement.to_owned();
    }
    let Ok(parts) = template::parse(statement) else { return statement.to_owned() };
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Text(words) => text.push_str(&words),
            Part::Value { name, field, plus } => {
                let element = matched(&name);
                let words = element.and_then(|element| match field {
                    Field::Value => value(patient, element),
                    Field::Date => date(patient, element).map(|date| later(date, plus, as_of)),
                    Field::Text => words(patient, element),
                });
                text.push_str(words.as_deref().unwrap_or("(not recorded)"));
            }
        }
    }
    text
}

fn later(date: &FhirDate, plus: Option<Length>, as_of: &AsOf) -> String {
    let Some(plus) = plus else { return date.as_str().to_owned() };
    // From the latest moment that a partial date can mean: never too early.
    let latest = date.interval(as_of).latest;
    if plus.unit == LengthUnit::Hours {
        plus.after_moment(latest).to_string()
    } else {
        plus.after(latest.date()).to_string()
    }
}

fn value(patient: &Patient, element: Element) -> Option<String> {
    match element.kind {
        ElementKind::Observation => {
            let observation = patient.observations.get(element.index)?;
            match observation.value.as_ref()? {
                ObservedValue::Quantity(number, _) => {
                    let unit = observation.unit.as_deref().filter(|unit| !unit.starts_with('{') && *unit != "1");
                    Some(unit.map_or_else(
                        || number.normalize().to_string(),
                        |unit| format!("{} {unit}", number.normalize()),
                    ))
                }
                ObservedValue::Text(text) => Some(text.clone()),
                ObservedValue::Coded(coding) => Some(coding.code.clone()),
            }
        }
        ElementKind::Medication => {
            let (number, unit) = patient.medications.get(element.index)?.dose.as_ref()?;
            Some(format!("{} {unit}", number.normalize()))
        }
        ElementKind::Event => patient.events.get(element.index)?.substance.clone(),
        ElementKind::Age => patient.age_years.map(|years| years.to_string()),
        _ => None,
    }
}

fn date(patient: &Patient, element: Element) -> Option<&FhirDate> {
    match element.kind {
        ElementKind::Observation => patient.observations.get(element.index)?.effective.as_ref(),
        ElementKind::Event => patient.events.get(element.index)?.at.as_ref(),
        ElementKind::Medication => {
            let medication = patient.medications.get(element.index)?;
            medication.ended.as_ref().or(medication.started.as_ref())
        }
        ElementKind::Diagnosis => {
            let diagnosis = patient.diagnoses.get(element.index)?;
            diagnosis.onset.as_ref().or(diagnosis.recorded.as_ref())
        }
        _ => None,
    }
}

fn words(patient: &Patient, element: Element) -> Option<String> {
    let text = match element.kind {
        ElementKind::Medication => &patient.medications.get(element.index)?.text,
        ElementKind::Diagnosis => &patient.diagnoses.get(element.index)?.text,
        ElementKind::Allergy => &patient.allergies.get(element.index)?.text,
        ElementKind::Plan => &patient.plans.get(element.index)?.text,
        _ => return None,
    };
    Some(text.clone()).filter(|text| !text.is_empty())
}
