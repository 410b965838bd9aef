//! Strata: definitions, `proposed` and `offered` must not lean on themselves,
//! nor be piled so high that no one could read an explanation of them. The last
//! is what keeps a candidate from taking all memory, or the stack.

use std::collections::{BTreeMap, BTreeSet};

use super::parts;
use crate::diag::{Diagnostic, Span};
use crate::rule::model::{Conclusion, Condition, Fact, Package, RuleStatus, Spanned};

/// Most levels of a condition, what it names among them.
const MAX_DEPTH: usize = 64;

/// Most strata on the way to one: not each is a level of a condition.
const MAX_PATH: usize = 256;

/// Most parts of all conditions, what they name written out in each.
const MAX_PARTS: usize = 500_000;

/// Something whose truth is computed from other such things. The order is that
/// in which cycles are looked for: a rule closes none by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stratum<'a> {
    Definition(&'a str),
    Proposed(&'a str),
    Offered(&'a str),
    Outranks(&'a str),
    Rule(&'a str),
    Claim(&'a str, usize),
}

impl Stratum<'_> {
    fn words(self) -> Option<String> {
        match self {
            Self::Definition(id) => Some(format!("definition `{id}`")),
            Self::Proposed(id) => Some(format!("`proposed: {id}`")),
            Self::Offered(id) => Some(format!("`offered: {id}`")),
            Self::Outranks(id) => Some(format!("rule `{id}`")),
            Self::Rule(_) | Self::Claim(..) => None,
        }
    }
}

/// What a stratum is made of.
#[derive(Debug, Default)]
struct Makeup<'a> {
    /// Levels and parts as written.
    weight: Weight,
    edges: Vec<Edge<'a>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    depth: usize,
    parts: usize,
}

/// What is named, where, and how deep in the condition.
#[derive(Clone, Copy, Debug)]
struct Edge<'a> {
    to: Stratum<'a>,
    span: Span,
    level: usize,
}

type Strata<'a> = BTreeMap<Stratum<'a>, Makeup<'a>>;

/// Names every cycle once, and the first pile that is too high or too wide.
pub fn check(package: &Package, faults: &mut Vec<Diagnostic>) {
    let strata = strata(package);
    let mut walk = Walk {
        strata: &strata,
        done: BTreeMap::new(),
        path: Vec::new(),
        on_path: BTreeSet::new(),
        high: false,
        faults,
    };
    for start in strata.keys() {
        walk.visit(*start, Span::default());
    }
    let (weights, high) = (walk.done, walk.high);
    if high {
        return;
    }
    let mut total = 0_usize;
    let conditions = package.definitions.iter().map(|one| (Stratum::Definition(&one.id.value), one.when.span));
    let rules = package.rules.iter().map(|one| (Stratum::Rule(&one.id.value), one.when.span));
    let claims = claims(package).map(|(stratum, condition)| (stratum, condition.span));
    for (stratum, span) in conditions.chain(rules).chain(claims) {
        total = total.saturating_add(weights.get(&stratum).map_or(0, |weight| weight.parts));
        if total > MAX_PARTS {
            let message = format!(
                "the conditions up to here have more than {MAX_PARTS} parts, with the definitions that they name"
            );
            faults.push(
                Diagnostic::error("too-many-parts", span, message).help("name fewer definitions, or smaller ones"),
            );
            return;
        }
    }
}

struct Walk<'a, 'w> {
    strata: &'w Strata<'a>,
    done: BTreeMap<Stratum<'a>, Weight>,
    path: Vec<Stratum<'a>>,
    on_path: BTreeSet<Stratum<'a>>,
    /// Was a pile too high? Then nothing more is looked at.
    high: bool,
    faults: &'w mut Vec<Diagnostic>,
}

impl<'a> Walk<'a, '_> {
    fn visit(&mut self, at: Stratum<'a>, by: Span) -> Weight {
        if let Some(weight) = self.done.get(&at) {
            return *weight;
        }
        if self.high {
            return Weight::default();
        }
        if self.on_path.contains(&at) {
            self.cycle(at, by);
            return Weight::default();
        }
        if self.path.len() > MAX_PATH {
            self.too_high(by);
            return Weight::default();
        }
        let Some(makeup) = self.strata.get(&at) else { return Weight::default() };
        self.path.push(at);
        self.on_path.insert(at);
        let mut weight = makeup.weight;
        for edge in &makeup.edges {
            let inner = self.visit(edge.to, edge.span);
            let depth = edge.level.saturating_add(inner.depth);
            if depth > MAX_DEPTH && !self.high {
                self.too_high(edge.span);
            }
            weight.depth = weight.depth.max(depth);
            if matches!(edge.to, Stratum::Definition(_)) {
                weight.parts = weight.parts.saturating_add(inner.parts);
            }
        }
        self.path.pop();
        self.on_path.remove(&at);
        self.done.insert(at, weight);
        weight
    }

    fn cycle(&mut self, at: Stratum<'a>, by: Span) {
        let from = self.path.iter().position(|stratum| *stratum == at).unwrap_or_default();
        let cycle = self.path.get(from..).unwrap_or_default();
        let words: Vec<String> = cycle.iter().copied().chain([at]).filter_map(Stratum::words).collect();
        let fault = Diagnostic::error("cycle", by, format!("a cycle: {}", words.join(" needs ")))
            .label("closes the cycle")
            .help("a definition, or what is proposed or offered, can't rest on itself: take one of these out");
        self.faults.push(fault);
    }

    fn too_high(&mut self, by: Span) {
        self.high = true;
        let message = format!("this is nested deeper than {MAX_DEPTH} levels, with what it names");
        self.faults.push(Diagnostic::error("too-deep", by, message).help("let definitions rest on fewer others"));
    }
}

/// Drafts are compiled where a request asks for them.
fn taken(status: RuleStatus) -> bool {
    matches!(status, RuleStatus::Active | RuleStatus::Draft)
}

fn strata(package: &Package) -> Strata<'_> {
    let mut strata = Strata::new();
    for definition in &package.definitions {
        strata.insert(Stratum::Definition(&definition.id.value), makeup(&definition.when));
    }
    for component in &package.components {
        let mut own = Makeup::default();
        for name in [&component.current, &component.planned].into_iter().flatten() {
            own.edges.push(Edge { to: Stratum::Definition(name.value.as_str()), span: name.span, level: 0 });
        }
        let offered = Makeup { edges: own.edges.clone(), ..Makeup::default() };
        strata.insert(Stratum::Proposed(&component.id.value), own);
        strata.insert(Stratum::Offered(&component.id.value), offered);
    }
    for rule in &package.rules {
        let to = |id| Edge { to: Stratum::Rule(id), span: rule.id.span, level: 0 };
        let id = rule.id.value.as_str();
        strata.insert(Stratum::Rule(id), makeup(&rule.when));
        let outranked =
            rule.outranks.iter().map(|name| Edge { to: Stratum::Outranks(&name.value), span: name.span, level: 0 });
        strata.insert(Stratum::Outranks(id), Makeup { edges: outranked.collect(), ..Makeup::default() });
        if !taken(rule.status) {
            continue;
        }
        let offers = matches!(rule.conclusion, Conclusion::Recommend { .. } | Conclusion::Consider { .. });
        for component in rule.conclusion.components() {
            if offers && let Some(makeup) = strata.get_mut(&Stratum::Proposed(&component.value)) {
                makeup.edges.push(to(id));
            }
            if let Some(makeup) = strata.get_mut(&Stratum::Offered(&component.value)) {
                makeup.edges.push(to(id));
            }
        }
    }
    for (stratum, condition) in claims(package) {
        strata.insert(stratum, makeup(condition));
    }
    // What outranks a rule decides about the offer that the rule speaks of.
    let mut above: BTreeMap<&str, Vec<Edge<'_>>> = BTreeMap::new();
    for rule in package.rules.iter().filter(|rule| taken(rule.status)) {
        for name in &rule.outranks {
            let edge = Edge { to: Stratum::Rule(&rule.id.value), span: rule.id.span, level: 0 };
            above.entry(name.value.as_str()).or_default().push(edge);
        }
    }
    for rule in package.rules.iter().filter(|rule| taken(rule.status)) {
        let Some(edges) = above.get(rule.id.value.as_str()) else { continue };
        for component in rule.conclusion.components() {
            if let Some(makeup) = strata.get_mut(&Stratum::Offered(&component.value)) {
                makeup.edges.extend(edges);
            }
        }
    }
    strata
}

