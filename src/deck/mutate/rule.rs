//! Mutants of what a rule concludes, of what unknown does, and of its rank.

use crate::rule::model::{ActionName, Conclusion, Name, Rule, Severity, Urgency, WhenUnknown};

use super::Operator;

/// Every mutant of a rule but those of its condition.
pub(super) fn mutants(rule: &Rule) -> Vec<(Operator, String, Rule)> {
    let mut found = Vec::new();
    for (change, conclusion) in conclusions(&rule.conclusion) {
        found.push((Operator::Conclusion, change, Rule { conclusion, ..rule.clone() }));
    }
    if let Some(unknown) = other_unknown(rule) {
        let change = format!("unknown: {:?} made {unknown:?}", rule.unknown).to_lowercase();
        found.push((Operator::Unknown, change, Rule { unknown, ..rule.clone() }));
    }
    for (at, name) in rule.outranks.iter().enumerate() {
        let mut outranks = rule.outranks.clone();
        outranks.remove(at);
        let change = format!("`{}` no longer outranked", name.value);
        found.push((Operator::Rank, change, Rule { outranks, ..rule.clone() }));
    }
    found
}

fn conclusions(conclusion: &Conclusion) -> Vec<(String, Conclusion)> {
    let mut found = Vec::new();
    match conclusion {
        Conclusion::Recommend { components } => {
            found.push(("recommend made consider".to_owned(), Conclusion::Consider { components: components.clone() }));
            fewer(components, &mut found, &|components| Conclusion::Recommend { components });
        }
        Conclusion::Consider { components } => {
            found
                .push(("consider made recommend".to_owned(), Conclusion::Recommend { components: components.clone() }));
            fewer(components, &mut found, &|components| Conclusion::Consider { components });
        }
        Conclusion::Caution { components, actions } => {
            let make = |components: &[Name], actions: &[ActionName]| Conclusion::Caution {
                components: components.to_vec(),
                actions: actions.to_vec(),
            };
            fewer(components, &mut found, &|components| make(&components, actions));
            other_actions(actions, &mut found, &|actions| make(components, &actions));
        }
        Conclusion::Contraindicate { components, actions } => {
            let make = |components: &[Name], actions: &[ActionName]| Conclusion::Contraindicate {
                components: components.to_vec(),
                actions: actions.to_vec(),
            };
            let weaker = Conclusion::Caution { components: components.clone(), actions: actions.clone() };
            found.push(("contraindicate made caution".to_owned(), weaker));
            fewer(components, &mut found, &|components| make(&components, actions));
            other_actions(actions, &mut found, &|actions| make(components, &actions));
        }
        Conclusion::Alert { category, severity, urgency } => {
            let (category, now, soon) = (*category, *severity, *urgency);
            if let Some(lower) = below(Severity::ALL, now) {
                let alert = Conclusion::Alert { category, severity: lower, urgency: soon };
                found.push((format!("severity {now} made {lower}"), alert));
            }
            if let Some(later) = below(Urgency::ALL, soon) {
                let alert = Conclusion::Alert { category, severity: now, urgency: later };
                found.push((format!("urgency {soon} made {later}"), alert));
            }
        }
        Conclusion::Request { .. } | Conclusion::Assess { .. } | Conclusion::Insight { .. } | Conclusion::Note => {}
    }
    found
}

/// The word below one in an order that ascends.
fn below<T: Copy + PartialEq>(all: &[T], one: T) -> Option<T> {
    let at = all.iter().position(|other| *other == one)?;
    all.get(at.checked_sub(1)?).copied()
}

fn fewer(components: &[Name], found: &mut Vec<(String, Conclusion)>, make: &dyn Fn(Vec<Name>) -> Conclusion) {
    if components.len() < 2 {
        return;
    }
    for (at, name) in components.iter().enumerate() {
        let mut rest = components.to_vec();
        rest.remove(at);
        found.push((format!("`{}` dropped", name.value), make(rest)));
    }
}

/// Of several actions one is dropped; a single one is replaced.
fn other_actions(
    actions: &[ActionName],
    found: &mut Vec<(String, Conclusion)>,
    make: &dyn Fn(Vec<ActionName>) -> Conclusion,
) {
    if let [only] = actions {
        let other = if *only == ActionName::Start { ActionName::Continue } else { ActionName::Start };
        found.push((format!("action {only:?} made {other:?}").to_lowercase(), make(vec![other])));
        return;
    }
    for (at, action) in actions.iter().enumerate() {
        let mut rest = actions.to_vec();
        rest.remove(at);
        found.push((format!("action {action:?} dropped").to_lowercase(), make(rest)));
    }
}

/// Another mode that the conclusion can have.
fn other_unknown(rule: &Rule) -> Option<WhenUnknown> {
    match (&rule.conclusion, rule.unknown) {
        (Conclusion::Caution { .. } | Conclusion::Contraindicate { .. }, WhenUnknown::Request) => {
            Some(WhenUnknown::Verify)
        }
        (Conclusion::Alert { .. }, WhenUnknown::Request) => Some(WhenUnknown::AlertPossible),
        (_, WhenUnknown::Verify | WhenUnknown::AlertPossible) => Some(WhenUnknown::Request),
        _ => None,
    }
}
