//! Observations: the newest result inside a window, in a part of the scale.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;

use super::cells::{Cells, Possible};
use super::window::narrower;
use super::{Ground, Theory, of_kind, single};
use crate::analysis::logic::{Lit, Rails};
use crate::clinical::patient::List;
use crate::clinical::unit::{Substance, Unit, convert};
use crate::program::Atom;
use crate::rule::model::{Bound, Comparison, ComparisonUnit, Concept, Fact, ObservationTest, Package, Window};

/// A scale on which results of a concept are compared: its unit, `ULN`, or a
/// unit that can't be converted.
type Scale = String;

/// What a word or code says: answers that it is, and answers that it is not.
pub type Said = (BTreeSet<usize>, BTreeSet<usize>);

/// What is known of the results of a concept in a window.
struct Newest {
    /// A result that is not surely outside.
    some: Lit,
    /// A result that is surely inside.
    on: Lit,
    /// Each that may be the newest is surely inside.
    sure: Lit,
    /// By scale; answers under the empty name.
    possible: BTreeMap<Scale, Possible>,
}

struct Axes<'a> {
    scales: BTreeMap<Scale, Cells<Decimal>>,
    /// Answers that are told apart: what a word says of each answer.
    answers: &'a [Said],
}

const ANSWERS: &str = "";

pub fn facts(ground: &mut Ground<'_>, atoms: &[&Atom]) -> HashMap<usize, Rails> {
    let asked = of_kind(atoms, |fact| matches!(fact, Fact::Observation { .. }));
    let answers = &ground.theory.answers;
    let mut cuts: BTreeMap<&str, BTreeMap<Scale, Vec<Decimal>>> = BTreeMap::new();
    for (_, atom) in &asked {
        let Fact::Observation { concepts, test, .. } = &atom.fact else { continue };
        let of = cuts.entry(single(concepts)).or_default();
        if let Some(ObservationTest::Quantity(range)) = test {
            let (scale, low, high) = on_scale(ground.theory, single(concepts), range);
            of.entry(scale).or_default().extend([low, high].into_iter().flatten().map(|end| end.value));
        }
    }
    let axes: BTreeMap<&str, Axes<'_>> = cuts
        .into_iter()
        .map(|(concept, scales)| {
            let scales = scales.into_iter().map(|(scale, cuts)| (scale, Cells::new(cuts))).collect();
            (concept, Axes { scales, answers })
        })
        .collect();
    let mut newest: BTreeMap<&str, BTreeMap<Window, Newest>> = BTreeMap::new();
    for (_, atom) in &asked {
        let Fact::Observation { concepts, window, .. } = &atom.fact else { continue };
        if let Some(axes) = axes.get(single(concepts)) {
            let of = newest.entry(single(concepts)).or_default();
            of.entry(*window).or_insert_with(|| Newest::new(ground, axes));
        }
    }
    relate(ground, &newest);
    let mut found = HashMap::new();
    for (at, atom) in &asked {
        let Fact::Observation { concepts, window, test } = &atom.fact else { continue };
        let concept = single(concepts);
        let newest = newest.get(concept).and_then(|of| of.get(window));
        let (Some(axes), Some(newest)) = (axes.get(concept), newest) else { continue };
        found.insert(*at, newest.truth(ground, axes, concept, test.as_ref(), atom.absent_unknown));
    }
    found
}

impl Newest {
    fn new(ground: &mut Ground<'_>, axes: &Axes<'_>) -> Self {
        let logic = &mut *ground.logic;
        let [some, on, sure, number, word] = [(); 5].map(|()| logic.fresh());
        logic.assert(&[!on, some]);
        logic.assert(&[!sure, on]);
        logic.assert(&[!number, !word]);
        let mut possible = BTreeMap::new();
        for (scale, cells) in &axes.scales {
            // A number has its place in the unit of the concept; in multiples
            // of a limit only where the limit came with it.
            let known = logic.fresh();
            logic.assert(&[!known, number]);
            possible.insert(scale.clone(), Possible::new(logic, known, cells.pieces().len()));
        }
        possible.insert(ANSWERS.to_owned(), Possible::new(logic, word, axes.answers.len()));
        Self { some, on, sure, possible }
    }

    /// What is sure in a window is the newest in the wider one too, where it is on record.
    fn is_newest_of(&self, wider: &Self, ground: &mut Ground<'_>) {
        ground.logic.assert(&[!self.sure, wider.sure]);
        for (own, wide) in self.possible.values().zip(wider.possible.values()) {
            let same = std::iter::once((own.known, wide.known))
                .chain(own.kinds.iter().copied().zip(wide.kinds.iter().copied()));
            for (a, b) in same {
                ground.logic.assert(&[!self.on, !a, b]);
                ground.logic.assert(&[!self.on, a, !b]);
            }
        }
    }

