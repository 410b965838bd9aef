//! Components: what the findings together say of each, and of which action.

use std::cmp::Reverse;

use crate::rule::model::{self, ActionName, Conclusion, WhenUnknown};
use crate::rule::truth::Truth;

use super::case::Case;
use super::decision::{Action, Component, Exclusion, Finding, FindingKind, Offer, Recommendation, Standing};
use crate::program::{CompiledComponent, CompiledRule};

/// A component with its place in the package.
pub struct Placed<'a> {
    /// As the package declares it.
    pub declared: &'a model::Component,
    /// What is said of it.
    pub component: Component,
    /// Neither in use nor planned, and offered by drafts alone.
    pub by_drafts: bool,
}

/// Said with the standing of a medication in use that must not end abruptly.
const NO_ABRUPT_STOP: &str = "In use: review urgently and keep it going meanwhile; no abrupt stop.";

/// Components that have something to say: offered, in use, or planned.
#[must_use]
pub fn all<'a>(case: &Case<'a>) -> Vec<Placed<'a>> {
    let engine = case.engine;
    let spoken_of = case.findings();
    let mut placed = Vec::new();
    for (index, compiled) in (0..).zip(&engine.program().components) {
        let Some(declared) = engine.package().components.get(compiled.component as usize) else { continue };
        let rules = spoken_of.get(&index).map(Vec::as_slice).unwrap_or_default();
        let current = compiled.current.map(|node| case.values.get(node));
        let planned = compiled.planned.is_some_and(|node| case.values.get(node) == Truth::True);
        let action = action(case, compiled, current, planned);
        let counts = |actions: &[ActionName]| match current {
            Some(Truth::True) => actions.contains(&ActionName::Continue),
            Some(Truth::Unknown) => actions.contains(&ActionName::Continue) || actions.contains(&ActionName::Start),
            _ => actions.contains(&ActionName::Start),
        };
        let findings = findings(case, rules, &counts);
        let component = combined(declared, action, findings);
        let in_use = current == Some(Truth::True);
        if component.offer > Offer::None || in_use || planned {
            let settled = strongest(component.rationale.iter().filter(|finding| !finding.rationale.draft));
            let by_drafts = !in_use && !planned && settled.0 == Offer::None;
            placed.push(Placed { declared, component: with_handling(component, declared, in_use), by_drafts });
            if in_use {
                placed.extend(increase(case, rules, declared));
            }
        }
    }
    for one in &mut placed {
        let note = engine.package().off_formulary(&one.component.code);
        one.component.formulary_note = note.map(formulary_note);
    }
    placed
}

/// Use that is certain continues; absence that is certain, or with which a plan
/// agrees, starts; what is assumed or unknown may be either. What a record can't
/// show may be either too.
fn action(case: &Case<'_>, compiled: &CompiledComponent, current: Option<Truth>, planned: bool) -> Action {
    match current {
        Some(Truth::True) => Action::Continue,
        Some(Truth::False) if planned || !compiled.current.is_some_and(|node| case.assumed_false_any(node)) => {
            Action::Start
        }
        _ => Action::StartOrContinue,
    }
}

type Rules<'a> = [(&'a CompiledRule, &'a model::Rule)];

fn findings(case: &Case<'_>, rules: &Rules<'_>, counts: &dyn Fn(&[ActionName]) -> bool) -> Vec<Finding> {
    let program = case.engine.program();
    let mut findings = Vec::new();
    for (rule, source) in rules {
        let actions = source.conclusion.actions();
        let truth = case.truth(rule);
        let kind = match (&source.conclusion, truth, source.unknown) {
            (Conclusion::Recommend { .. }, Truth::True, _) => FindingKind::Recommend,
            (Conclusion::Consider { .. }, Truth::True, _) => FindingKind::Consider,
            (Conclusion::Caution { .. }, Truth::True, _) => FindingKind::Caution,
            (Conclusion::Contraindicate { .. }, Truth::True, _) => FindingKind::Contraindicate,
            (Conclusion::Caution { .. } | Conclusion::Contraindicate { .. }, Truth::Unknown, WhenUnknown::Verify) => {
                FindingKind::Verify
            }
            _ => continue,
        };
        let said = match (kind, &source.ask) {
            (FindingKind::Verify, Some(ask)) => format!("Verify first: {ask}"),
            (FindingKind::Verify, None) => format!("Verify first: {}", source.title),
            _ => case.statement(rule, source),
        };
        let outranked_by: Vec<String> = rule
            .outranked_by
            .iter()
            .filter_map(|above| program.rules.get(*above as usize))
            .filter(|above| case.outranks(above, rule))
            .map(|above| above.id.clone())
            .collect();
        let offers = matches!(kind, FindingKind::Recommend | FindingKind::Consider);
        findings.push(Finding {
            kind,
            action: if offers { None } else { spoken_of(actions, counts) },
            counted: outranked_by.is_empty() && (offers || counts(actions)),
            outranked_by,
            rationale: case.rationale(rule, source, &said),
        });
    }
    // Beside the offer of an active rule that of a draft adds nothing.
    let offers = |finding: &Finding| matches!(finding.kind, FindingKind::Recommend | FindingKind::Consider);
    if findings.iter().any(|finding| finding.counted && offers(finding) && !finding.rationale.draft) {
        for finding in findings.iter_mut().filter(|finding| offers(finding) && finding.rationale.draft) {
            finding.counted = false;
        }
    }
    findings.sort_by(|a, b| (!a.counted, a.kind, &a.rationale.rule).cmp(&(!b.counted, b.kind, &b.rationale.rule)));
    findings
}

