//! Why a condition is true, false or unknown: the facts that decided it, with
//! the elements of the request that show them.

use std::collections::{BTreeMap, BTreeSet};

use crate::rule::model::Rule;
use crate::rule::truth::Truth;

use super::case::Case;
use super::decision::{Basis, Explain, Ground, ProofNode, Rationale};
use super::ground::Element;
use super::statement;
use crate::program::{AtomId, CompiledRule, Formula, NodeId, Outline, Shape};

/// Facts behind a condition: those that decided it, and those still unknown.
#[derive(Default)]
struct Facts {
    because: BTreeMap<String, Ground>,
    unknown: BTreeSet<String>,
}

impl Case<'_> {
    /// Why a rule says what it says.
    pub fn rationale(&self, compiled: &CompiledRule, rule: &Rule, said: &str) -> Rationale {
        let mut facts = Facts::default();
        self.support(&compiled.outline, &mut facts);
        let mut because = match self.explain {
            Explain::Brief => Vec::new(),
            _ => facts.because.into_values().collect::<Vec<_>>(),
        };
        // What the record says comes before what it leaves out.
        because.sort_by_key(|ground| (ground.basis, !ground.value));
        Rationale {
            rule: rule.id.value.clone(),
            statement: said.to_owned(),
            evidence: rule.evidence.iter().map(|citation| self.engine.evidence(citation)).collect(),
            strength: rule.strength.clone(),
            verification: rule.verification.word(),
            active_because: rule.active_because.clone(),
            draft: self.rests_on_draft(compiled),
            because,
            unknown: facts.unknown.into_iter().collect(),
        }
    }

    /// The statement of a rule that fired, filled in.
    pub fn statement(&self, compiled: &CompiledRule, rule: &Rule) -> String {
        statement::fill(&rule.statement, self.patient, self.as_of, |name| self.matched(compiled, name))
    }

    /// The element that a name matched: of the first true atom it stands for.
    fn matched(&self, compiled: &CompiledRule, name: &str) -> Option<Element> {
        let (_, atoms) = compiled.binds.iter().find(|(bound, _)| bound == name)?;
        atoms.iter().find_map(|atom| {
            let found = self.grounded.atoms.get(atom)?;
            let first = found.elements.first()?;
            (found.truth == Truth::True).then_some(*first)
        })
    }

    fn support(&self, outline: &Outline, facts: &mut Facts) {
        let truth = self.values.get(outline.node);
        let wanted: &[Truth] = match (outline.shape(), truth) {
            (Shape::Leaf, _) => return self.leaf(outline, truth, facts),
            (Shape::Known, _) => &[Truth::True, Truth::False, Truth::Unknown],
            (Shape::All | Shape::Any, Truth::True) | (Shape::None, Truth::False) => &[Truth::True],
            (Shape::All | Shape::Any, Truth::False) | (Shape::None, Truth::True) => &[Truth::False],
            (Shape::All, Truth::Unknown) => &[Truth::True, Truth::Unknown],
            (Shape::Any | Shape::None, Truth::Unknown) => &[Truth::Unknown],
        };
        for part in &outline.parts {
            if wanted.contains(&self.values.get(part.node)) {
                self.support(part, facts);
            }
        }
    }

    fn leaf(&self, outline: &Outline, truth: Truth, facts: &mut Facts) {
        if truth == Truth::Unknown {
            facts.unknown.insert(outline.text.clone());
            return;
        }
        // What the site has set is a fact of no record.
        if self.engine.program().nodes.get(outline.node.at()).is_some_and(Formula::is_constant) {
            return;
        }
        let value = truth == Truth::True;
        let atom = self.atom_of(outline.node);
        let basis = match atom.and_then(|id| Some((id, self.engine.program().atoms.get(id.at())?))) {
            Some((id, atom)) if !value => self.grounded.basis(id, atom),
            _ => Basis::Stated,
        };
        let inputs = self.inputs(outline.node);
        facts.because.entry(outline.text.clone()).or_insert(Ground {
            fact: outline.text.clone(),
            value,
            inputs,
            basis,
        });
    }

    fn atom_of(&self, node: NodeId) -> Option<AtomId> {
        match self.engine.program().nodes.get(node.at()) {
            Some(Formula::Atom(id)) => Some(*id),
            _ => None,
        }
    }

    fn inputs(&self, node: NodeId) -> Vec<String> {
        let found = self.atom_of(node).and_then(|id| self.grounded.atoms.get(&id));
        found.map_or_else(Vec::new, |found| found.elements.iter().map(|element| element.path()).collect())
    }

    /// The proof of a condition: every part with its truth value.
    pub fn proof(&self, outline: &Outline) -> ProofNode {
        let truth = self.values.get(outline.node);
        let assumed = truth == Truth::False
            && self.atom_of(outline.node).is_some_and(|id| {
                let atom = self.engine.program().atoms.get(id.at());
                atom.is_some_and(|atom| self.grounded.basis(id, atom) == Basis::Assumed)
            });
        ProofNode {
            condition: outline.text.clone(),
            truth,
            inputs: self.inputs(outline.node),
            assumed,
            children: outline.parts.iter().map(|part| self.proof(part)).collect(),
        }
    }

    /// The unknown atoms that leave a formula undecided.
    pub fn undecided(&self, node: NodeId) -> BTreeSet<AtomId> {
        let mut atoms = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if !seen.insert(node) || self.values.get(node) != Truth::Unknown {
                continue;
            }
            match self.engine.program().nodes.get(node.at()) {
                Some(Formula::Atom(id)) => {
                    atoms.insert(*id);
                }
                Some(formula) => open.extend(formula.parts()),
                None => {}
            }
        }
        atoms
    }
}
