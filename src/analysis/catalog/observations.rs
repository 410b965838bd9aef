//! Measurements, scores and tests.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::codes::{Cell, Known};
use super::moments::{self, Moment};
use super::record::{Entry, UPPER_LIMIT};
use super::{Absent, Builder};
use crate::clinical::concept::ConceptKind;
use crate::clinical::date::FhirDate;
use crate::clinical::patient::{Comparator, List, Observation, ObservedValue};
use crate::clinical::unit::{Substance, Unit, convert};
use crate::rule::model::{Bound, Comparison, ComparisonUnit, Concept, Fact, ObservationTest, Window};
use crate::rule::truth::Truth;

/// A result of the catalog.
struct Made {
    entry: usize,
    cell: usize,
    concepts: BTreeSet<Known>,
    value: Value,
    at: Option<Moment>,
}

/// The value of a result.
#[derive(Clone, PartialEq, Eq)]
enum Value {
    /// In the canonical unit, with or without an upper limit of normal.
    Quantity(Decimal, bool),
    /// A word of the vocabulary.
    Answer(String),
}

/// What the atoms tell apart of a cell beside its codes.
#[derive(Default)]
struct Asked {
    windows: Vec<Window>,
    bounds: BTreeSet<Decimal>,
    multiples: BTreeSet<Decimal>,
    answers: BTreeSet<String>,
}

impl Builder<'_> {
    pub(super) fn observations(&mut self) {
        let mut asked = BTreeSet::new();
        let mut tested = BTreeSet::new();
        for (side, _, fact, _) in self.atoms() {
            let Fact::Observation { concepts, test, .. } = fact else { continue };
            let known = self.known(side, concepts);
            if test.is_some() {
                tested.extend(known.iter().copied());
            }
            asked.extend(known);
        }
        let mut made = Vec::new();
        for (index, cell) in self.codes.cells(ConceptKind::Observation, &asked).iter().enumerate() {
            let asked = self.asked_of_observation(cell);
            let before = self.entries.len();
            self.results_of(index, cell, &asked, &mut made);
            // One result a code: windows of the language look back from now, so
            // that the newest one decides.
            self.exclusive.push((before..self.entries.len()).collect());
        }
        for concept in &tested {
            let of: Vec<&Made> = made.iter().filter(|one| one.concepts.contains(concept)).collect();
            let cells: BTreeSet<usize> = of.iter().map(|one| one.cell).collect();
            if cells.len() > 1 {
                self.exclusive.push(of.iter().map(|one| one.entry).collect());
            }
        }
        for (side, atom, fact, _) in self.atoms() {
            let Fact::Observation { concepts, window, test } = fact else { continue };
            let wanted = self.known(side, concepts);
            let spoken = made.iter().filter(|one| !one.concepts.is_disjoint(&wanted));
            let entries = spoken.filter_map(|one| {
                let inside = moments::inside(one.at.as_ref(), *window, &self.as_of);
                let truth = match (inside, test) {
                    (Truth::False, _) => return None,
                    (inside, None) => inside,
                    // Wherever it stands, a value that fails the test is no value that passes it.
                    (inside, Some(test)) => self.passes(side, &wanted, one, test).and(inside),
                };
                Some((one.entry, truth))
            });
            let entries = entries.collect();
            self.said(side, atom, entries, Absent::UnknownUnlessComplete(List::Observations));
        }
    }

    fn declared(&self, concepts: &BTreeSet<Known>) -> Option<&Concept> {
        let all = concepts.iter().filter_map(|(side, at)| self.sides.get(*side)?.package.concepts.get(*at));
        let mut with_unit = all.filter(|concept| concept.unit.is_some());
        with_unit.next()
    }

    fn asked_of_observation(&self, cell: &Cell) -> Asked {
        let mut asked = Asked::default();
        for (side, _, fact, _) in self.atoms() {
            let Fact::Observation { concepts, window, test } = fact else { continue };
            if self.known(side, concepts).is_disjoint(&cell.concepts) {
                continue;
            }
            asked.windows.extend(Some(*window).filter(|window| !window.is_open()));
            match test {
                Some(ObservationTest::Quantity(range)) if range.unit == ComparisonUnit::UpperLimitOfNormal => {
                    asked.multiples.extend(bounds(range));
                }
                Some(ObservationTest::Quantity(range)) => {
                    let range = self.declared(&cell.concepts).and_then(|concept| canonical(range, concept));
                    asked.bounds.extend(range.iter().flat_map(bounds));
                }
                Some(ObservationTest::Is(answer)) => {
                    let known = self.sides.get(side).map(|one| &one.package.vocabulary.answers);
                    for one in known.into_iter().flatten() {
                        let related = one.id.value == answer.value
                            || one.excludes.contains(&answer.value)
                            || known
                                .into_iter()
                                .flatten()
                                .any(|other| other.id.value == answer.value && other.excludes.contains(&one.id.value));
                        if related {
                            asked.answers.extend(one.words.first().cloned());
                        }
                    }
                }
                None => {}
            }
        }
        asked
    }

    fn results_of(&mut self, index: usize, cell: &Cell, asked: &Asked, made: &mut Vec<Made>) {
        let unit =
            self.declared(&cell.concepts).and_then(|concept| concept.unit.as_ref()).map(|unit| unit.value.clone());
        let counted = unit.as_ref().is_some_and(|unit| unit.starts_with('{'));
        let mut values: Vec<Value> = Vec::new();
        if unit.is_some() {
            values.extend(around(&asked.bounds, counted).into_iter().map(|value| Value::Quantity(value, false)));
            let half = Decimal::new(5, 1);
            for multiple in &asked.multiples {
                for times in [*multiple - half, *multiple, *multiple + half] {
                    values.push(Value::Quantity(times * UPPER_LIMIT, true));
                }
            }
            if values.is_empty() {
                values.push(Value::Quantity(Decimal::ONE, false));
            }
        }
        values.extend(asked.answers.iter().cloned().map(Value::Answer));
        if values.is_empty() {
            let first = self.sides.first().and_then(|side| side.package.vocabulary.answers.first());
            values.extend(first.and_then(|answer| answer.words.first().cloned()).map(Value::Answer));
        }
        values.dedup();
        let dates = moments::between(&asked.windows, &self.as_of);
        for value in values {
            for at in std::iter::once(None).chain(dates.iter().cloned().map(Some)) {
                let (observed, unit, high) = match &value {
                    Value::Quantity(number, limited) => (
                        ObservedValue::Quantity(*number, Comparator::Equal),
                        unit.clone(),
                        limited.then_some(UPPER_LIMIT),
                    ),
                    Value::Answer(word) => (ObservedValue::Text(word.clone()), None, None),
                };
                let observation = Observation {
                    coding: vec![cell.coding.clone()],
                    value: Some(observed),
                    unit,
                    reference_high: high,
                    effective: at.as_ref().and_then(|moment| FhirDate::parse(&moment.text).ok()),
                    ..Observation::default()
                };
                let entry = self.add(Entry::Observation(observation));
                made.push(Made { entry, cell: index, concepts: cell.concepts.clone(), value: value.clone(), at });
            }
        }
    }

    fn passes(&self, side: usize, wanted: &BTreeSet<Known>, one: &Made, test: &ObservationTest) -> Truth {
        match (&one.value, test) {
            (Value::Quantity(value, limited), ObservationTest::Quantity(range)) => {
                if range.unit == ComparisonUnit::UpperLimitOfNormal {
                    return if *limited { inside(*value / UPPER_LIMIT, range) } else { Truth::Unknown };
                }
                let range = self.declared(wanted).and_then(|concept| canonical(range, concept));
                range.map_or(Truth::Unknown, |range| inside(*value, &range))
            }
            (Value::Answer(word), ObservationTest::Is(asked)) => {
                let Some(one) = self.sides.get(side) else { return Truth::Unknown };
                let known = &one.package.vocabulary.answers;
                let meant: Vec<_> = known.iter().filter(|answer| answer.words.contains(word)).collect();
                let wanted = known.iter().find(|answer| answer.id.value == asked.value);
                if meant.iter().any(|answer| answer.id.value == asked.value) {
                    return Truth::True;
                }
                let excluded = meant.iter().any(|answer| {
                    answer.excludes.contains(&asked.value)
                        || wanted.is_some_and(|wanted| wanted.excludes.contains(&answer.id.value))
                });
                if excluded { Truth::False } else { Truth::Unknown }
            }
            _ => Truth::Unknown,
        }
    }
}

