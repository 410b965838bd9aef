//! A question's own space of patients: the facts that its formulas rest on, and
//! no others. Leaving facts out leaves patients in, so what is impossible here
//! is impossible; and a question stays as small as what it asks about.

use std::collections::{BTreeMap, BTreeSet};

use super::encode::{all, any, at_least, known, whole};
use super::logic::{Lit, Logic, Rails};
use super::theory::Theory;
use crate::program::{AtomId, Formula, NodeId, Op, Outline, Program};

/// The patients that some formulas can tell apart.
#[derive(Debug)]
pub struct Space {
    /// What is known of them.
    pub logic: Logic,
    nodes: BTreeMap<NodeId, Rails>,
}

/// Atoms that formulas rest on, and the formulas on the way, parts first.
#[must_use]
pub fn cone(program: &Program, roots: &[NodeId]) -> (BTreeSet<AtomId>, BTreeSet<NodeId>) {
    let (mut atoms, mut nodes, mut next) = (BTreeSet::new(), BTreeSet::new(), roots.to_vec());
    while let Some(node) = next.pop() {
        if !nodes.insert(node) {
            continue;
        }
        match program.nodes.get(node.at()) {
            Some(Formula::Atom(atom)) => {
                atoms.insert(*atom);
            }
            Some(formula) => next.extend(formula.parts()),
            None => {}
        }
    }
    (atoms, nodes)
}

impl Space {
    /// The space of these formulas.
    #[must_use]
    pub fn of(theory: &Theory<'_>, program: &Program, roots: &[NodeId]) -> Self {
        let mut logic = Logic::new();
        let nodes = encoded(&mut logic, theory, program, roots);
        Self { logic, nodes }
    }

    /// Two patients who may differ in everything. What they share is asserted.
    #[must_use]
    pub fn twins(theory: &Theory<'_>, program: &Program, roots: &[NodeId]) -> (Self, BTreeMap<NodeId, Rails>) {
        let mut logic = Logic::new();
        let nodes = encoded(&mut logic, theory, program, roots);
        let second = encoded(&mut logic, theory, program, roots);
        (Self { logic, nodes }, second)
    }

    /// The rails of a formula; of one that is not in the space, never true nor false.
    #[must_use]
    pub fn of_node(&self, node: NodeId) -> Rails {
        let nowhere = Rails { yes: self.logic.never(), no: self.logic.never() };
        self.nodes.get(&node).copied().unwrap_or(nowhere)
    }

    /// Two patients of whom every fact is the same but those that are `touched`:
    /// of these none is true of the second.
    #[must_use]
    pub fn differing(
        theory: &Theory<'_>,
        program: &Program,
        roots: &[NodeId],
        touched: impl Fn(AtomId) -> bool,
    ) -> (Self, BTreeMap<NodeId, Rails>) {
        let (mut space, second) = Self::twins(theory, program, roots);
        for (node, other) in &second {
            let Some(Formula::Atom(atom)) = program.nodes.get(node.at()) else { continue };
            if touched(*atom) {
                space.logic.assert(&[!other.yes]);
                continue;
            }
            let own = space.of_node(*node);
            for (one, other) in [(own.yes, other.yes), (own.no, other.no)] {
                space.logic.assert(&[!one, other]);
                space.logic.assert(&[one, !other]);
            }
        }
        (space, second)
    }

    /// Are there none of whom all of these hold?
    pub fn impossible(&mut self, claims: &[Lit]) -> bool {
        self.logic.impossible(claims)
    }

    /// A condition as written, with one clause, counted as in
    /// [`Outline::clauses`], taken to be something else.
    pub fn with_clause(&mut self, outline: &Outline, clause: usize, instead: Rails) -> Rails {
        self.outline(outline, &mut 0, clause, instead)
    }

    fn outline(&mut self, outline: &Outline, next: &mut usize, clause: usize, instead: Rails) -> Rails {
        if outline.is_clause() {
            let index = *next;
            *next = next.saturating_add(1);
            return if index == clause { instead } else { self.of_node(outline.node) };
        }
        let parts: Vec<Rails> = outline.parts.iter().map(|part| self.outline(part, next, clause, instead)).collect();
        let never = self.logic.never();
        let nowhere = Rails { yes: never, no: never };
        let first = parts.first().copied().unwrap_or(nowhere);
        let second = parts.get(1).copied().unwrap_or(nowhere);
        let logic = &mut self.logic;
        match &outline.op {
            Op::All => all(logic, &parts),
            Op::None => any(logic, &parts).negated(),
            Op::AtLeast(count) => at_least(logic, *count as usize, &parts),
            Op::Not => first.negated(),
            Op::Implies => any(logic, &[first.negated(), second]),
            Op::Xor => {
                let one = all(logic, &[first, second.negated()]);
                let other = all(logic, &[first.negated(), second]);
                any(logic, &[one, other])
            }
            Op::Known => known(logic, first),
            Op::Unknown => known(logic, first).negated(),
            _ => any(logic, &parts),
        }
    }
}

fn encoded(logic: &mut Logic, theory: &Theory<'_>, program: &Program, roots: &[NodeId]) -> BTreeMap<NodeId, Rails> {
    let (atoms, nodes) = cone(program, roots);
    let of_atoms: Vec<_> = atoms.iter().filter_map(|atom| program.atoms.get(atom.at())).collect();
    let rails = theory.facts(logic, &of_atoms);
    let rails: BTreeMap<AtomId, Rails> = atoms.into_iter().zip(rails).collect();
    let nowhere = Rails { yes: logic.never(), no: logic.never() };
    let mut found: BTreeMap<NodeId, Rails> = BTreeMap::new();
    for node in nodes {
        let rails = match program.nodes.get(node.at()) {
            Some(Formula::Atom(atom)) => rails.get(atom).copied().unwrap_or(nowhere),
            Some(formula) => whole(logic, formula, |part| found.get(&part).copied().unwrap_or(nowhere)),
            None => nowhere,
        };
        found.insert(node, rails);
    }
    found
}
