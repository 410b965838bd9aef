//! Rules that say the same of the same patients.

use std::collections::BTreeMap;

use super::{Asked, Claim, Finding, Space};
use crate::diag::Diagnostic;
use crate::program::{CompiledRule, NodeId};
use crate::rule::model::{Conclusion, Rule, WhenUnknown};

pub fn ask(asked: &Asked<'_>, findings: &mut Vec<Finding>) {
    let mut alike: BTreeMap<String, Vec<(&CompiledRule, &Rule)>> = BTreeMap::new();
    for (rule, declared) in asked.rules() {
        // Alerts, requests and notes may well share their conclusion: what they
        // say of it is in their words.
        let compared = matches!(
            declared.conclusion,
            Conclusion::Recommend { .. }
                | Conclusion::Consider { .. }
                | Conclusion::Caution { .. }
                | Conclusion::Contraindicate { .. }
        );
        if compared {
            let concluded = (&declared.conclusion, declared.unknown == WhenUnknown::Verify);
            alike.entry(serde_json::to_string(&concluded).unwrap_or_default()).or_default().push((rule, declared));
        }
    }
    for rules in alike.into_values() {
        for (index, (rule, declared)) in rules.iter().enumerate() {
            for (other, again) in rules.iter().skip(index.saturating_add(1)) {
                if rule.node == other.node || same(asked, rule.node, other.node) {
                    findings.push(finding((rule, declared), (other, again)));
                }
            }
        }
    }
}

fn finding((rule, declared): (&CompiledRule, &Rule), (other, again): (&CompiledRule, &Rule)) -> Finding {
    let message = format!("rules `{}` and `{}` conclude the same of the same patients", rule.id, other.id);
    let diagnostic = Diagnostic::warning("duplicate-rule", again.id.span, message)
        .related(declared.id.span, "the other one")
        .help("join them: one rule may cite several sources");
    Finding { diagnostic, shown_by: vec![Claim::holds(rule.node)], instead: None }
}

fn same(asked: &Asked<'_>, a: NodeId, b: NodeId) -> bool {
    let mut space = Space::of(asked.theory, asked.program, &[a, b]);
    let (a, b) = (space.of_node(a), space.of_node(b));
    let differs = [(a.yes, b.yes), (b.yes, a.yes), (a.no, b.no), (b.no, a.no)];
    differs.into_iter().all(|(one, other)| space.impossible(&[one, !other]))
}