fn bounds(range: &Comparison) -> impl Iterator<Item = Decimal> + use<> {
    let ends: Vec<Decimal> = [range.low, range.high].into_iter().flatten().map(|bound| bound.value).collect();
    ends.into_iter()
}

/// The bounds and numbers on both sides of each; counts are whole.
fn around(bounds: &BTreeSet<Decimal>, counted: bool) -> BTreeSet<Decimal> {
    let mut numbers = BTreeSet::new();
    for bound in bounds {
        for number in [bound.saturating_sub(Decimal::ONE), *bound, bound.saturating_add(Decimal::ONE)] {
            if number >= Decimal::ZERO {
                numbers.insert(number);
            }
        }
    }
    if !counted {
        for (low, high) in bounds.iter().zip(bounds.iter().skip(1)) {
            numbers.insert(low.saturating_add(*high) / Decimal::TWO);
        }
    }
    numbers
}

/// A range in the canonical unit of its concept.
fn canonical(range: &Comparison, concept: &Concept) -> Option<Comparison> {
    let ComparisonUnit::Ucum(written) = &range.unit else { return Some(range.clone()) };
    let (from, to) = (Unit::parse(written).ok()?, Unit::parse(concept.unit.as_ref()?).ok()?);
    let substance = Substance { molar_mass: concept.molar_mass, valence: concept.valence };
    let scale = |bound: Option<Bound>| match bound {
        None => Some(None),
        Some(bound) => convert(bound.value, from, to, substance).ok().map(|value| Some(Bound { value, ..bound })),
    };
    Some(Comparison { low: scale(range.low)?, high: scale(range.high)?, unit: ComparisonUnit::Canonical })
}

/// Is a number in the range?
pub fn inside(number: Decimal, range: &Comparison) -> Truth {
    let above = range.low.is_none_or(|low| number > low.value || (low.inclusive && number == low.value));
    let below = range.high.is_none_or(|high| number < high.value || (high.inclusive && number == high.value));
    Truth::of(above && below)
}
