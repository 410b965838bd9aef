//! Medications.

use crate::clinical::patient::{List, Medication, MedicationStatus};
use crate::clinical::unit::{Unit, convert};
use crate::engine::decision::UnrecognizedReason;
use crate::program::Atom;
use crate::rule::model::{Comparison, ComparisonUnit, Fact, MedicationTest, Name};
use crate::rule::truth::Truth;

use super::read::{Codes, Meaning};
use super::record::{Record, by_content, within};
use super::{Element, ElementKind, Grounder, Witnessed, time};

/// A medication with its meaning.
pub struct ReadMedication {
    pub(super) element: Element,
    pub(super) meaning: Meaning,
    pub(super) reasons: Meaning,
    /// None: not stated.
    status: Option<MedicationStatus>,
}

impl Record<'_> {
    pub(super) fn read_medications(&mut self, codes: &Codes<'_>) {
        let patient = self.patient;
        for index in by_content(&patient.medications) {
            if let Some(medication) = patient.medications.get(index) {
                self.read_medication(codes, index, medication);
            }
        }
    }

    fn read_medication(&mut self, codes: &Codes<'_>, index: usize, medication: &Medication) {
        let element = Element { kind: ElementKind::Medication, index };
        let path = element.path();
        let meaning = codes.meaning(&medication.coding, &path, &mut self.unrecognized);
        let reasons = if medication.reason.is_empty() {
            Meaning::default()
        } else {
            let mut named = Vec::new();
            let reasons = codes.meaning(&medication.reason, &path, &mut named);
            self.unrecognized.extend(named.into_iter().map(|mut one| {
                one.path = one.path.replace(".coding[", ".reason[");
                one
            }));
            reasons
        };
        let mut status = medication.status;
        if status != Some(MedicationStatus::Planned) && time::after(medication.started.as_ref(), self.as_of) {
            self.unusable(
                format!("{path}.started"),
                UnrecognizedReason::AfterAsOf,
                "started after `as_of`: the entry is not used",
            );
            return;
        }
        if time::after(medication.ended.as_ref(), self.as_of) {
            self.unusable(
                format!("{path}.ended"),
                UnrecognizedReason::AfterAsOf,
                "ends after `as_of`: read as taken until then",
            );
            if status == Some(MedicationStatus::Stopped) {
                status = Some(MedicationStatus::Current);
            }
        } else if medication.ended.is_some() && status == Some(MedicationStatus::Current) {
            self.unusable(
                format!("{path}.ended"),
                UnrecognizedReason::Contradictory,
                "current, and ended: whether it is taken now is read as unknown",
            );
            status = None;
        }
        if medication.status.is_none() {
            self.reading(
                path.clone(),
                "absent-medication-status",
                "no status: whether it is taken now is read as unknown",
            );
        }
        self.name_dose(medication, &path);
        if !meaning.understood && status != Some(MedicationStatus::Stopped) {
            self.not_mapped(List::Medications, element);
        }
        self.medications.push(ReadMedication { element, meaning, reasons, status });
    }

    fn name_dose(&mut self, medication: &Medication, path: &str) {
        let Some((value, unit)) = &medication.dose else { return };
        if daily(*value, unit).is_none() {
            self.unusable(
                format!("{path}.dose.unit"),
                UnrecognizedReason::Unit,
                "not a daily mass in UCUM (`mg/d`): the dose is not used",
            );
        }
    }

    /// Truth of a medication atom.
    pub(super) fn medication(&self, grounder: &Grounder, atom: &Atom) -> Witnessed {
        let Fact::Medication { concepts, .. } = &atom.fact else {
            return Witnessed::new(Truth::Unknown, Vec::new());
        };
        let concept = concepts.first().and_then(|name| grounder.concept(&name.value));
        let mut truth = Truth::False;
        let mut elements = Vec::new();
        for entry in &self.medications {
            if concept.is_none_or(|concept| entry.meaning.of(concept).is_none()) {
                continue;
            }
            let fits = self.medication_fits(grounder, entry, &atom.fact);
            if fits > truth {
                elements.clear();
            }
            if fits >= truth {
                elements.push(entry.element);
            }
            truth = truth.or(fits);
        }
        self.or_absent(Witnessed::new(truth, elements), List::Medications, atom.absent_unknown)
    }

    fn medication_fits(&self, grounder: &Grounder, entry: &ReadMedication, fact: &Fact) -> Truth {
        let Fact::Medication { status, started, ended, given_for, not_given_for, daily_dose, .. } = fact else {
            return Truth::Unknown;
        };
        let Some(medication) = self.patient.medications.get(entry.element.index) else { return Truth::False };
        let is = |wanted: &[MedicationStatus]| match entry.status {
            Some(status) => Truth::of(wanted.contains(&status)),
            None => Truth::Unknown,
        };
        let status = match status {
            MedicationTest::Current => is(&[MedicationStatus::Current]),
            MedicationTest::Planned => is(&[MedicationStatus::Planned]),
            MedicationTest::Stopped => is(&[MedicationStatus::Stopped]),
            MedicationTest::CurrentOrPlanned => is(&[MedicationStatus::Current, MedicationStatus::Planned]),
            MedicationTest::Ever => Truth::True,
        };
        let reason = |names: &[Name], unstated: Truth| {
            if names.is_empty() {
                return Truth::True;
            }
            if medication.reason.is_empty() {
                return unstated;
            }
            let given = names
                .iter()
                .any(|name| grounder.concept(&name.value).is_some_and(|concept| entry.reasons.of(concept).is_some()));
            if given || entry.reasons.understood { Truth::of(given) } else { Truth::Unknown }
        };
        // Without a stated reason nothing says that it is given for the other thing.
        let not_for = if not_given_for.is_empty() { Truth::True } else { reason(not_given_for, Truth::False).negate() };
        status
            .and(time::inside(medication.started.as_ref(), *started, self.as_of))
            .and(time::inside(medication.ended.as_ref(), *ended, self.as_of))
            .and(reason(given_for, Truth::Unknown))
            .and(not_for)
            .and(daily_dose.as_ref().map_or(Truth::True, |range| dose_fits(medication, range)))
    }
}

/// A daily total in mg/d; `mg` reads as a day's total.
fn daily(value: rust_decimal::Decimal, unit: &str) -> Option<rust_decimal::Decimal> {
    let target = Unit::parse("mg/d").ok()?;
    let by_day = if unit.contains('/') { unit.to_owned() } else { format!("{unit}/d") };
    convert(value, Unit::parse(&by_day).ok()?, target, None).ok()
}

fn dose_fits(medication: &Medication, range: &Comparison) -> Truth {
    let ComparisonUnit::Ucum(unit) = &range.unit else { return Truth::Unknown };
    let dose = medication.dose.as_ref().and_then(|(value, unit)| daily(*value, unit));
    let scale = |bound: crate::rule::model::Bound| {
        daily(bound.value, unit).map(|value| crate::rule::model::Bound { value, ..bound })
    };
    let scaled = Comparison {
        low: range.low.and_then(scale),
        high: range.high.and_then(scale),
        unit: ComparisonUnit::Canonical,
    };
    dose.map_or(Truth::Unknown, |dose| Truth::of(within(&scaled, dose)))
}
