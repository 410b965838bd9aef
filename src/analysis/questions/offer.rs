//! Offers that stand contraindicated whenever they are made.

use super::{Asked, Claim, Finding, Is, Lit, Space, words};
use crate::diag::Diagnostic;
use crate::program::{CompiledRule, NodeId};
use crate::rule::model::{ActionName, Rule};

pub fn ask(asked: &Asked<'_>, space: &mut Space, rule: &CompiledRule, declared: &Rule, findings: &mut Vec<Finding>) {
    let against = asked.contraindications(rule);
    if against.is_empty() {
        return;
    }
    for (index, name) in rule.components.iter().zip(declared.conclusion.components()) {
        let current = asked.program.components.get(*index as usize).and_then(|component| component.current);
        let mut told = Vec::new();
        for (action, word) in [(ActionName::Start, "starting"), (ActionName::Continue, "continuing")] {
            let Some(case) = case(space, rule.node, current, action) else { continue };
            let of_action: Vec<&(&CompiledRule, &Rule)> = against
                .iter()
                .filter(|(other, excluding)| {
                    other.components.contains(index) && excluding.conclusion.actions().contains(&action)
                })
                .collect();
            let mut claims: Vec<Lit> = case.iter().map(|claim| claim.lit(space.of_node(claim.node))).collect();
            claims.extend(asked.outrankers(rule).map(|above| !space.of_node(above.node).yes));
            if space.impossible(&claims) {
                continue;
            }
            let counted: Vec<Lit> = of_action.iter().map(|(other, _)| counted(asked, space, other)).collect();
            let by =
                if let Some(at) = counted.iter().position(|one| space.impossible(&[&claims[..], &[!*one]].concat())) {
                    of_action.get(at).copied().into_iter().collect()
                } else {
                    claims.extend(counted.iter().map(|one| !*one));
                    if !space.impossible(&claims) {
                        continue;
                    }
                    of_action
                };
            let message = format!(
                "rule `{}` offers `{}` to patients for whom {word} it is always contraindicated",
                rule.id, name.value
            );
            let mut diagnostic = Diagnostic::warning("offer-implies-contraindication", name.span, message)
                .label(format!("excluded by {}", words(by.iter().map(|(other, _)| other.id.as_str()))))
                .help("leave these patients out of the condition, or narrow what excludes them");
            for (_, excluding) in by {
                diagnostic = diagnostic.related(excluding.id.span, "true of every such patient");
            }
            told.push(Finding { diagnostic, shown_by: case, instead: None });
        }
        findings.append(&mut told);
    }
}

/// The offer is made, and the action is the one it would come to. None where
/// the record can't show it.
fn case(space: &mut Space, rule: NodeId, current: Option<NodeId>, action: ActionName) -> Option<Vec<Claim>> {
    let mut claims = vec![Claim::holds(rule)];
    match (current, action) {
        (Some(node), ActionName::Continue) => claims.push(Claim::holds(node)),
        (Some(node), _) => {
            // Where use is sure in every case, nothing is started.
            claims.push(Claim { node, is: Is::False });
            let lits: Vec<Lit> = claims.iter().map(|claim| claim.lit(space.of_node(claim.node))).collect();
            if space.impossible(&lits) {
                claims.pop();
                claims.push(Claim { node, is: Is::NotTrue });
            }
        }
        (None, ActionName::Continue) => return None,
        (None, _) => {}
    }
    Some(claims)
}

/// The exclusion is true, and nothing true outranks it.
fn counted(asked: &Asked<'_>, space: &mut Space, rule: &CompiledRule) -> Lit {
    let mut parts = vec![space.of_node(rule.node).yes];
    let above: Vec<NodeId> = rule
        .outranked_by
        .iter()
        .filter_map(|above| asked.program.rules.get(*above as usize))
        .map(|above| above.node)
        .collect();
    parts.extend(above.into_iter().map(|above| !space.of_node(above).yes));
    space.logic.and(&parts)
}
