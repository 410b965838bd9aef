//! Disagreements: two positions at least, a rule that leads to each, and a
//! parameter that does something where one is named.

use super::walk_parameters;
use crate::diag::Diagnostic;
use crate::rule::model::{Disagreement, Package};

/// Checks every disagreement of a package.
pub fn check(package: &Package, faults: &mut Vec<Diagnostic>) {
    for one in &package.disagreements {
        let id = one.id.value.as_str();
        if one.positions.len() < 2 {
            let message = format!("`{id}` has one position, and sources differ only where there are two");
            let fault = Diagnostic::error("one-position", one.id.span, message);
            faults.push(fault.help("add what another source holds, or leave the disagreement out"));
        }
        // A name that stands for nothing is told as such.
        if all_known(package, one) && one.rules(package).next().is_none() {
            let message = format!("no rule leads to the disagreement `{id}`, so no answer can show it");
            let fault = Diagnostic::error("never-led-to", one.id.span, message);
            faults.push(fault.help("name a rule that speaks on the question, or a component that a rule speaks of"));
        }
        without_effect(package, one, faults);
    }
}

fn all_known(package: &Package, one: &Disagreement) -> bool {
    let rules = one.concerns.rules.iter().all(|name| package.rules.iter().any(|rule| rule.id.value == name.value));
    let mut components = one.concerns.components.iter();
    rules && components.all(|name| package.components.iter().any(|component| component.id.value == name.value))
}

/// A parameter that chooses between positions has to change something.
fn without_effect(package: &Package, one: &Disagreement, faults: &mut Vec<Diagnostic>) {
    let Some(name) = &one.parameter else { return };
    let Some(parameter) = package.parameters.iter().find(|parameter| parameter.id.value == name.value) else { return };
    let conditions = package
        .rules
        .iter()
        .map(|rule| &rule.when)
        .chain(package.definitions.iter().map(|definition| &definition.when));
    let mut tested = package
        .components
        .iter()
        .any(|component| component.listed_first.as_ref().is_some_and(|test| test.parameter.value == name.value));
    for condition in conditions {
        walk_parameters(condition, &mut |test| tested |= test.parameter.value == name.value);
    }
    if parameter.uses.is_empty() && !tested {
        let message = format!("the parameter `{}` changes nothing, so a site can't choose by it", name.value);
        let fault = Diagnostic::error("idle-parameter", name.span, message).related(parameter.id.span, "declared here");
        faults.push(fault.help("let a rule, a definition or `listed_first` of a component rest on it"));
    }
}
