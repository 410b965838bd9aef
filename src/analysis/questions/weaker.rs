//! Scales on which a patient gets weaker advice in a worse band.
//!
//! Two copies of a patient share every fact but the results of the scale: the
//! one is in a band, the other in the next worse one.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::{Asked, Claim, Finding, Lit, Space};
use crate::analysis::logic::Rails;
use crate::analysis::space::cone;
use crate::diag::{Diagnostic, Span};
use crate::program::{CompiledRule, Formula, NodeId};
use crate::rule::check::scale::{Band, Family, families};
use crate::rule::model::{Category, Comparison, Conclusion, Fact, ObservationTest, Package, Rule, Severity};

/// The same patient with another score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instead {
    /// Concept of the score.
    pub concept: String,
    /// The score.
    pub score: Decimal,
}

/// What advice is compared by: offers and exclusions of a component, alerts of
/// a category.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Advice {
    Offer { component: u32, firm: bool },
    Exclusion { component: u32, firm: bool },
    Alert { category: Category, severity: Severity },
}

impl Advice {
    /// What a rule advises, one for each component.
    fn of(rule: &CompiledRule, declared: &Rule) -> Vec<Self> {
        let each = |make: &dyn Fn(u32) -> Self| rule.components.iter().map(|component| make(*component)).collect();
        match &declared.conclusion {
            Conclusion::Recommend { .. } => each(&|component| Self::Offer { component, firm: true }),
            Conclusion::Consider { .. } => each(&|component| Self::Offer { component, firm: false }),
            Conclusion::Contraindicate { .. } => each(&|component| Self::Exclusion { component, firm: true }),
            Conclusion::Caution { .. } => each(&|component| Self::Exclusion { component, firm: false }),
            Conclusion::Alert { category, severity, .. } => {
                vec![Self::Alert { category: *category, severity: *severity }]
            }
            _ => Vec::new(),
        }
    }

    /// Is the other at least as strong? An exclusion takes the place of an offer.
    fn kept_by(self, other: Self) -> bool {
        match (self, other) {
            (Self::Offer { component, firm }, Self::Offer { component: same, firm: other })
            | (Self::Exclusion { component, firm }, Self::Exclusion { component: same, firm: other }) => {
                component == same && (other || !firm)
            }
            (Self::Offer { component, .. }, Self::Exclusion { component: same, .. }) => component == same,
            (Self::Alert { category, severity }, Self::Alert { category: same, severity: other }) => {
                category == same && other >= severity
            }
            _ => false,
        }
    }
}

type Advising<'a> = (&'a CompiledRule, &'a Rule, Advice);

pub fn ask(asked: &Asked<'_>, findings: &mut Vec<Finding>) {
    let advising: Vec<Advising<'_>> = asked
        .rules()
        .flat_map(|(rule, declared)| Advice::of(rule, declared).into_iter().map(move |advice| (rule, declared, advice)))
        .collect();
    for family in families(asked.package) {
        // What a lower score on an undeclared scale excludes may well be excluded for it.
        let (first, second): (Vec<&Band>, Vec<&Band>) = if family.higher_is_worse {
            (family.bands.iter().collect(), family.bands.iter().skip(1).collect())
        } else {
            (family.bands.iter().skip(1).collect(), family.bands.iter().collect())
        };
        for (milder, worse) in first.into_iter().zip(second) {
            between(asked, &advising, &family, milder, worse, findings);
        }
    }
}

