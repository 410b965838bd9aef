//! Rules that say the same of the same patients.

use super::{Asked, Claim, Finding, Space};
use crate::diag::Diagnostic;
use crate::rule::model::Conclusion;

pub fn ask(asked: &Asked<'_>, findings: &mut Vec<Finding>) {
    let rules: Vec<_> = asked.rules().collect();
    for (index, (rule, declared)) in rules.iter().enumerate() {
        for (other, declared_too) in rules.iter().skip(index.saturating_add(1)) {
            // Alerts, requests and notes may well share their conclusion: what
            // they say of it is in their words.
            let compared = matches!(
                declared.conclusion,
                Conclusion::Recommend { .. }
                    | Conclusion::Consider { .. }
                    | Conclusion::Caution { .. }
                    | Conclusion::Contraindicate { .. }
            );
            let same = compared
                && written(&declared.conclusion) == written(&declared_too.conclusion)
                && declared.unknown == declared_too.unknown
                && (rule.node == other.node || alike(asked, rule.node, other.node));
            if !same {
                continue;
            }
            let message = format!("rules `{}` and `{}` conclude the same of the same patients", rule.id, other.id);
            let diagnostic = Diagnostic::warning("duplicate-rule", declared_too.id.span, message)
                .related(declared.id.span, "the other one")
                .help("join them: one rule may cite several sources");
            findings.push(Finding { diagnostic, shown_by: vec![Claim::holds(rule.node)], instead: None });
        }
    }
}

/// Without the places it is written at.
fn written(conclusion: &Conclusion) -> String {
    serde_json::to_string(conclusion).unwrap_or_default()
}

fn alike(asked: &Asked<'_>, a: crate::program::NodeId, b: crate::program::NodeId) -> bool {
    let mut space = Space::of(asked.theory, asked.program, &[a, b]);
    let (a, b) = (space.of_node(a), space.of_node(b));
    let differs = [(a.yes, b.yes), (b.yes, a.yes), (a.no, b.no), (b.no, a.no)];
    differs.into_iter().all(|(one, other)| space.impossible(&[one, !other]))
}
