//! Puts the answer together: what fired, ordered by gravity, with reasons.

use std::cmp::Reverse;

use crate::rule::model::{Category, Conclusion, InsightCode, Package, Severity, WhenUnknown};
use crate::rule::truth::Truth;

use super::case::Case;
use super::components;
use super::decision::{Alert, Answer, ConsideredRule, DisabledRule, Explain, Insight, Note, Scope, Tally};
use super::disagreements;
use super::requests;

/// How many data requests and assessments are shown; the rest follows under
/// `more`, so that an answer can be read.
pub const SHOWN_ASKS: usize = 7;

/// The answer to a case.
#[must_use]
pub fn answer(case: &Case<'_>) -> Answer {
    let scope = scope(case);
    let components = components::all(case);
    let asks = requests::all(case, &components);
    let truths = || case.rules().map(|(compiled, _)| case.truth(compiled));
    let fired = case.rules().filter(|(compiled, _)| case.truth(compiled) == Truth::True);
    let mut answer = Answer {
        as_of: case.as_of.to_string(),
        scope,
        scope_note: scope_note(scope).to_owned(),
        drafts_included: false,
        disabled_safety_rules: disabled(case.engine.package())
            .filter(|(safety, _)| *safety)
            .map(|(_, rule)| rule)
            .collect(),
        alerts: alerts(case),
        recommendations: components::by_approach(case, &components),
        data_requests: asks.data_requests,
        assessments: asks.assessments,
        more_data_requests: asks.more_data_requests,
        more_assessments: asks.more_assessments,
        insights: insights(case),
        notes: notes(case),
        disagreements: Vec::new(),
        unrecognized: case.grounded.unrecognized.clone(),
        readings: case.grounded.readings.clone(),
        considered: considered(case),
        fired: fired.map(|(_, rule)| rule.id.value.clone()).collect(),
        tally: Tally {
            fired: truths().filter(|truth| *truth == Truth::True).count(),
            undecided: truths().filter(|truth| *truth == Truth::Unknown).count(),
            facts: case.grounded.atoms.len(),
        },
    };
    answer.disagreements = disagreements::of(case.engine, &answer);
    answer
}

/// The rules that the overlay disables, each with whether it is a safety rule.
pub fn disabled(package: &Package) -> impl Iterator<Item = (bool, DisabledRule)> {
    package.disabled().map(|(rule, disable)| {
        let told = DisabledRule {
            rule: rule.id.value.clone(),
            title: rule.title.clone(),
            conclusion: rule.conclusion.word(),
            reason: disable.reason.clone(),
            by: disable.by.clone().unwrap_or_default(),
        };
        (rule.conclusion.is_safety(), told)
    })
}

/// The strongest scope whose definition is true.
fn scope(case: &Case<'_>) -> Scope {
    let declared = case.engine.program().scope;
    let holds = |node: Option<crate::program::NodeId>| node.is_some_and(|node| case.values.get(node) == Truth::True);
    if holds(declared.present) {
        Scope::Present
    } else if holds(declared.possible) {
        Scope::Possible
    } else if holds(declared.in_remission) {
        Scope::InRemission
    } else {
        Scope::None
    }
}

fn scope_note(scope: Scope) -> &'static str {
    match scope {
        Scope::Present => "Opioid use disorder is on record as active: medication for it can be offered.",
        Scope::Possible => {
            "Opioid use disorder is possible and not established: safety rules apply, starting medication for it is not \
             offered, and the answer asks what would settle it."
        }
        Scope::InRemission => {
            "Opioid use disorder is on record as in remission: continuing treatment and reassessment are covered, and \
             starting medication for it is not."
        }
        Scope::None => {
            "The record shows no opioid use disorder: no medication for it is offered. This is not a finding that there is none."
        }
    }
}

fn alerts(case: &Case<'_>) -> Vec<Alert> {
    let mut alerts = Vec::new();
    for (compiled, rule) in case.rules() {
        let Conclusion::Alert { category, severity, urgency } = rule.conclusion else { continue };
        let (statement, possible) = match (case.truth(compiled), rule.unknown) {
            (Truth::True, _) => (case.statement(compiled, rule), false),
            (Truth::Unknown, WhenUnknown::AlertPossible) => (rule.possible.clone().unwrap_or_default(), true),
            _ => continue,
        };
        let rationale = case.rationale(compiled, rule, &statement);
        let alert = Alert {
            id: rule.id.value.clone(),
            category: category.word().to_owned(),
            severity,
            urgency,
            title: rule.title.clone(),
            statement,
            possible,
            rationale,
        };
        // The soonest first, then suicide risk that is high, then the gravest.
        let after_suicide = !(category == Category::SuicideRisk && severity >= Severity::High);
        let rank = (Reverse(urgency), after_suicide, Reverse(severity), category, possible, alert.id.clone());
        alerts.push((rank, alert));
    }
    alerts.sort_by(|a, b| a.0.cmp(&b.0));
    alerts.into_iter().map(|(_, alert)| alert).collect()
}

fn insights(case: &Case<'_>) -> Vec<Insight> {
    let mut insights: Vec<(InsightCode, Insight)> = Vec::new();
    for (compiled, rule) in case.rules() {
        let Conclusion::Insight { code } = rule.conclusion else { continue };
        if case.truth(compiled) == Truth::True {
            let statement = case.statement(compiled, rule);
            let rationale = case.rationale(compiled, rule, &statement);
            let (id, title) = (rule.id.value.clone(), rule.title.clone());
            insights.push((code, Insight { id, code: code.word().to_owned(), title, statement, rationale }));
        }
    }
    insights.sort_by(|a, b| (a.0, &a.1.id).cmp(&(b.0, &b.1.id)));
    insights.into_iter().map(|(_, insight)| insight).collect()
}

fn notes(case: &Case<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    for (compiled, rule) in case.rules() {
        if rule.conclusion == Conclusion::Note && case.truth(compiled) == Truth::True {
            let statement = case.statement(compiled, rule);
            let rationale = case.rationale(compiled, rule, &statement);
            notes.push(Note { id: rule.id.value.clone(), title: rule.title.clone(), statement, rationale });
        }
    }
    notes
}

fn considered(case: &Case<'_>) -> Vec<ConsideredRule> {
    if case.explain != Explain::Full {
        return Vec::new();
    }
    let engine = case.engine;
    (0..)
        .map_while(|index| engine.rule(index))
        .map(|(compiled, rule)| ConsideredRule {
            rule: rule.id.value.clone(),
            title: rule.title.clone(),
            truth: case.truth(compiled),
            draft: case.rests_on_draft(compiled),
            proof: case.proof(&compiled.outline),
        })
        .collect()
}
