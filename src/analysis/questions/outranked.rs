//! Rules whose finding another one takes out of the comparison whenever it is made.

use super::{Asked, Claim, Finding, Space, words};
use crate::diag::Diagnostic;
use crate::program::CompiledRule;
use crate::rule::model::{Rule, WhenUnknown};

pub fn ask(asked: &Asked<'_>, space: &mut Space, rule: &CompiledRule, declared: &Rule, findings: &mut Vec<Finding>) {
    let above: Vec<&CompiledRule> = asked.outrankers(rule).collect();
    if above.is_empty() {
        return;
    }
    let truth = space.of_node(rule.node);
    let speaks = if declared.unknown == WhenUnknown::Verify { !truth.no } else { truth.yes };
    let free = above.iter().map(|above| !space.of_node(above.node).yes);
    let claims: Vec<_> = std::iter::once(speaks).chain(free).collect();
    if !space.impossible(&claims) {
        return;
    }
    let message = format!("rule `{}` is outranked whenever it fires", rule.id);
    let mut diagnostic = Diagnostic::error("always-outranked", declared.id.span, message)
        .label(format!("by {}", words(above.iter().map(|above| above.id.as_str()))))
        .help("narrow what outranks it, or take the rule out");
    for (_, other) in asked.rules().filter(|(other, _)| above.iter().any(|above| above.rule == other.rule)) {
        if let Some(name) = other.outranks.iter().find(|name| name.value == rule.id) {
            diagnostic = diagnostic.related(name.span, "outranks it here");
        }
    }
    findings.push(Finding { diagnostic, shown_by: vec![Claim::holds(rule.node)], instead: None });
}
