//! The condition of a difference: what of a record brings it about, whatever
//! else the record holds; and the same in words.

use serde_json::json;

use super::meaning::Joint;
use crate::analysis::catalog::Side;
use crate::program::describe::Describer;
use crate::rule::model::{Bound, Comparison, Fact, ObservationTest, Window};

/// A statement on one of the joint facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It is true.
    True,
    /// It is false.
    False,
    /// It is false or unknown.
    NotTrue,
    /// It is true or unknown.
    NotFalse,
    /// It is false and stays so where a list, by its place in
    /// [`crate::analysis::catalog::ASSUMED`], is not taken as complete.
    Stated(usize),
    /// It is not so.
    NotStated(usize),
    /// Where it is unknown, it is asked for by itself.
    AskedAlone,
}

/// A claim on a joint fact.
pub type Literal = (usize, Claim);

/// A condition in words. Every line holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Facts that are true.
    pub facts: Vec<String>,
    /// Facts that are false.
    pub absent: Vec<String>,
    /// Facts that are false or unknown.
    pub not_known: Vec<String>,
    /// Facts that are unknown.
    pub unknown: Vec<String>,
    /// Facts that are true or unknown.
    pub not_excluded: Vec<String>,
    /// Facts whose falsity rests on what is assumed of a list, or does not.
    pub assumed: Vec<String>,
}

/// Is it a range of a quantity? Of two of them what lies between can be said.
#[must_use]
pub fn is_range(fact: &Fact) -> bool {
    range_of(fact).is_some()
}

fn range_of(fact: &Fact) -> Option<&Comparison> {
    match fact {
        Fact::Age(range) | Fact::Observation { test: Some(ObservationTest::Quantity(range)), .. } => Some(range),
        _ => None,
    }
}

fn with_range(fact: &Fact, range: &Comparison) -> Fact {
    match fact {
        Fact::Age(_) => Fact::Age(range.clone()),
        Fact::Observation { concepts, window, .. } => Fact::Observation {
            concepts: concepts.clone(),
            window: *window,
            test: Some(ObservationTest::Quantity(range.clone())),
        },
        other => other.clone(),
    }
}

/// What two facts that differ in nothing but their range have in common.
fn without_range(fact: &Fact) -> Option<String> {
    let range = range_of(fact)?;
    Some(json!([with_range(fact, &Comparison { low: None, high: None, unit: range.unit.clone() })]).to_string())
}

fn window_of(fact: &Fact) -> Option<Window> {
    match fact {
        Fact::Observation { window, .. } | Fact::Event { window, .. } if !window.is_open() => Some(*window),
        _ => None,
    }
}

fn without_window(fact: &Fact) -> Option<String> {
    window_of(fact)?;
    let mut fact = fact.clone();
    if let Fact::Observation { window, .. } | Fact::Event { window, .. } = &mut fact {
        *window = Window::default();
    }
    Some(json!(fact).to_string())
}

/// Where both hold; the ranges overlap.
fn meet(a: &Comparison, b: &Comparison) -> Comparison {
    let low = match (a.low, b.low) {
        (Some(a), Some(b)) if (a.value, !a.inclusive) >= (b.value, !b.inclusive) => Some(a),
        (a, None) => a,
        (_, b) => b,
    };
    let high = match (a.high, b.high) {
        (Some(a), Some(b)) if (a.value, a.inclusive) <= (b.value, b.inclusive) => Some(a),
        (a, None) => a,
        (_, b) => b,
    };
    Comparison { low, high, unit: a.unit.clone() }
}

/// Of the range, what is outside the other, where that is one piece.
fn outside(range: &Comparison, other: &Comparison) -> Option<Comparison> {
    let flip = |bound: Bound| Bound { value: bound.value, inclusive: !bound.inclusive };
    let met = meet(range, other);
    match (other.low.filter(|_| met.low != range.low), other.high.filter(|_| met.high != range.high)) {
        (Some(low), None) => Some(Comparison { high: Some(flip(low)), ..range.clone() }),
        (None, Some(high)) => Some(Comparison { low: Some(flip(high)), ..range.clone() }),
        _ => None,
    }
}

/// Puts literals into words.
pub struct Speaker<'a> {
    joint: &'a Joint,
    sides: &'a [Side<'a>],
    describers: Vec<Describer<'a>>,
}

