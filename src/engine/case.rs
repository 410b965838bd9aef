//! One patient before one package: everything that the parts of an answer are
//! read from.

use std::collections::BTreeMap;

use crate::clinical::date::AsOf;
use crate::clinical::patient::{List, Patient};
use crate::rule::model::Rule;
use crate::rule::truth::Truth;

use super::Engine;
use super::decision::Explain;
use super::evaluate::{Open, Valuation};
use super::ground::{Absence, Grounded};
use crate::program::{CompiledRule, NodeId};

/// Lists that are assumed complete where nothing is stated, and asked about.
pub const ASSUMABLE: [List; 2] = [List::Diagnoses, List::Medications];

/// One patient before one package.
pub struct Case<'a> {
    /// The package.
    pub engine: &'a Engine,
    /// The record.
    pub patient: &'a Patient,
    /// Now.
    pub as_of: &'a AsOf,
    /// How much is explained.
    pub explain: Explain,
    /// The record, grounded.
    pub grounded: Grounded,
    /// Truth values.
    pub values: Valuation,
    /// Truth values with what is assumed of a list taken as unknown.
    relaxed: Vec<(List, Valuation)>,
    /// Rules that can matter here, in order: not false, or false by what is
    /// assumed alone. No other rule is looked at.
    live: Vec<u32>,
}

impl<'a> Case<'a> {
    /// Grounds and evaluates a patient.
    pub fn new(engine: &'a Engine, patient: &'a Patient, as_of: &'a AsOf, explain: Explain) -> Self {
        let program = engine.program();
        let grounded = engine.grounder().ground(engine.package(), program, patient, as_of);
        let evaluator = engine.evaluator();
        let values = evaluator.evaluate(grounded.atoms.iter().map(|(id, found)| (*id, found.truth)), grounded.open);
        let relaxed: Vec<(List, Valuation)> = ASSUMABLE
            .into_iter()
            .filter(|list| grounded.absence(*list) == Absence::Assumed)
            .map(|list| {
                let open = Open {
                    diagnoses: grounded.open.diagnoses || list == List::Diagnoses,
                    medications: grounded.open.medications || list == List::Medications,
                };
                (list, evaluator.evaluate(grounded.relaxed(list, &program.atoms), open))
            })
            .collect();
        let mut live: Vec<u32> = engine.live(&values).collect();
        for (_, relaxed) in &relaxed {
            live.extend(engine.live(relaxed));
        }
        live.sort_unstable();
        live.dedup();
        Self { engine, patient, as_of, explain, grounded, values, relaxed, live }
    }

    /// Rules that can matter here, by id.
    pub fn rules(&self) -> impl Iterator<Item = (&'a CompiledRule, &'a Rule)> {
        self.live.iter().filter_map(|index| self.engine.rule(*index))
    }

    /// Rules that can matter here and speak of components, by component.
    pub fn findings(&self) -> BTreeMap<u32, Vec<(&'a CompiledRule, &'a Rule)>> {
        let mut findings: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        for (compiled, rule) in self.rules() {
            for component in &compiled.components {
                findings.entry(*component).or_default().push((compiled, rule));
            }
        }
        findings
    }

    /// Truth values as the record is read, and with what is assumed of a list
    /// taken as unknown.
    pub fn readings(self) -> Vec<Valuation> {
        std::iter::once(self.values).chain(self.relaxed.into_iter().map(|(_, values)| values)).collect()
    }

    /// Truth of a rule's condition.
    pub fn truth(&self, compiled: &CompiledRule) -> Truth {
        self.values.get(compiled.node)
    }

    /// Would the rule say something else, or nothing, without drafts?
    pub fn rests_on_draft(&self, compiled: &CompiledRule) -> bool {
        compiled.settled.is_none_or(|node| self.values.get(node) != self.truth(compiled))
    }

    /// What a rule says, and whether by a draft: the formula by active rules
    /// alone, and the one with drafts where that alone leaves it open.
    pub fn readings_of(&self, compiled: &CompiledRule) -> Vec<(NodeId, bool)> {
        let Some(settled) = compiled.settled else { return vec![(compiled.node, true)] };
        let opened = self.values.get(settled) == Truth::False && self.truth(compiled) == Truth::Unknown;
        std::iter::once((settled, false)).chain(opened.then_some((compiled.node, true))).collect()
    }

    /// Does a rule take the findings of another out of the comparison? A draft
    /// does so to drafts alone.
    pub fn outranks(&self, above: &CompiledRule, other: &CompiledRule) -> bool {
        let by = if other.settled.is_none() { Some(above.node) } else { above.settled };
        by.is_some_and(|node| self.values.get(node) == Truth::True)
    }

    /// Does a formula that is false rest on what is assumed of the list?
    pub fn assumed_false(&self, node: NodeId, list: List) -> bool {
        self.values.get(node) == Truth::False
            && self.relaxed.iter().any(|(relaxed, values)| *relaxed == list && values.get(node) != Truth::False)
    }

    /// Is a formula false, and only by what is assumed of any list?
    pub fn assumed_false_any(&self, node: NodeId) -> bool {
        ASSUMABLE.into_iter().any(|list| self.assumed_false(node, list))
    }
}
