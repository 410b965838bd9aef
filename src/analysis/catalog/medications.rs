//! Medications.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::codes::{Cell, Known};
use super::moments::{self, Moment};
use super::record::Entry;
use super::{Absent, Builder, Reading, Said};
use crate::clinical::concept::ConceptKind;
use crate::clinical::date::FhirDate;
use crate::clinical::patient::{List, Medication, MedicationStatus};
use crate::clinical::unit::{Unit, convert};
use crate::rule::model::{Comparison, ComparisonUnit, Fact, MedicationTest, Name, Window};
use crate::rule::truth::Truth;

/// A medication of the catalog.
struct Made {
    entry: usize,
    concepts: BTreeSet<Known>,
    status: MedicationStatus,
    started: Option<Moment>,
    ended: Option<Moment>,
    /// In mg/d.
    dose: Option<Decimal>,
    /// Concepts of why it is given; none where no reason is stated.
    reasons: Option<BTreeSet<Known>>,
}

/// What the atoms tell apart of a cell beside its codes.
#[derive(Default)]
struct Asked {
    started: Vec<Window>,
    ended: Vec<Window>,
    doses: BTreeSet<Decimal>,
    reasons: BTreeSet<Known>,
}

impl Builder<'_> {
    pub(super) fn medications(&mut self) {
        let mut asked = BTreeSet::new();
        for (side, _, fact, _) in self.atoms() {
            if let Fact::Medication { concepts, .. } = fact {
                asked.extend(self.known(side, concepts));
            }
        }
        let mut made = Vec::new();
        for cell in self.codes.cells(ConceptKind::Medication, &asked) {
            let asked = self.asked_of_medication(&cell);
            self.medications_of(&cell, &asked, &mut made);
        }
        for (side, atom, fact, absent_unknown) in self.atoms() {
            let Fact::Medication { concepts, .. } = fact else { continue };
            let wanted = self.known(side, concepts);
            let spoken: Vec<&Made> = made.iter().filter(|one| !one.concepts.is_disjoint(&wanted)).collect();
            let fits = spoken.iter().map(|one| (one.entry, self.medication_fits(side, one, fact)));
            // An entry that does not fit says nothing of others.
            let entries = fits.filter(|(_, truth)| *truth != Truth::False).collect();
            let absent = if absent_unknown {
                Absent::UnknownUnlessComplete(List::Medications)
            } else {
                Absent::FalseUnlessPartial(List::Medications)
            };
            self.read(side, atom, Reading::Said(Said { entries, absent }));
        }
    }

    fn asked_of_medication(&self, cell: &Cell) -> Asked {
        let mut asked = Asked::default();
        for (side, _, fact, _) in self.atoms() {
            let Fact::Medication { concepts, started, ended, given_for, not_given_for, daily_dose, .. } = fact else {
                continue;
            };
            if self.known(side, concepts).is_disjoint(&cell.concepts) {
                continue;
            }
            asked.started.extend(Some(*started).filter(|window| !window.is_open()));
            asked.ended.extend(Some(*ended).filter(|window| !window.is_open()));
            asked.reasons.extend(self.known(side, given_for));
            asked.reasons.extend(self.known(side, not_given_for));
            for bound in daily_dose.iter().flat_map(|range| [range.low, range.high]).flatten() {
                let value = daily_dose.as_ref().and_then(|range| milligrams(bound.value, range));
                let Some(value) = value else { continue };
                asked.doses.extend([value.saturating_sub(Decimal::ONE), value, value.saturating_add(Decimal::ONE)]);
            }
        }
        asked
    }

    fn medications_of(&mut self, cell: &Cell, asked: &Asked, made: &mut Vec<Made>) {
        let moments = |windows: &[Window]| -> Vec<Option<Moment>> {
            let some = if windows.is_empty() { Vec::new() } else { moments::between(windows, &self.as_of) };
            std::iter::once(None).chain(some.into_iter().map(Some)).collect()
        };
        let (started, ended) = (moments(&asked.started), moments(&asked.ended));
        let doses: Vec<Option<Decimal>> = std::iter::once(None).chain(asked.doses.iter().copied().map(Some)).collect();
        let reasons: Vec<Option<Cell>> = std::iter::once(None)
            .chain(self.codes.cells(ConceptKind::Diagnosis, &asked.reasons).into_iter().map(Some))
            .collect();
        for status in [MedicationStatus::Current, MedicationStatus::Planned, MedicationStatus::Stopped] {
            for started in &started {
                for ended in &ended {
                    // What has ended is not taken, and what has not is not stopped on a day.
                    if ended.is_some() && status != MedicationStatus::Stopped
                        || started.is_some() && status == MedicationStatus::Planned
                        || started.is_some() && ended.is_some()
                    {
                        continue;
                    }
                    for dose in &doses {
                        for reason in &reasons {
                            let medication = Medication {
                                coding: vec![cell.coding.clone()],
                                status: Some(status),
                                started: started.as_ref().and_then(date),
                                ended: ended.as_ref().and_then(date),
                                dose: dose.map(|dose| (dose, "mg/d".to_owned())),
                                reason: reason.iter().map(|cell| cell.coding.clone()).collect(),
                                ..Medication::default()
                            };
                            let entry = self.add(Entry::Medication(medication));
                            made.push(Made {
                                entry,
                                concepts: cell.concepts.clone(),
                                status,
                                started: started.clone(),
                                ended: ended.clone(),
                                dose: *dose,
                                reasons: reason.as_ref().map(|cell| cell.concepts.clone()),
                            });
                        }
                    }
                }
            }
        }
    }

    fn medication_fits(&self, side: usize, one: &Made, fact: &Fact) -> Truth {
        let Fact::Medication { status, started, ended, given_for, not_given_for, daily_dose, .. } = fact else {
            return Truth::Unknown;
        };
        let status = match status {
            MedicationTest::Current => one.status == MedicationStatus::Current,
            MedicationTest::Planned => one.status == MedicationStatus::Planned,
            MedicationTest::Stopped => one.status == MedicationStatus::Stopped,
            MedicationTest::CurrentOrPlanned => one.status != MedicationStatus::Stopped,
            MedicationTest::Ever => true,
        };
        let given = |names: &[Name], unstated: Truth| match &one.reasons {
            None => unstated,
            Some(reasons) => Truth::of(!reasons.is_disjoint(&self.known(side, names))),
        };
        let given_for = if given_for.is_empty() { Truth::True } else { given(given_for, Truth::Unknown) };
        let not_for = if not_given_for.is_empty() { Truth::True } else { given(not_given_for, Truth::False).negate() };
        let dose = daily_dose.as_ref().map_or(Truth::True, |range| match one.dose {
            None => Truth::Unknown,
            Some(dose) => dose_inside(dose, range),
        });
        Truth::of(status)
            .and(moments::inside(one.started.as_ref(), *started, &self.as_of))
            .and(moments::inside(one.ended.as_ref(), *ended, &self.as_of))
            .and(given_for)
            .and(not_for)
            .and(dose)
    }
}

fn date(moment: &Moment) -> Option<FhirDate> {
    FhirDate::parse(&moment.text).ok()
}

fn milligrams(value: Decimal, range: &Comparison) -> Option<Decimal> {
    let ComparisonUnit::Ucum(unit) = &range.unit else { return None };
    convert(value, Unit::parse(unit).ok()?, Unit::parse("mg/d").ok()?, None).ok()
}

fn dose_inside(dose: Decimal, range: &Comparison) -> Truth {
    let low = range.low.map(|bound| (milligrams(bound.value, range), bound.inclusive));
    let high = range.high.map(|bound| (milligrams(bound.value, range), bound.inclusive));
    let above = low.is_none_or(|(at, inclusive)| at.is_some_and(|at| dose > at || (inclusive && dose == at)));
    let below = high.is_none_or(|(at, inclusive)| at.is_some_and(|at| dose < at || (inclusive && dose == at)));
    Truth::of(above && below)
}
