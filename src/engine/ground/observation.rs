//! Observations: units converted or refused, and the newest inside a window.

use rust_decimal::Decimal;

use crate::clinical::code::{CodeSystem, read_code};
use crate::clinical::date::{FhirDate, Interval};
use crate::clinical::patient::{Coding, Comparator, List, Observation, ObservedValue};
use crate::clinical::unit::{Substance, Unit, UnitProblem, convert};
use crate::engine::decision::UnrecognizedReason;
use crate::program::Atom;
use crate::rule::model::{Bound, Comparison, ComparisonUnit, Concept, Fact, ObservationTest, Window};
use crate::rule::truth::Truth;

use super::read::{Codes, Meaning};
use super::record::{Record, by_content};
use super::{Element, ElementKind, Grounder, Witnessed, time};

/// An observation with its meaning.
pub struct ReadObservation {
    pub(super) element: Element,
    pub(super) meaning: Meaning,
    effective: Option<FhirDate>,
    result: ReadResult,
}

/// A result that can be used.
enum ReadResult {
    /// In the canonical unit of its concept.
    Quantity { value: Decimal, comparator: Comparator, times_upper_limit: Option<Decimal> },
    /// Answers that it is, and answers that it is not, by index in the vocabulary.
    Answers { is: Vec<usize>, is_not: Vec<usize> },
}

impl Record<'_> {
    pub(super) fn read_observations(&mut self, codes: &Codes<'_>) {
        let patient = self.patient;
        for index in by_content(&patient.observations) {
            if let Some(observation) = patient.observations.get(index) {
                self.read_observation(codes, index, observation);
            }
        }
    }

    fn read_observation(&mut self, codes: &Codes<'_>, index: usize, observation: &Observation) {
        let element = Element { kind: ElementKind::Observation, index };
        let path = element.path();
        let meaning = codes.meaning(&observation.coding, &path, &mut self.unrecognized);
        if !meaning.concepts.iter().any(|(concept, _)| codes.used.get(*concept).copied().unwrap_or(false)) {
            return;
        }
        if time::after(observation.effective.as_ref(), self.as_of) {
            self.unusable(format!("{path}.effective"), UnrecognizedReason::AfterAsOf, "dated after `as_of`: not used");
            return;
        }
        let declared = meaning
            .concepts
            .iter()
            .filter_map(|(concept, _)| self.package.concepts.get(*concept))
            .find(|concept| concept.unit.is_some());
        match self.result(observation, declared) {
            Ok(result) => {
                self.observations.push(ReadObservation {
                    element,
                    meaning,
                    effective: observation.effective.clone(),
                    result,
                });
            }
            Err((field, reason, detail)) => self.unusable(format!("{path}{field}"), reason, detail),
        }
    }

    fn result(
        &self,
        observation: &Observation,
        declared: Option<&Concept>,
    ) -> Result<ReadResult, (&'static str, UnrecognizedReason, &'static str)> {
        match &observation.value {
            None => Err(("", UnrecognizedReason::Value, "no value: not used")),
            Some(ObservedValue::Quantity(value, comparator)) => {
                let Some(concept) = declared else {
                    return Err((
                        ".value",
                        UnrecognizedReason::Value,
                        "a number, where an answer is looked for: not used",
                    ));
                };
                let canonical = concept.unit.as_ref().and_then(|unit| Unit::parse(unit).ok());
                let value_in = |value: Decimal| quantity(value, observation.unit.as_deref(), canonical, concept);
                let value = value_in(*value)?;
                let high = observation.reference_high.filter(|high| *high > Decimal::ZERO);
                let high = high.and_then(|high| value_in(high).ok());
                let times_upper_limit = high.and_then(|high| value.checked_div(high));
                Ok(ReadResult::Quantity { value, comparator: *comparator, times_upper_limit })
            }
            Some(ObservedValue::Text(text)) => {
                let word = text.trim().to_ascii_lowercase();
                self.answers(|answer| answer.words.contains(&word)).ok_or((
                    ".value_text",
                    UnrecognizedReason::Value,
                    "words that are no answer of the package: not used",
                ))
            }
            Some(ObservedValue::Coded(coding)) => {
                self.answers(|answer| answer.codings.iter().any(|known| same_code(known, coding))).ok_or((
                    ".value_coding",
                    UnrecognizedReason::Value,
                    "a code that is no answer of the package: not used",
                ))
            }
        }
    }

    fn answers(&self, is: impl Fn(&crate::rule::model::Answer) -> bool) -> Option<ReadResult> {
        let known = &self.package.vocabulary.answers;
        let matched: Vec<usize> = (0..known.len()).filter(|at| known.get(*at).is_some_and(&is)).collect();
        if matched.is_empty() {
            return None;
        }
        let excludes = |a: usize, b: usize| {
            let id = known.get(b).map(|answer| &answer.id.value);
            known.get(a).zip(id).is_some_and(|(answer, id)| answer.excludes.contains(id))
        };
        let is_not = (0..known.len())
            .filter(|at| matched.iter().any(|matched| excludes(*matched, *at) || excludes(*at, *matched)))
            .collect();
        Some(ReadResult::Answers { is: matched, is_not })
    }

    /// Truth of an observation atom: the newest inside the window counts.
    pub(super) fn observation(&self, grounder: &Grounder, atom: &Atom) -> Witnessed {
        let Fact::Observation { concepts, window, test } = &atom.fact else {
            return Witnessed::new(Truth::Unknown, Vec::new());
        };
        let concept = concepts.first().and_then(|name| grounder.concept(&name.value));
        let inside: Vec<(&ReadObservation, Truth)> = self
            .observations
            .iter()
            .filter(|one| concept.is_some_and(|concept| one.meaning.of(concept).is_some()))
            .map(|one| (one, self.in_window(one, *window)))
            .filter(|(_, inside)| *inside != Truth::False)
            .collect();
        if inside.is_empty() {
            return Witnessed::new(self.absent(List::Observations, atom.absent_unknown), Vec::new());
        }
        let Some(test) = test else {
            let truth = inside.iter().map(|(_, inside)| *inside).fold(Truth::False, Truth::or);
            return Witnessed::new(truth, inside.iter().map(|(one, _)| one.element).collect());
        };
        let newest =
            newest(&inside, |one| one.effective.as_ref().map(|date| time::clip(date.interval(self.as_of), self.as_of)));
        let mut truths = newest.iter().map(|(one, inside)| self.passes(one, test, concept).and(decided(*inside)));
        let first = truths.next().unwrap_or(Truth::Unknown);
        // Results that may each be the newest decide only where they agree.
        let truth = if truths.all(|truth| truth == first) { first } else { Truth::Unknown };
        Witnessed::new(truth, newest.iter().map(|(one, _)| one.element).collect())
    }

    fn in_window(&self, one: &ReadObservation, window: Window) -> Truth {
        time::inside(one.effective.as_ref(), window, self.as_of)
    }

    fn passes(&self, one: &ReadObservation, test: &ObservationTest, concept: Option<usize>) -> Truth {
        match (&one.result, test) {
            (ReadResult::Quantity { value, comparator, times_upper_limit }, ObservationTest::Quantity(range)) => {
                if range.unit == ComparisonUnit::UpperLimitOfNormal {
                    return times_upper_limit.map_or(Truth::Unknown, |times| compare(times, *comparator, range));
                }
                let concept = concept.and_then(|concept| self.package.concepts.get(concept));
                canonical_range(range, concept).map_or(Truth::Unknown, |range| compare(*value, *comparator, &range))
            }
            (ReadResult::Answers { is, is_not }, ObservationTest::Is(answer)) => {
                let known = &self.package.vocabulary.answers;
                let asked = known.iter().position(|one| one.id.value == answer.value);
                match asked {
                    Some(asked) if is.contains(&asked) => Truth::True,
                    Some(asked) if is_not.contains(&asked) => Truth::False,
                    _ => Truth::Unknown,
                }
            }
            _ => Truth::Unknown,
        }
    }
}