/// The action of an exclusion that counts here, else the first it names.
fn spoken_of(actions: &[ActionName], counts: &dyn Fn(&[ActionName]) -> bool) -> Option<Action> {
    let counted = actions.iter().find(|action| counts(&[**action]));
    counted.or(actions.first()).map(|action| match action {
        ActionName::Start => Action::Start,
        ActionName::Continue => Action::Continue,
        ActionName::Increase => Action::Increase,
    })
}

/// Offer and exclusion are the strongest of the findings that count.
fn combined(declared: &model::Component, action: Action, findings: Vec<Finding>) -> Component {
    let (offer, exclusion) = strongest(findings.iter());
    let settled = strongest(findings.iter().filter(|finding| !finding.rationale.draft));
    Component {
        code: declared.id.value.clone(),
        title: declared.title.clone(),
        action,
        offer,
        exclusion,
        standing: Standing::of(offer, exclusion),
        draft: settled != (offer, exclusion),
        rationale: findings,
        handling: None,
        formulary_note: None,
    }
}

fn strongest<'f>(findings: impl Iterator<Item = &'f Finding>) -> (Offer, Exclusion) {
    let (mut offer, mut exclusion) = (Offer::None, Exclusion::None);
    for finding in findings.filter(|finding| finding.counted) {
        match finding.kind {
            FindingKind::Recommend => offer = offer.max(Offer::Recommend),
            FindingKind::Consider => offer = offer.max(Offer::Consider),
            FindingKind::Caution => exclusion = exclusion.max(Exclusion::Caution),
            FindingKind::Verify => exclusion = exclusion.max(Exclusion::VerifyFirst),
            FindingKind::Contraindicate => exclusion = exclusion.max(Exclusion::Contraindicated),
        }
    }
    (offer, exclusion)
}

/// What is said of a component that is not on the site's formulary. It stays
/// where its findings put it: what a site stocks is no finding.
fn formulary_note(note: &str) -> String {
    if note.is_empty() {
        "Not on this site's formulary.".to_owned()
    } else {
        format!("Not on this site's formulary: {note}")
    }
}

fn with_handling(mut component: Component, declared: &model::Component, in_use: bool) -> Component {
    if in_use && declared.never_abrupt && component.exclusion > Exclusion::None {
        component.handling = Some(NO_ABRUPT_STOP.to_owned());
    }
    component
}

/// What is said of more of a component in use.
fn increase<'a>(case: &Case<'a>, rules: &Rules<'_>, declared: &'a model::Component) -> Option<Placed<'a>> {
    let counts = |actions: &[ActionName]| actions.contains(&ActionName::Increase);
    let mut findings = findings(case, rules, &counts);
    findings
        .retain(|finding| finding.counted && !matches!(finding.kind, FindingKind::Recommend | FindingKind::Consider));
    if findings.is_empty() {
        return None;
    }
    Some(Placed { declared, component: combined(declared, Action::Increase, findings), by_drafts: false })
}

/// The components under their approaches, in the order of the package.
#[must_use]
pub fn by_approach(case: &Case<'_>, placed: &[Placed<'_>]) -> Vec<Recommendation> {
    let first: Vec<&str> = placed
        .iter()
        .filter(|one| one.declared.listed_first.as_ref().is_some_and(|test| test.holds))
        .map(|one| one.declared.id.value.as_str())
        .collect();
    let mut recommendations = Vec::new();
    for approach in &case.engine.package().approaches {
        let mut components: Vec<Component> = placed
            .iter()
            .filter(|one| one.declared.approaches.iter().any(|name| name.value == approach.id.value))
            .map(|one| one.component.clone())
            .collect();
        components.sort_by(|a, b| {
            let rank = |one: &Component| {
                let off = one.formulary_note.is_some();
                let after = !first.contains(&one.code.as_str());
                (!one.offered(), Reverse(one.offer), one.exclusion, off, after, one.code.clone(), one.action)
            };
            rank(a).cmp(&rank(b))
        });
        if !components.is_empty() {
            recommendations.push(Recommendation {
                approach: approach.id.value.clone(),
                title: approach.title.clone(),
                components,
            });
        }
    }
    recommendations
}
