//! What no patient can show of a condition, proven by going through every
//! assignment of truth values that its facts can have.
//!
//! The assignments are at least those that patients give, so that what none of
//! them shows is out of reach, and not merely unseen.

use std::collections::{BTreeMap, BTreeSet};

use crate::program::{AtomId, Formula, NodeId, Outline, Program};
use crate::rule::model::Fact;
use crate::rule::truth::Truth;

use super::{Seen, TRUTHS};

/// Most facts that are gone through: three values each.
const MOST: usize = 8;

/// What can be shown.
pub(super) struct Reach {
    /// By some assignment.
    pub(super) seen: Seen,
    /// Why the rest can't be.
    pub(super) reason: String,
}

impl Reach {
    /// None where there are too many facts to go through.
    pub(super) fn of(program: &Program, outline: &Outline) -> Option<Self> {
        let clauses: Vec<NodeId> = outline.clauses().iter().map(|clause| clause.node).collect();
        let mut atoms = BTreeSet::new();
        for clause in &clauses {
            atoms_of(program, *clause, &mut atoms)?;
        }
        let atoms: Vec<AtomId> = atoms.into_iter().collect();
        let mut seen = Seen::default();
        let mut values = BTreeMap::new();
        assign(program, &atoms, &mut values, &mut |values| {
            let mut known = BTreeMap::new();
            let own: Vec<Truth> = clauses.iter().map(|clause| value(program, *clause, values, &mut known)).collect();
            seen.join(&Seen::of(outline, &own));
        });
        Some(Self { seen, reason: "whatever its facts are".to_owned() })
    }
}

/// None where there are more than are gone through.
fn atoms_of(program: &Program, node: NodeId, atoms: &mut BTreeSet<AtomId>) -> Option<()> {
    let formula = program.nodes.get(node.at())?;
    if let Formula::Atom(atom) = formula {
        atoms.insert(*atom);
    }
    for part in formula.parts() {
        atoms_of(program, *part, atoms)?;
    }
    (atoms.len() <= MOST).then_some(())
}

fn assign(
    program: &Program,
    atoms: &[AtomId],
    values: &mut BTreeMap<AtomId, Truth>,
    then: &mut dyn FnMut(&BTreeMap<AtomId, Truth>),
) {
    let Some((atom, rest)) = atoms.split_first() else {
        then(values);
        return;
    };
    for truth in TRUTHS {
        // A day is in a period or it is not.
        let dated = program.atoms.get(atom.at()).is_some_and(|atom| matches!(atom.fact, Fact::InForce { .. }));
        if dated && truth == Truth::Unknown {
            continue;
        }
        values.insert(*atom, truth);
        if consistent(program, values) {
            assign(program, rest, values, then);
        }
        values.remove(atom);
    }
}

/// Where one fact implies another, the other is true with it. No more than that
/// is used: of an event that may be of a class, that it happened can be false
/// where that it was of the class is unknown.
fn consistent(program: &Program, values: &BTreeMap<AtomId, Truth>) -> bool {
    let value = |atom: &AtomId| values.get(atom);
    program.implications.iter().all(|(first, second)| match (value(first), value(second)) {
        (Some(first), Some(second)) => *first != Truth::True || *second == Truth::True,
        _ => true,
    })
}

fn value(
    program: &Program,
    node: NodeId,
    atoms: &BTreeMap<AtomId, Truth>,
    known: &mut BTreeMap<NodeId, Truth>,
) -> Truth {
    if let Some(truth) = known.get(&node) {
        return *truth;
    }
    let Some(formula) = program.nodes.get(node.at()) else { return Truth::Unknown };
    let parts: Vec<Truth> = formula.parts().iter().map(|part| value(program, *part, atoms, known)).collect();
    let first = parts.first().copied().unwrap_or(Truth::Unknown);
    let truth = match formula {
        Formula::Atom(atom) => atoms.get(atom).copied().unwrap_or(Truth::Unknown),
        Formula::And(_) => parts.into_iter().fold(Truth::True, Truth::and),
        Formula::Or(_) => parts.into_iter().fold(Truth::False, Truth::or),
        Formula::Not(_) => first.negate(),
        Formula::AtLeast(needed, _) => Truth::at_least(*needed as usize, parts),
        Formula::Known(_) => Truth::of(first != Truth::Unknown),
        Formula::Certain(_) => Truth::of(first == Truth::True),
    };
    known.insert(node, truth);
    truth
}
