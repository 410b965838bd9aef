//! A package with an overlay laid over it: pure, and the same for any order of
//! what the overlay says.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Diagnostic, Files, Span, nearest};
use crate::rule::model::{Additions, Conclusion, Name, Overlay, Package, Parameter, Rule, RuleStatus, SetParameter};
use crate::rule::parameter::may_be_set;

/// The parameters of a package with the values that an overlay sets.
#[must_use]
pub fn in_force(declared: &[Parameter], set: &[SetParameter], files: &Files) -> (Vec<Parameter>, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let mut parameters = declared.to_vec();
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for one in set {
        let (id, span) = (one.parameter.value.as_str(), one.parameter.span);
        if let Some(first) = seen.insert(id, span) {
            let fault = Diagnostic::error("duplicate-set", span, format!("the parameter `{id}` is set twice"));
            faults.push(fault.label("again here").related(first, "first here").help("keep one of the values"));
            continue;
        }
        let Some(parameter) = parameters.iter_mut().find(|parameter| parameter.id.value == id) else {
            let known = declared.iter().map(|parameter| parameter.id.value.as_str());
            faults.push(unknown("unknown-parameter", &one.parameter, "parameter", known));
            continue;
        };
        match may_be_set(parameter, &one.value) {
            Ok(()) => {
                parameter.value.clone_from(&one.value.value);
                parameter.set = Some(files.line(span));
            }
            Err(misfit) => {
                let fault = Diagnostic::error(misfit.code, one.value.span, misfit.message).help(misfit.help);
                faults.push(fault.related(parameter.id.span, "declared here"));
            }
        }
    }
    (parameters, faults)
}

/// Lays an overlay over a package that was read with the values it sets. The
/// result is to be used only where there is no fault.
#[must_use]
pub fn merge(mut package: Package, overlay: Overlay) -> (Package, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let head = &overlay.head;
    // A head that could not be read is told already.
    if !head.base.value.is_empty() && head.base.value != package.meta.name {
        let message = format!("the overlay is for `{}`, and the package is `{}`", head.base.value, package.meta.name);
        let fault = Diagnostic::error("wrong-base", head.base.span, message);
        faults.push(fault.help(format!("write `base: {}` once it was checked with that package", package.meta.name)));
    }
    off_formulary(&package, &overlay, &mut faults);
    outranks(&package, &overlay.added, &mut faults);
    clashes(&package, &overlay.added, &mut faults);
    switch(&mut package, &overlay, &mut faults);
    let added = overlay.added.clone();
    package.sources.extend(added.sources);
    package.questions.extend(added.questions);
    package.concepts.extend(added.concepts);
    package.definitions.extend(added.definitions);
    package.rules.extend(added.rules);
    package.overlay = Some(overlay);
    package.sort();
    (package, faults)
}

fn unknown<'a>(code: &'static str, name: &Name, what: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let fault = Diagnostic::error(code, name.span, format!("the package has no {what} `{}`", name.value));
    match nearest(&name.value, known) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(format!("name a {what} of the package: `concord rules show`, `concord config`")),
    }
}

/// Names that stand twice in a list of an overlay.
fn twice<'a>(names: impl Iterator<Item = &'a Name>, what: &str, faults: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for name in names {
        if let Some(first) = seen.insert(&name.value, name.span) {
            let fault = Diagnostic::error("duplicate-id", name.span, format!("`{}` is {what} twice", name.value));
            faults.push(fault.label("again here").related(first, "first here").help("keep one of them"));
        }
    }
}

fn off_formulary(package: &Package, overlay: &Overlay, faults: &mut Vec<Diagnostic>) {
    let known = || package.components.iter().map(|component| component.id.value.as_str());
    for one in &overlay.off_formulary {
        if !known().any(|id| id == one.component.value) {
            faults.push(unknown("unknown-name", &one.component, "component", known().collect::<Vec<_>>()));
        }
    }
    twice(overlay.off_formulary.iter().map(|one| &one.component), "taken off the formulary", faults);
}

/// Disables and enables rules.
fn switch(package: &mut Package, overlay: &Overlay, faults: &mut Vec<Diagnostic>) {
    twice(overlay.disable.iter().map(|one| &one.rule).chain(&overlay.enable), "disabled or enabled", faults);
    let mut switched = BTreeSet::new();
    let ids: Vec<String> = package.rules.iter().map(|rule| rule.id.value.clone()).collect();
    let disabled = overlay.disable.iter().map(|one| (&one.rule, RuleStatus::Active, RuleStatus::Disabled));
    let enabled = overlay.enable.iter().map(|rule| (rule, RuleStatus::Draft, RuleStatus::Active));
    for (name, from, to) in disabled.chain(enabled) {
        let Some(rule) = package.rules.iter_mut().find(|rule| rule.id.value == name.value) else {
            faults.push(unknown("unknown-name", name, "rule", ids.iter().map(String::as_str)));
            continue;
        };
        if !switched.insert(name.value.as_str()) {
            continue;
        }
        if rule.status == from {
            rule.status = to;
        } else {
            let wanted =
                if to == RuleStatus::Active { "a draft can be enabled" } else { "an active rule can be disabled" };
            let message = format!("`{}` has the status `{}`, and only {wanted}", name.value, rule.status.word());
            let fault = Diagnostic::error("wrong-status", name.span, message).related(rule.id.span, "the rule");
            faults.push(fault.help("leave it out"));
        }
    }
}

/// What would take an exclusion of the package out of the comparison is said
/// openly, by disabling it: then every answer names it.
fn outranks(package: &Package, added: &Additions, faults: &mut Vec<Diagnostic>) {
    let excludes =
        |rule: &&Rule| matches!(rule.conclusion, Conclusion::Caution { .. } | Conclusion::Contraindicate { .. });
    for target in added.rules.iter().flat_map(|rule| &rule.outranks) {
        let found = package.rules.iter().filter(excludes).find(|rule| rule.id.value == target.value);
        if let Some(found) = found {
            let message = format!("an overlay can't outrank `{}`, an exclusion of the package", target.value);
            let fault = Diagnostic::error("outranks", target.span, message).related(found.id.span, "the rule it names");
            faults.push(fault.help("disable the rule, with a reason: every answer then names it"));
        }
    }
}

/// An overlay adds and never redefines: ids that the package has already.
fn clashes(package: &Package, added: &Additions, faults: &mut Vec<Diagnostic>) {
    let mut clash = |what: &str, id: &str, span: Span, known: Option<Span>| {
        let Some(known) = known else { return };
        let message = format!("the package has a {what} `{id}` already, and an overlay redefines nothing");
        let fault = Diagnostic::error("duplicate-id", span, message).related(known, "of the package");
        faults.push(fault.help(if what == "rule" {
            "give yours another id; to put it in the place of that one, disable that one"
        } else {
            "give yours another id"
        }));
    };
    macro_rules! list {
        ($what:literal, $list:ident) => {
            for one in &added.$list {
                let known = package.$list.iter().find(|known| known.id.value == one.id.value);
                clash($what, &one.id.value, one.id.span, known.map(|known| known.id.span));
            }
        };
    }
    list!("source", sources);
    list!("question", questions);
    list!("definition", definitions);
    list!("rule", rules);
    for one in &added.concepts {
        let known = package.concepts.iter().find(|known| known.def.id == one.def.id);
        clash("concept", &one.def.id, one.span, known.map(|known| known.span));
    }
}