/// The conditions of invariants.
fn claims(package: &Package) -> impl Iterator<Item = (Stratum<'_>, &Spanned<Condition>)> {
    package.invariants.iter().flat_map(|invariant| {
        let conditions = invariant.claims.iter().flat_map(super::invariants::conditions).enumerate();
        conditions.map(|(place, condition)| (Stratum::Claim(&invariant.id.value, place), condition))
    })
}

fn makeup(condition: &Spanned<Condition>) -> Makeup<'_> {
    let mut made = Makeup::default();
    add(condition, 1, &mut made);
    made
}

fn add<'a>(condition: &'a Spanned<Condition>, level: usize, made: &mut Makeup<'a>) {
    made.weight.depth = made.weight.depth.max(level);
    made.weight.parts = made.weight.parts.saturating_add(1);
    let mut name = |to, span| made.edges.push(Edge { to, span, level });
    match &condition.value {
        Condition::Definition(named) => name(Stratum::Definition(&named.value), named.span),
        Condition::Proposed(named) => name(Stratum::Proposed(&named.value), named.span),
        Condition::Offered(named) => name(Stratum::Offered(&named.value), named.span),
        Condition::Fact(test) => made.weight.parts = made.weight.parts.saturating_add(atoms(&test.fact)),
        other => parts(other).into_iter().for_each(|part| add(part, level.saturating_add(1), made)),
    }
}

/// A test of several names is one atom a name, or a pair of names.
fn atoms(fact: &Fact) -> usize {
    match fact {
        Fact::Diagnosis { concepts, .. }
        | Fact::Medication { concepts, .. }
        | Fact::Allergy { concepts }
        | Fact::Observation { concepts, .. } => concepts.len(),
        Fact::Event { types, substances, .. } => types.len().saturating_mul(substances.len().max(1)),
        Fact::Plan { kinds, concepts } => kinds.len().saturating_mul(concepts.len().max(1)),
        Fact::History { codes } | Fact::Preference { codes } => codes.len(),
        _ => 1,
    }
}

#[cfg(test)]
#[path = "cycle_tests.rs"]
mod tests;