/// A result whose being in the window is unknown decides nothing.
fn decided(inside: Truth) -> Truth {
    if inside == Truth::True { Truth::True } else { Truth::Unknown }
}

/// The results that may be the newest: none other is surely later. An undated
/// one may be.
fn newest<'a>(
    results: &[(&'a ReadObservation, Truth)],
    interval: impl Fn(&ReadObservation) -> Option<Interval>,
) -> Vec<(&'a ReadObservation, Truth)> {
    let latest_start = results.iter().filter_map(|(one, _)| interval(one)).map(|interval| interval.earliest).max();
    results
        .iter()
        .filter(|(one, _)| match (interval(one), latest_start) {
            (Some(interval), Some(latest)) => interval.latest >= latest,
            _ => true,
        })
        .copied()
        .collect()
}

type Fault = (&'static str, UnrecognizedReason, &'static str);

fn quantity(value: Decimal, unit: Option<&str>, canonical: Option<Unit>, concept: &Concept) -> Result<Decimal, Fault> {
    let dimensionless = concept.unit.as_ref().is_some_and(|unit| unit.value.starts_with('{') || unit.value == "1");
    let unit = match unit {
        // A count has no unit: leaving it out guesses nothing.
        None if dimensionless => return Ok(value),
        None => return Err((".unit", UnrecognizedReason::Unit, "no unit: the value is not used; send the UCUM unit")),
        Some(unit) => unit,
    };
    let fault = |detail| Err((".unit", UnrecognizedReason::Unit, detail));
    let Some(canonical) = canonical else {
        return fault("the package states no unit to convert to: the value is not used");
    };
    let Ok(from) = Unit::parse(unit) else {
        return fault("not a UCUM unit that Concord knows (UCUM is case-sensitive): the value is not used");
    };
    let substance = Substance { molar_mass: concept.molar_mass, valence: concept.valence };
    match convert(value, from, canonical, substance) {
        Ok(value) => Ok(value),
        Err(UnitProblem::OutOfRange) => fault("the value is out of range once converted: not used"),
        Err(_) => fault("the unit can't be converted to the unit of what was observed: the value is not used"),
    }
}

/// A range in the canonical unit of its concept.
fn canonical_range(range: &Comparison, concept: Option<&Concept>) -> Option<Comparison> {
    let ComparisonUnit::Ucum(written) = &range.unit else { return Some(range.clone()) };
    let concept = concept?;
    let (from, to) = (Unit::parse(written).ok()?, Unit::parse(concept.unit.as_ref()?).ok()?);
    let substance = Substance { molar_mass: concept.molar_mass, valence: concept.valence };
    let scale = |bound: Option<Bound>| -> Option<Option<Bound>> {
        let Some(bound) = bound else { return Some(None) };
        let value = convert(bound.value, from, to, substance).ok()?;
        Some(Some(Bound { value, ..bound }))
    };
    Some(Comparison { low: scale(range.low)?, high: scale(range.high)?, unit: ComparisonUnit::Canonical })
}

/// Does a value, known or bounded, lie in the range?
fn compare(value: Decimal, comparator: Comparator, range: &Comparison) -> Truth {
    // The values that are possible: from `low` to `high`, ends in or out.
    let (low, high) = match comparator {
        Comparator::Equal => (Some((value, true)), Some((value, true))),
        Comparator::Less => (None, Some((value, false))),
        Comparator::LessOrEqual => (None, Some((value, true))),
        Comparator::GreaterOrEqual => (Some((value, true)), None),
        Comparator::Greater => (Some((value, false)), None),
    };
    let above = range.low.map_or(Truth::True, |bound| {
        let surely = low.is_some_and(|(least, reached)| {
            least > bound.value || (least == bound.value && (bound.inclusive || !reached))
        });
        let never = high.is_some_and(|(most, reached)| {
            most < bound.value || (most == bound.value && !(bound.inclusive && reached))
        });
        three(surely, never)
    });
    let below = range.high.map_or(Truth::True, |bound| {
        let surely = high.is_some_and(|(most, reached)| {
            most < bound.value || (most == bound.value && (bound.inclusive || !reached))
        });
        let never = low.is_some_and(|(least, reached)| {
            least > bound.value || (least == bound.value && !(bound.inclusive && reached))
        });
        three(surely, never)
    });
    above.and(below)
}

fn three(surely: bool, never: bool) -> Truth {
    match (surely, never) {
        (true, _) => Truth::True,
        (_, true) => Truth::False,
        _ => Truth::Unknown,
    }
}

fn same_code((system, code): &(String, String), coding: &Coding) -> bool {
    let read = |system: &str, code: &str| {
        let system = CodeSystem::resolve(system).ok()?;
        Some((system, read_code(system, code).ok()?.code))
    };
    let known = read(system, code);
    known.is_some() && known == read(&coding.system, &coding.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: Option<(i64, bool)>, high: Option<(i64, bool)>) -> Comparison {
        let bound = |(value, inclusive)| Bound { value: Decimal::from(value), inclusive };
        Comparison { low: low.map(bound), high: high.map(bound), unit: ComparisonUnit::Canonical }
    }

    #[test]
    fn a_bounded_value_decides_only_what_it_bounds() {
        let at_least = range(Some((500, true)), None);
        let five = Decimal::from(500);
        let cases = [
            (five, Comparator::Equal, Truth::True),
            (five, Comparator::Greater, Truth::True),
            (five, Comparator::GreaterOrEqual, Truth::True),
            (five, Comparator::Less, Truth::False),
            (five, Comparator::LessOrEqual, Truth::Unknown),
            (Decimal::from(450), Comparator::Greater, Truth::Unknown),
            (Decimal::from(450), Comparator::LessOrEqual, Truth::False),
        ];
        for (value, comparator, truth) in cases {
            assert_eq!(compare(value, comparator, &at_least), truth, "{value} {comparator:?}");
        }
        let above = range(Some((500, false)), None);
        assert_eq!(compare(five, Comparator::Equal, &above), Truth::False);
        assert_eq!(compare(five, Comparator::Greater, &above), Truth::True);
        assert_eq!(compare(five, Comparator::GreaterOrEqual, &above), Truth::Unknown);
        let band = range(Some((450, true)), Some((500, false)));
        assert_eq!(compare(five, Comparator::Equal, &band), Truth::False);
        assert_eq!(compare(five, Comparator::Less, &band), Truth::Unknown);
        assert_eq!(compare(Decimal::from(450), Comparator::Less, &band), Truth::False);
    }
}