fn between(
    asked: &Asked<'_>,
    advising: &[Advising<'_>],
    family: &Family,
    milder: &Band,
    worse: &Band,
    findings: &mut Vec<Finding>,
) {
    let (lower, upper) = (nodes_of(asked, family, milder), nodes_of(asked, family, worse));
    if lower.is_empty() || upper.is_empty() {
        return;
    }
    let touched = |node: NodeId| {
        let (atoms, _) = cone(asked.program, &[node]);
        atoms.iter().filter_map(|atom| asked.program.atoms.get(atom.at())).any(|atom| is_of(&atom.fact, family))
    };
    for (rule, declared, advice) in advising {
        let compared = family.declared || !matches!(advice, Advice::Exclusion { .. });
        if !compared || !touched(rule.node) {
            continue;
        }
        let keeping: Vec<&CompiledRule> =
            advising.iter().filter(|(_, _, other)| advice.kept_by(*other)).map(|(other, _, _)| *other).collect();
        let mut roots: Vec<NodeId> = keeping.iter().map(|other| other.node).collect();
        roots.extend(lower.iter().chain(&upper).copied().chain([rule.node]));
        roots.extend(asked.outrankers(rule).map(|above| above.node));
        let (mut space, second) = Space::twins(asked.theory, asked.program, &roots);
        share(asked, &mut space, &second, &roots, family);
        let of_second = |node: NodeId| second.get(&node).copied().unwrap_or(space.of_node(node));
        let mut claims: Vec<Lit> = lower.iter().map(|node| space.of_node(*node).yes).collect();
        claims.extend(upper.iter().map(|node| of_second(*node).yes));
        claims.push(space.of_node(rule.node).yes);
        claims.extend(asked.outrankers(rule).map(|above| !space.of_node(above.node).yes));
        claims.extend(keeping.iter().map(|other| !of_second(other.node).yes));
        if space.impossible(&claims) {
            continue;
        }
        let message = format!(
            "{} gives weaker advice in the worse band {} than in {}: rule `{}` no longer fires, and nothing as strong \
             does",
            family.name, worse.name, milder.name, rule.id
        );
        let place: Span = worse.span;
        let diagnostic = Diagnostic::error("weaker-advice", place, message)
            .label("the worse band")
            .related(declared.id.span, format!("fires in {}", milder.name))
            .help("let the rule of the milder band fire here too, or say something as strong");
        let score = worse.score(family.step);
        findings.push(Finding {
            diagnostic,
            shown_by: lower.iter().copied().chain([rule.node]).map(Claim::holds).collect(),
            instead: Some(Instead { concept: family.observation.clone(), score }),
        });
    }
}

/// The formulas that put a score into a band: one test of both ends, or one of each.
fn nodes_of(asked: &Asked<'_>, family: &Family, band: &Band) -> Vec<NodeId> {
    let node = |wanted: &Comparison| {
        let atom = asked.program.atoms.iter().position(|atom| {
            matches!(&atom.fact, Fact::Observation { window, test: Some(ObservationTest::Quantity(range)), .. }
                if is_of(&atom.fact, family) && *window == family.window && range == wanted)
        })?;
        let node = asked.program.nodes.iter().position(|node| matches!(node, Formula::Atom(of) if of.at() == atom))?;
        u32::try_from(node).ok().map(NodeId)
    };
    if let Some(whole) = node(&band.range) {
        return vec![whole];
    }
    let low = node(&Comparison { high: None, ..band.range.clone() });
    let high = node(&Comparison { low: None, ..band.range.clone() });
    low.zip(high).map_or_else(Vec::new, |(low, high)| vec![low, high])
}

fn is_of(fact: &Fact, family: &Family) -> bool {
    matches!(fact, Fact::Observation { concepts, .. } if concepts.iter().any(|name| name.value == family.observation))
}

/// The two copies differ in the scores alone: the same scores are known of both.
fn share(
    asked: &Asked<'_>,
    space: &mut Space,
    second: &std::collections::BTreeMap<NodeId, Rails>,
    roots: &[NodeId],
    family: &Family,
) {
    let (_, nodes): (_, BTreeSet<NodeId>) = cone(asked.program, roots);
    for node in nodes {
        let Some(Formula::Atom(atom)) = asked.program.nodes.get(node.at()) else { continue };
        let Some(atom) = asked.program.atoms.get(atom.at()) else { continue };
        let (a, Some(b)) = (space.of_node(node), second.get(&node).copied()) else { continue };
        let tested = matches!(&atom.fact, Fact::Observation { test: Some(_), .. });
        let logic = &mut space.logic;
        let pairs = if is_of(&atom.fact, family) && tested {
            let known = |logic: &mut crate::analysis::logic::Logic, rails: Rails| logic.or(&[rails.yes, rails.no]);
            vec![(known(logic, a), known(logic, b))]
        } else {
            vec![(a.yes, b.yes), (a.no, b.no)]
        };
        for (one, other) in pairs {
            logic.assert(&[!one, other]);
            logic.assert(&[one, !other]);
        }
    }
}

impl Instead {
    /// Puts the score into a request that has one of the concept.
    pub fn put(&self, package: &Package, request: &mut serde_json::Value) -> bool {
        let Some(concept) = package.concepts.iter().find(|one| one.def.id == self.concept) else { return false };
        let def = &concept.def;
        let is_code = |code: &str| [&def.loinc, &def.local, &def.snomed].into_iter().flatten().any(|one| one == code);
        let found = request.pointer_mut("/patient/observations").and_then(serde_json::Value::as_array_mut);
        let mut put = false;
        for observation in found.into_iter().flatten() {
            let code = observation.pointer("/coding/0/code").and_then(serde_json::Value::as_str);
            if code.is_some_and(is_code)
                && let Some(slot) = observation.pointer_mut("/value")
            {
                *slot = self.score.to_f64().into();
                put = true;
            }
        }
        put
    }
}
