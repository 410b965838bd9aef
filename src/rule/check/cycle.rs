//! Strata: definitions, `proposed` and `offered` must not lean on themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::parts;
use crate::diag::{Diagnostic, Span};
use crate::rule::model::{Conclusion, Condition, Name, Package, Rule, RuleStatus, Spanned};

/// Something whose truth is computed from other such things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stratum<'a> {
    Definition(&'a str),
    Proposed(&'a str),
    Offered(&'a str),
    Outranks(&'a str),
}

impl Stratum<'_> {
    fn words(self) -> String {
        match self {
            Self::Definition(id) => format!("definition `{id}`"),
            Self::Proposed(id) => format!("`proposed: {id}`"),
            Self::Offered(id) => format!("`offered: {id}`"),
            Self::Outranks(id) => format!("rule `{id}`"),
        }
    }
}

/// An edge, with the place that makes it.
type Edges<'a> = BTreeMap<Stratum<'a>, Vec<(Stratum<'a>, Span)>>;

/// Names every cycle once.
pub fn check(package: &Package, faults: &mut Vec<Diagnostic>) {
    let edges = edges(package);
    let mut done = BTreeSet::new();
    for start in edges.keys() {
        let mut path = Vec::new();
        visit(*start, Span::default(), &edges, &mut done, &mut path, faults);
    }
}

fn visit<'a>(
    at: Stratum<'a>,
    by: Span,
    edges: &Edges<'a>,
    done: &mut BTreeSet<Stratum<'a>>,
    path: &mut Vec<(Stratum<'a>, Span)>,
    faults: &mut Vec<Diagnostic>,
) {
    if let Some(from) = path.iter().position(|(stratum, _)| *stratum == at) {
        let cycle = path.get(from..).unwrap_or_default();
        let mut words: Vec<String> = cycle.iter().map(|(stratum, _)| stratum.words()).collect();
        words.push(at.words());
        let fault = Diagnostic::error("cycle", by, format!("a cycle: {}", words.join(" needs ")))
            .label("closes the cycle")
            .help("a definition, or what is proposed or offered, can't rest on itself: take one of these out");
        faults.push(fault);
        return;
    }
    if !done.insert(at) {
        return;
    }
    path.push((at, by));
    for (next, span) in edges.get(&at).map(Vec::as_slice).unwrap_or_default() {
        visit(*next, *span, edges, done, path, faults);
    }
    path.pop();
}

fn edges(package: &Package) -> Edges<'_> {
    let mut edges = Edges::new();
    for definition in &package.definitions {
        let mut needs = Vec::new();
        references(&definition.when, &mut needs);
        edges.insert(Stratum::Definition(&definition.id.value), needs);
    }
    let active: Vec<&Rule> = package.rules.iter().filter(|rule| rule.status == RuleStatus::Active).collect();
    for component in &package.components {
        let id = component.id.value.as_str();
        let mut own = Vec::new();
        for name in [&component.current, &component.planned].into_iter().flatten() {
            own.push((Stratum::Definition(name.value.as_str()), name.span));
        }
        let (mut proposed, mut offered) = (own.clone(), own);
        for rule in active.iter().filter(|rule| speaks_of(rule, id)) {
            if matches!(rule.conclusion, Conclusion::Recommend { .. } | Conclusion::Consider { .. }) {
                references(&rule.when, &mut proposed);
            }
            references(&rule.when, &mut offered);
            for other in active.iter().filter(|other| names(&other.outranks, &rule.id.value)) {
                references(&other.when, &mut offered);
            }
        }
        edges.insert(Stratum::Proposed(id), proposed);
        edges.insert(Stratum::Offered(id), offered);
    }
    for rule in &package.rules {
        let needs = rule.outranks.iter().map(|name| (Stratum::Outranks(name.value.as_str()), name.span)).collect();
        edges.insert(Stratum::Outranks(&rule.id.value), needs);
    }
    edges
}

fn speaks_of(rule: &Rule, component: &str) -> bool {
    names(rule.conclusion.components(), component)
}

fn names(list: &[Name], id: &str) -> bool {
    list.iter().any(|name| name.value == id)
}

fn references<'a>(condition: &'a Spanned<Condition>, needs: &mut Vec<(Stratum<'a>, Span)>) {
    match &condition.value {
        Condition::Definition(name) => needs.push((Stratum::Definition(&name.value), name.span)),
        Condition::Proposed(name) => needs.push((Stratum::Proposed(&name.value), name.span)),
        Condition::Offered(name) => needs.push((Stratum::Offered(&name.value), name.span)),
        other => parts(other).into_iter().for_each(|part| references(part, needs)),
    }
}
