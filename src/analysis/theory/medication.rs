//! Medications and allergies: groups of entries by status.

use std::collections::{BTreeMap, HashMap};

use super::window::narrower;
use super::{Ground, of_kind, single, sorted};
use crate::analysis::logic::{Lit, Rails};
use crate::clinical::patient::List;
use crate::program::Atom;
use crate::rule::model::{Bound, Comparison, Fact, MedicationTest, Window};

/// Groups of entries: taken, planned, stopped, without status.
const GROUPS: usize = 4;
const UNSTATED: usize = 3;

/// What a fact asks of an entry beside its concept and status.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    started: Window,
    ended: Window,
    given_for: Vec<String>,
    not_given_for: Vec<String>,
    dose: Option<(Option<Bound>, Option<Bound>, String)>,
}

impl Asked {
    fn narrower(&self, other: &Self) -> bool {
        let subset = |a: &[String], b: &[String]| a.iter().all(|one| b.contains(one));
        let given =
            other.given_for.is_empty() || (!self.given_for.is_empty() && subset(&self.given_for, &other.given_for));
        let dose = match (&self.dose, &other.dose) {
            (_, None) => true,
            (Some((low, high, unit)), Some((wide_low, wide_high, wide_unit))) => {
                unit == wide_unit && above(*low, *wide_low) && below(*high, *wide_high)
            }
            (None, Some(_)) => false,
        };
        narrower(self.started, other.started)
            && narrower(self.ended, other.ended)
            && given
            && subset(&other.not_given_for, &self.not_given_for)
            && dose
    }
}

fn above(low: Option<Bound>, wide: Option<Bound>) -> bool {
    wide.is_none_or(|wide| {
        low.is_some_and(|low| low.value > wide.value || (low.value == wide.value && (wide.inclusive || !low.inclusive)))
    })
}

fn below(high: Option<Bound>, wide: Option<Bound>) -> bool {
    wide.is_none_or(|wide| {
        high.is_some_and(|high| {
            high.value < wide.value || (high.value == wide.value && (wide.inclusive || !high.inclusive))
        })
    })
}

type Groups = [Rails; GROUPS];

pub fn facts(ground: &mut Ground<'_>, atoms: &[&Atom]) -> HashMap<usize, Rails> {
    let asked = of_kind(atoms, |fact| matches!(fact, Fact::Medication { .. }));
    let mut entries: BTreeMap<String, BTreeMap<Asked, Groups>> = BTreeMap::new();
    for (_, atom) in &asked {
        if let Some((concept, _, asked)) = parts(&atom.fact) {
            let of = entries.entry(concept).or_default();
            of.entry(Asked::default()).or_insert_with(|| [(); GROUPS].map(|()| Ground::certain(ground.logic.fresh())));
            of.entry(asked).or_insert_with(|| [(); GROUPS].map(|()| ground.logic.fresh_rails()));
        }
    }
    relate(ground, &entries);
    let mut found = HashMap::new();
    for (at, atom) in asked {
        let Some((concept, status, asked)) = parts(&atom.fact) else { continue };
        let Some(groups) = entries.get(&concept).and_then(|of| of.get(&asked)) else { continue };
        let wanted: &[usize] = match status {
            MedicationTest::Current => &[0],
            MedicationTest::Planned => &[1],
            MedicationTest::Stopped => &[2],
            MedicationTest::CurrentOrPlanned => &[0, 1],
            MedicationTest::Ever => &[0, 1, 2, UNSTATED],
        };
        let mut fitting: Vec<Rails> = wanted.iter().filter_map(|at| groups.get(*at)).copied().collect();
        if status != MedicationTest::Ever {
            fitting.extend(groups.get(UNSTATED).map(|rails| ground.possibly(*rails)));
        }
        // What is listed does not say that nothing else is taken.
        fitting.push(ground.absent(List::Medications, atom.absent_unknown));
        found.insert(at, ground.any(&fitting));
    }
    found.extend(allergies(ground, atoms));
    found
}

/// An entry that fits is one of every concept that holds its code, and fits
/// whatever asks for less.
fn relate(ground: &mut Ground<'_>, entries: &BTreeMap<String, BTreeMap<Asked, Groups>>) {
    let theory = ground.theory;
    for (part, of_part) in entries {
        for (narrow, lower) in of_part {
            for (whole, of_whole) in theory.within.above(part).filter_map(|whole| entries.get_key_value(whole)) {
                for (wide, upper) in of_whole {
                    if (part == whole && narrow == wide) || !narrow.narrower(wide) {
                        continue;
                    }
                    for (lower, upper) in lower.iter().zip(upper) {
                        ground.below(*lower, *upper);
                    }
                }
            }
        }
    }
}

fn parts(fact: &Fact) -> Option<(String, MedicationTest, Asked)> {
    let Fact::Medication { concepts, status, started, ended, given_for, not_given_for, daily_dose } = fact else {
        return None;
    };
    let dose = |range: &Comparison| (range.low, range.high, format!("{:?}", range.unit));
    let asked = Asked {
        started: *started,
        ended: *ended,
        given_for: sorted(given_for),
        not_given_for: sorted(not_given_for),
        dose: daily_dose.as_ref().map(dose),
    };
    Some((single(concepts).to_owned(), *status, asked))
}

/// Entries of a wider concept are confirmed at least where those of a narrower are.
fn allergies(ground: &mut Ground<'_>, atoms: &[&Atom]) -> Vec<(usize, Rails)> {
    let asked = of_kind(atoms, |fact| matches!(fact, Fact::Allergy { .. }));
    let mut entries: BTreeMap<String, (Lit, Rails)> = BTreeMap::new();
    for (_, atom) in &asked {
        let Fact::Allergy { concepts } = &atom.fact else { continue };
        let listed = ground.logic.fresh();
        let told = ground.logic.fresh_rails();
        ground.logic.assert(&[listed, told.no]);
        entries.entry(single(concepts).to_owned()).or_insert((listed, told));
    }
    for (part, (listed, lower)) in &entries {
        for (whole, (listed_too, upper)) in &entries {
            if part != whole && ground.theory.within.holds(part, whole) {
                ground.below(*lower, *upper);
                ground.logic.assert(&[!*listed, *listed_too]);
            }
        }
    }
    // "No known allergy" makes every allergy that is not listed false.
    let none_known = ground.logic.fresh();
    let closed = ground.absent(List::Allergies, false).no;
    let none = Rails { yes: ground.logic.never(), no: ground.logic.or(&[none_known, closed]) };
    let mut found = Vec::new();
    for (at, atom) in asked {
        let Fact::Allergy { concepts } = &atom.fact else { continue };
        if let Some((listed, told)) = entries.get(single(concepts)) {
            found.push((at, ground.choose(*listed, *told, none)));
        }
    }
    found
}
