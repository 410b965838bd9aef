//! Fields of a record: known as a whole or not at all. And the day of the
//! evaluation, which is always known.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::cells::{Cells, Piece, Possible};
use super::{Ground, of_kind};
use crate::analysis::logic::{Lit, Rails};
use crate::clinical::patient::{Setting, Sex};
use crate::program::Atom;
use crate::rule::model::{Bound, Fact};

const SEXES: [Sex; 3] = [Sex::Female, Sex::Male, Sex::Other];

const SETTINGS: [Setting; 6] = [
    Setting::Emergency,
    Setting::Inpatient,
    Setting::Outpatient,
    Setting::OpioidTreatmentProgram,
    Setting::Custody,
    Setting::Residential,
];

pub fn facts(ground: &mut Ground<'_>, atoms: &[&Atom]) -> HashMap<usize, Rails> {
    let mut found = HashMap::new();
    found.extend(choice(ground, atoms, SEXES.len(), |fact| match fact {
        Fact::Sex(sex) => Some(SEXES.iter().map(|one| one == sex).collect()),
        _ => None,
    }));
    found.extend(choice(ground, atoms, SETTINGS.len(), |fact| match fact {
        Fact::Setting { settings } => Some(SETTINGS.iter().map(|one| settings.contains(one)).collect()),
        _ => None,
    }));
    let flags: [fn(&Fact) -> Option<bool>; 3] = [
        |fact| if let Fact::Pregnancy(is) = fact { Some(*is) } else { None },
        |fact| if let Fact::Lactation(is) = fact { Some(*is) } else { None },
        |fact| if let Fact::ChildbearingPotential(is) = fact { Some(*is) } else { None },
    ];
    for flag in flags {
        found.extend(choice(ground, atoms, 2, |fact| flag(fact).map(|is| vec![is, !is])));
    }
    found.extend(age(ground, atoms));
    found.extend(in_force(ground, atoms));
    found
}

/// A field of one value: known to be one, or not known.
fn choice(
    ground: &mut Ground<'_>,
    atoms: &[&Atom],
    len: usize,
    values: impl Fn(&Fact) -> Option<Vec<bool>>,
) -> Vec<(usize, Rails)> {
    let asked = of_kind(atoms, |fact| values(fact).is_some());
    if asked.is_empty() {
        return Vec::new();
    }
    let known = ground.logic.fresh();
    let is = exactly_one(ground, known, len);
    let tested = asked.into_iter().filter_map(|(at, atom)| Some((at, is.test(ground.logic, &values(&atom.fact)?))));
    tested.collect()
}

/// One kind and no other, where anything is known.
fn exactly_one(ground: &mut Ground<'_>, known: Lit, len: usize) -> Possible {
    let possible = Possible::new(ground.logic, known, len);
    ground.logic.at_most_one(&possible.kinds);
    possible
}

fn age(ground: &mut Ground<'_>, atoms: &[&Atom]) -> Vec<(usize, Rails)> {
    let asked = of_kind(atoms, |fact| matches!(fact, Fact::Age(_)));
    let cuts = asked.iter().flat_map(|(_, atom)| match &atom.fact {
        Fact::Age(range) => [range.low, range.high].into_iter().flatten().map(|end| end.value).collect(),
        _ => Vec::new(),
    });
    let cells = Cells::new(cuts.collect()).only(holds_an_age);
    let known = ground.logic.fresh();
    // A birth date of a year alone leaves two ages open.
    let years = Possible::new(ground.logic, known, cells.pieces().len());
    let tested = asked.into_iter().filter_map(|(at, atom)| {
        let Fact::Age(range) = &atom.fact else { return None };
        let end = |bound: &Option<Bound>| bound.map(|bound| (bound.value, bound.inclusive));
        let (low, high) = (end(&range.low), end(&range.high));
        let inside = cells.inside(low.as_ref().map(|(v, i)| (v, *i)), high.as_ref().map(|(v, i)| (v, *i)));
        Some((at, years.test(ground.logic, &inside)))
    });
    tested.collect()
}

/// Ages are whole, and not negative.
fn holds_an_age(piece: &Piece<Decimal>) -> bool {
    match piece {
        Piece::At(cut) => cut.fract().is_zero() && !cut.is_sign_negative(),
        Piece::Between(from, to) => {
            let least = from.map_or(Decimal::ZERO, |from| (from.floor() + Decimal::ONE).max(Decimal::ZERO));
            to.is_none_or(|to| least < to)
        }
    }
}

fn in_force(ground: &mut Ground<'_>, atoms: &[&Atom]) -> Vec<(usize, Rails)> {
    let asked = of_kind(atoms, |fact| matches!(fact, Fact::InForce { .. }));
    let cuts = asked.iter().flat_map(|(_, atom)| match &atom.fact {
        Fact::InForce { from, until } => [from.clone(), until.clone()].into_iter().flatten().collect(),
        _ => Vec::new(),
    });
    let cells = Cells::new(cuts.collect());
    let today = exactly_one(ground, ground.logic.always(), cells.pieces().len());
    let tested = asked.into_iter().filter_map(|(at, atom)| {
        let Fact::InForce { from, until } = &atom.fact else { return None };
        let inside = cells.inside(from.as_ref().map(|day| (day, true)), until.as_ref().map(|day| (day, true)));
        Some((at, today.test(ground.logic, &inside)))
    });
    tested.collect()
}
