//! Hazards: what proves a control is there.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Span, codes, nearest};
use crate::rule::model::{Hazard, Name, Package, Proof, Rule, RuleStatus};

/// Checks the proofs that a package can see. Cases are looked up by whoever has
/// the deck, tests by whoever has the sources of the program.
pub fn check(package: &Package, faults: &mut Vec<Diagnostic>) {
    let rules: BTreeMap<&str, &Rule> = package.rules.iter().map(|rule| (rule.id.value.as_str(), rule)).collect();
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for hazard in &package.hazards {
        if let Some(first) = seen.insert(&hazard.id.value, hazard.id.span) {
            let message = format!("hazard `{}` is declared twice", hazard.id.value);
            let fault = Diagnostic::error("duplicate-id", hazard.id.span, message).label("again here");
            faults.push(fault.related(first, "first here").help("give one of them another id, or remove it"));
        }
        for proof in hazard.controls.iter().flat_map(|control| &control.proven_by) {
            match proof {
                Proof::Rule(name) => faults.extend(rule(&rules, hazard, name)),
                Proof::Invariant(name) => faults.extend(invariant(package, name)),
                Proof::Check(name) => faults.extend(code(name)),
                Proof::Case(_) | Proof::Test(_) => {}
            }
        }
    }
}

fn rule(rules: &BTreeMap<&str, &Rule>, hazard: &Hazard, name: &Name) -> Option<Diagnostic> {
    let Some(rule) = rules.get(name.value.as_str()) else {
        let fault = Diagnostic::error("unknown-name", name.span, format!("no rule `{}` is declared", name.value));
        return Some(match nearest(&name.value, rules.keys().copied()) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help("declare the rule, or name another proof"),
        });
    };
    let id = &rule.id.value;
    match rule.status {
        RuleStatus::Active => None,
        // A site may; it then answers for the hazard.
        RuleStatus::Disabled => {
            let message = format!("the overlay disables `{id}`, which controls the hazard `{}`", hazard.id.value);
            let fault = Diagnostic::warning("control-disabled", rule.id.span, message);
            Some(
                fault
                    .related(name.span, "the proof of the control")
                    .help("say in the site's own safety case what replaces it"),
            )
        }
        status => {
            let message = format!("the rule `{id}` is {}, and proves no control", status.word());
            let fault = Diagnostic::error("unproven-control", name.span, message);
            Some(fault.related(rule.id.span, "the rule").help("name a rule that is active, or another proof"))
        }
    }
}

fn invariant(package: &Package, name: &Name) -> Option<Diagnostic> {
    let known = || package.invariants.iter().map(|one| one.id.value.as_str());
    if known().any(|id| id == name.value) {
        return None;
    }
    let fault = Diagnostic::error("unknown-name", name.span, format!("no invariant `{}` is declared", name.value));
    Some(match nearest(&name.value, known()) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("declare the invariant, or name another proof"),
    })
}

fn code(name: &Name) -> Option<Diagnostic> {
    if !codes::help(&name.value).is_empty() {
        return None;
    }
    let fault = Diagnostic::error("unknown-name", name.span, format!("no diagnostic has the code `{}`", name.value));
    Some(match nearest(&name.value, codes::CODES.iter().map(|(code, _)| *code)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("`concord rules check --format sarif` names those that are found"),
    })
}