impl<'a> Speaker<'a> {
    /// Knows the titles of both packages.
    #[must_use]
    pub fn new(joint: &'a Joint, sides: &'a [Side<'a>]) -> Self {
        Self { joint, sides, describers: sides.iter().map(|side| Describer::new(side.package)).collect() }
    }

    fn text(&self, place: usize) -> String {
        self.joint.atoms.get(place).map_or_else(String::new, |atom| atom.text.clone())
    }

    fn fact(&self, place: usize) -> Option<&'a Fact> {
        self.joint.atoms.get(place).map(|atom| &atom.fact)
    }

    /// A fact of the package with another range.
    fn ranged(&self, place: usize, range: &Comparison) -> Option<String> {
        let (side, index) = *self.joint.home.get(place)?;
        let atom = self.sides.get(side)?.program.atoms.get(index)?;
        Some(self.describers.get(side)?.fact(&with_range(&atom.fact, range)))
    }

    /// The condition that all of the literals hold.
    #[must_use]
    pub fn condition(&self, literals: &[Literal]) -> Condition {
        let mut condition = Condition::default();
        let of = |claim: Claim| literals.iter().filter(move |(_, one)| *one == claim).map(|(place, _)| *place);
        let mut spent: Vec<Literal> = Vec::new();
        for place in of(Claim::True) {
            if spent.contains(&(place, Claim::True)) {
                continue;
            }
            let text = self.between(place, literals, &mut spent).unwrap_or_else(|| self.text(place));
            let line = text + &self.not_within(place, literals, &mut spent);
            condition.facts.push(line);
        }
        for (place, claim) in literals.iter().filter(|literal| !spent.contains(literal)) {
            let text = self.text(*place);
            match claim {
                Claim::True => {}
                Claim::False => condition.absent.push(text),
                Claim::NotTrue if literals.contains(&(*place, Claim::NotFalse)) => condition.unknown.push(text),
                Claim::NotTrue => condition.not_known.push(text),
                Claim::NotFalse if literals.contains(&(*place, Claim::NotTrue)) => {}
                Claim::NotFalse => condition.not_excluded.push(text),
                Claim::Stated(_) => condition.assumed.push(format!("surely absent: {text}")),
                Claim::NotStated(_) if literals.contains(&(*place, Claim::False)) => {
                    condition.assumed.push(format!("absent by assumption alone: {text}"));
                }
                Claim::NotStated(_) => condition.assumed.push(format!("not surely absent: {text}")),
                Claim::AskedAlone => condition.assumed.push(format!("its list is not stated as partial: {text}")),
            }
        }
        condition
    }

    /// The true and false ranges of one quantity as the range that is left.
    fn between(&self, place: usize, literals: &[Literal], spent: &mut Vec<Literal>) -> Option<String> {
        let key = without_range(self.fact(place)?)?;
        let mut range = range_of(self.fact(place)?)?.clone();
        let same = literals.iter().filter(|(other, _)| {
            *other != place && self.fact(*other).and_then(without_range).is_some_and(|other| other == key)
        });
        let same: Vec<Literal> = same.copied().collect();
        for (other, claim) in same.iter().filter(|(_, claim)| *claim == Claim::True) {
            range = meet(&range, range_of(self.fact(*other)?)?);
            spent.push((*other, *claim));
        }
        for (other, claim) in same.iter().filter(|(_, claim)| *claim == Claim::False) {
            if let Some(left) = outside(&range, range_of(self.fact(*other)?)?) {
                range = left;
                spent.push((*other, *claim));
            }
        }
        self.ranged(place, &range)
    }

    /// The same fact, not so in another window.
    fn not_within(&self, place: usize, literals: &[Literal], spent: &mut Vec<Literal>) -> String {
        let Some(key) = self.fact(place).and_then(without_window) else { return String::new() };
        let mut text = String::new();
        for literal in literals.iter().filter(|(_, claim)| matches!(claim, Claim::False | Claim::NotTrue)) {
            let Some(fact) = self.fact(literal.0) else { continue };
            let Some(window) = window_of(fact).filter(|_| without_window(fact).as_ref() == Some(&key)) else {
                continue;
            };
            if let Some(length) = window.within.filter(|_| window.more_than.is_none()) {
                text.push_str(&format!(", not within {length}"));
                spent.push(*literal);
            }
        }
        text
    }
}
