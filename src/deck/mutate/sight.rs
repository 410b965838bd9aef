//! Which cases can see a mutant, without an engine for each.
//!
//! The changed conditions of many mutants are compiled as further definitions of
//! one package, so that grounding a patient once says what all of them are. A
//! case can see a changed rule where the rule is not false, before or after the
//! change; a changed definition where its truth changes, or is unknown, so that
//! something is asked for.

use crate::diag::Span;
use crate::engine::Engine;
use crate::engine::evaluate::Valuation;
use crate::program::NodeId;
use crate::rule::model::{Condition, Definition, Spanned};
use crate::rule::truth::Truth;

use super::super::run::Verdict;
use super::{Mutant, Patch};

/// The places of the cases that can see each mutant.
pub(super) fn of(mutants: &[Mutant], engine: &Engine, verdicts: &[&Verdict<'_>]) -> Vec<Vec<usize>> {
    let mut package = engine.package().clone();
    let declared = package.definitions.len();
    for (at, mutant) in mutants.iter().enumerate() {
        if let Some(when) = condition(mutant) {
            let id = Spanned::new(format!("changed-{at}"), Span::default());
            package.definitions.push(Definition { id, title: String::new(), when: when.clone() });
        }
    }
    let wide = engine.with_rules_of(package);
    let changed = wide.program().definitions.iter().skip(declared).map(|definition| definition.node);
    let mut changed = changed.collect::<Vec<_>>().into_iter();
    let nodes: Vec<(Option<NodeId>, Option<NodeId>)> = mutants
        .iter()
        .map(|mutant| (original(mutant, &wide), condition(mutant).and_then(|_| changed.next())))
        .collect();
    let mut seen = vec![Vec::new(); mutants.len()];
    for (case, verdict) in verdicts.iter().enumerate() {
        let Some(evaluation) = &verdict.case.evaluation else { continue };
        let readings = wide.readings(&evaluation.patient, &evaluation.as_of);
        for ((mutant, (before, after)), seen) in mutants.iter().zip(&nodes).zip(&mut seen) {
            let visible = match &mutant.patch {
                Patch::Rule(..) => before.iter().chain(after).any(|node| live(&readings, *node)),
                Patch::Definition(..) => {
                    before.zip(*after).is_none_or(|(before, after)| differ(&readings, before, after))
                }
                Patch::Concept(_, _, code) => code.is_in(&verdict.case.patient),
                Patch::Files(_) => true,
            };
            if visible {
                seen.push(case);
            }
        }
    }
    seen
}

fn condition(mutant: &Mutant) -> Option<&Spanned<Condition>> {
    match &mutant.patch {
        Patch::Rule(_, rule) => Some(&rule.when),
        Patch::Definition(_, condition) => Some(condition),
        Patch::Concept(..) | Patch::Files(_) => None,
    }
}

fn original(mutant: &Mutant, engine: &Engine) -> Option<NodeId> {
    let program = engine.program();
    match mutant.patch {
        Patch::Rule(..) => program.rules.iter().find(|one| one.id == mutant.id).map(|one| one.node),
        Patch::Definition(at, _) => program.definitions.get(at).map(|one| one.node),
        Patch::Concept(..) | Patch::Files(_) => None,
    }
}

fn live(readings: &[Valuation], node: NodeId) -> bool {
    readings.iter().any(|values| values.get(node) != Truth::False)
}

fn differ(readings: &[Valuation], before: NodeId, after: NodeId) -> bool {
    readings.iter().any(|values| {
        let (before, after) = (values.get(before), values.get(after));
        before != after || after == Truth::Unknown
    })
}