    fn truth(
        &self,
        ground: &mut Ground<'_>,
        axes: &Axes<'_>,
        concept: &str,
        test: Option<&ObservationTest>,
        absent_unknown: bool,
    ) -> Rails {
        let absent = ground.absent(List::Observations, absent_unknown);
        let (scale, passing, failing) = match test {
            None => {
                let found = Rails { yes: self.on, no: ground.logic.never() };
                return ground.choose(self.some, found, absent);
            }
            Some(ObservationTest::Quantity(range)) => {
                let (scale, low, high) = on_scale(ground.theory, concept, range);
                let end = |bound: Option<Bound>| bound.map(|bound| (bound.value, bound.inclusive));
                let (low, high) = (end(low), end(high));
                let passing = axes.scales.get(&scale).map_or_else(Vec::new, |cells| {
                    cells.inside(low.as_ref().map(|(v, i)| (v, *i)), high.as_ref().map(|(v, i)| (v, *i)))
                });
                let failing = passing.iter().map(|inside| !inside).collect();
                (scale, passing, failing)
            }
            Some(ObservationTest::Is(answer)) => {
                let known = &ground.theory.package.vocabulary.answers;
                let asked = known.iter().position(|one| one.id.value == answer.value).unwrap_or(usize::MAX);
                let passing: Vec<bool> = axes.answers.iter().map(|(is, _)| is.contains(&asked)).collect();
                let failing: Vec<bool> =
                    axes.answers.iter().map(|(is, is_not)| !is.contains(&asked) && is_not.contains(&asked)).collect();
                (ANSWERS.to_owned(), passing, failing)
            }
        };
        let Some(possible) = self.possible.get(&scale) else { return ground.unknown() };
        let passes = possible.only(ground.logic, &passing);
        let fails = possible.only(ground.logic, &failing);
        let found = Rails { yes: ground.logic.and(&[passes, self.sure]), no: fails };
        ground.choose(self.some, found, absent)
    }
}

/// A result in a window is one in every wider window, and the newest there too
/// where nothing can be newer.
fn relate(ground: &mut Ground<'_>, newest: &BTreeMap<&str, BTreeMap<Window, Newest>>) {
    let theory = ground.theory;
    for (part, of_part) in newest {
        for (narrow, lower) in of_part {
            for (whole, of_whole) in theory.within.above(part).filter_map(|whole| newest.get_key_value(whole)) {
                for (wide, upper) in of_whole {
                    if (part == whole && narrow == wide) || !narrower(*narrow, *wide) {
                        continue;
                    }
                    ground.logic.assert(&[!lower.some, upper.some]);
                    ground.logic.assert(&[!lower.on, upper.on]);
                    if part == whole && narrow.more_than == wide.more_than {
                        lower.is_newest_of(upper, ground);
                    }
                }
            }
        }
    }
}

/// What the words and codes of the package say, each once.
pub fn answers(package: &Package) -> Vec<Said> {
    let known = &package.vocabulary.answers;
    let mut said: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (at, answer) in known.iter().enumerate() {
        for word in &answer.words {
            said.entry(format!("word {word}")).or_default().insert(at);
        }
        for (system, code) in &answer.codings {
            said.entry(format!("code {system} {code}")).or_default().insert(at);
        }
    }
    let excludes = |a: usize, b: usize| {
        let id = known.get(b).map(|answer| &answer.id.value);
        known.get(a).zip(id).is_some_and(|(answer, id)| answer.excludes.contains(id))
    };
    let kinds: BTreeSet<Said> = said
        .into_values()
        .map(|is| {
            let is_not = (0..known.len()).filter(|at| is.iter().any(|one| excludes(*one, *at) || excludes(*at, *one)));
            let is_not = is_not.collect();
            (is, is_not)
        })
        .collect();
    kinds.into_iter().collect()
}

/// A range on the scale it is compared on, with its ends in the unit of the scale.
fn on_scale(theory: &Theory<'_>, concept: &str, range: &Comparison) -> (Scale, Option<Bound>, Option<Bound>) {
    let declared = theory.concept(concept);
    let unit = declared.and_then(|concept| concept.unit.as_ref()).map_or("1", |unit| unit.value.as_str());
    match &range.unit {
        ComparisonUnit::UpperLimitOfNormal => ("ULN".to_owned(), range.low, range.high),
        ComparisonUnit::Ucum(written) => {
            let scaled = |bound: Option<Bound>| match bound {
                Some(bound) => scale(bound, written, declared).map(Some),
                None => Some(None),
            };
            match scaled(range.low).zip(scaled(range.high)) {
                Some((low, high)) => (format!("unit {unit}"), low, high),
                None => (format!("unit {written}"), range.low, range.high),
            }
        }
        ComparisonUnit::Canonical => (format!("unit {unit}"), range.low, range.high),
    }
}

fn scale(bound: Bound, written: &str, concept: Option<&Concept>) -> Option<Bound> {
    let concept = concept?;
    let (from, to) = (Unit::parse(written).ok()?, Unit::parse(concept.unit.as_ref()?).ok()?);
    let substance = Substance { molar_mass: concept.molar_mass, valence: concept.valence };
    convert(bound.value, from, to, substance).ok().map(|value| Bound { value, ..bound })
}
