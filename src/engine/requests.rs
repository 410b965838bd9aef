//! What is missing and would change the answer, and what is due.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::clinical::patient::List;
use crate::rule::model::{Category, Conclusion, Rule, Severity, WhenUnknown};
use crate::rule::truth::Truth;

use super::assemble::SHOWN_ASKS;
use super::case::{ASSUMABLE, Case};
use super::components::Placed;
use super::decision::{Assessment, DataRequest, Effect};
use super::needs::{Need, concept_codings};
use crate::program::{CompiledRule, NodeId};

/// Data requests and assessments, the first of both shown.
#[derive(Default)]
pub struct Asks {
    /// Shown data requests.
    pub data_requests: Vec<DataRequest>,
    /// Shown assessments.
    pub assessments: Vec<Assessment>,
    /// The other data requests.
    pub more_data_requests: Vec<DataRequest>,
    /// The other assessments.
    pub more_assessments: Vec<Assessment>,
}

/// How grave an effect is: less is graver.
type Gravity = u8;

const OF_CONTRAINDICATION: Gravity = 2;

enum Ask {
    Request(DataRequest),
    Assessment(Assessment),
}

/// Where an ask stands: what rests on drafts alone comes after everything else,
/// then by gravity, number of effects and key.
type Rank = (bool, Gravity, Reverse<usize>, String);

/// A fact that is missing, with everything that it could change.
struct Missing {
    need: Need,
    effects: BTreeSet<(Gravity, Effect)>,
    /// Words of the gravest rule for what to ask, those of drafts last.
    words: BTreeSet<(bool, Gravity, String)>,
}

impl Missing {
    fn rank(&self, key: String) -> Rank {
        let draft = self.effects.iter().all(|(_, effect)| effect.draft);
        let counted = || self.effects.iter().filter(|(_, effect)| effect.draft == draft);
        let gravest = counted().map(|(gravity, _)| *gravity).min().unwrap_or(Gravity::MAX);
        (draft, gravest, Reverse(counted().count()), key)
    }
}

/// Everything to ask, gravest first.
#[must_use]
pub fn all(case: &Case<'_>, placed: &[Placed<'_>]) -> Asks {
    let mut ranked: Vec<(Rank, Ask)> = Vec::new();
    for (key, missing) in missing_facts(case, placed) {
        ranked.push((missing.rank(key), Ask::Request(request_of(missing))));
    }
    for (compiled, rule) in case.rules() {
        if case.truth(compiled) != Truth::True {
            continue;
        }
        if let Some((gravity, ask)) = ask_of_rule(case, compiled, rule) {
            let draft = case.rests_on_draft(compiled);
            ranked.push(((draft, gravity, Reverse(1), rule.id.value.clone()), ask));
        }
    }
    ranked.sort_by(|a, b| a.0.cmp(&b.0));
    let mut asks = Asks::default();
    for (index, (_, ask)) in ranked.into_iter().enumerate() {
        match (ask, index < SHOWN_ASKS) {
            (Ask::Request(request), true) => asks.data_requests.push(request),
            (Ask::Request(request), false) => asks.more_data_requests.push(request),
            (Ask::Assessment(assessment), true) => asks.assessments.push(assessment),
            (Ask::Assessment(assessment), false) => asks.more_assessments.push(assessment),
        }
    }
    asks
}

/// How grave it would be if the rule fired.
fn gravity(rule: &Rule) -> Gravity {
    match &rule.conclusion {
        Conclusion::Alert { severity: Severity::Critical, .. } => 0,
        Conclusion::Alert { severity: Severity::High, .. } => 1,
        Conclusion::Contraindicate { .. } => OF_CONTRAINDICATION,
        Conclusion::Caution { .. } if rule.unknown == WhenUnknown::Verify => OF_CONTRAINDICATION,
        Conclusion::Alert { severity: Severity::Moderate, .. } => 3,
        Conclusion::Caution { .. } => 4,
        Conclusion::Alert { .. } => 5,
        Conclusion::Recommend { .. } => 6,
        Conclusion::Consider { .. } => 7,
        Conclusion::Insight { .. } => 8,
        _ => 9,
    }
}

/// Only what could change this answer is asked for: an exclusion of a
/// component that is not in question changes nothing.
fn in_question(rule: &Rule, placed: &[Placed<'_>]) -> bool {
    match &rule.conclusion {
        Conclusion::Caution { components, .. } | Conclusion::Contraindicate { components, .. } => {
            components.iter().any(|name| placed.iter().any(|one| one.declared.id.value == name.value))
        }
        Conclusion::Alert { .. }
        | Conclusion::Recommend { .. }
        | Conclusion::Consider { .. }
        | Conclusion::Insight { .. } => true,
        _ => false,
    }
}

/// Is the rule about components that drafts alone put in question?
fn only_of_drafts(rule: &Rule, placed: &[Placed<'_>]) -> bool {
    let excludes = matches!(rule.conclusion, Conclusion::Caution { .. } | Conclusion::Contraindicate { .. });
    let mut of =
        placed.iter().filter(|one| rule.conclusion.components().iter().any(|name| name.value == one.declared.id.value));
    excludes && of.all(|one| one.by_drafts)
}

fn missing_facts(case: &Case<'_>, placed: &[Placed<'_>]) -> BTreeMap<String, Missing> {
    let mut missing: BTreeMap<String, Missing> = BTreeMap::new();
    for (compiled, rule) in case.rules() {
        if !in_question(rule, placed) {
            continue;
        }
        for (node, draft) in case.readings_of(compiled) {
            let needs: Vec<Need> = match case.values.get(node) {
                Truth::Unknown => case.undecided(node).into_iter().filter_map(|atom| case.need(atom)).collect(),
                Truth::False => lists_to_confirm(case, node, rule),
                Truth::True => Vec::new(),
            };
            note(&mut missing, rule, needs, draft || only_of_drafts(rule, placed));
        }
    }
    missing
}

/// Puts down what one rule asks for.
fn note(missing: &mut BTreeMap<String, Missing>, rule: &Rule, needs: Vec<Need>, draft: bool) {
    // Words of a rule that asks several things at once fit none of them alone.
    let asks_one_thing = needs.iter().all(|need| needs.first().is_some_and(|first| first.key == need.key));
    for need in needs {
        let gravest = gravity(rule);
        let effect =
            Effect { rule: rule.id.value.clone(), kind: rule.conclusion.word(), title: rule.title.clone(), draft };
        let entry = missing.entry(need.key.clone()).or_insert_with(|| Missing {
            need,
            effects: BTreeSet::new(),
            words: BTreeSet::new(),
        });
        entry.effects.insert((gravest, effect));
        if let Some(words) = rule.ask.as_ref().filter(|_| asks_one_thing) {
            entry.words.insert((draft, gravest, words.clone()));
        }
    }
}

/// Lists whose assumed completeness keeps the rule from lowering a standing or
/// raising an alert.
fn lists_to_confirm(case: &Case<'_>, node: NodeId, rule: &Rule) -> Vec<Need> {
    let lowers = matches!(
        rule.conclusion,
        Conclusion::Alert { .. } | Conclusion::Caution { .. } | Conclusion::Contraindicate { .. }
    );
    if !lowers {
        return Vec::new();
    }
    ASSUMABLE
        .into_iter()
        .filter(|list| case.assumed_false(node, *list))
        .map(|list| Need::list(list, unmapped(case, list)))
        .collect()
}

fn unmapped(case: &Case<'_>, list: List) -> bool {
    case.grounded.unmapped.iter().any(|(known, _)| *known == list)
}

fn request_of(missing: Missing) -> DataRequest {
    let Missing { need, effects, words } = missing;
    let statement = match words.into_iter().next() {
        Some((.., words)) if need.takes_words => format!("{}: {words}", need.statement),
        _ => need.statement,
    };
    DataRequest {
        id: need.key,
        category: String::new(),
        statement,
        field: need.field,
        codings: need.codings,
        unit: need.unit,
        effects: effects.into_iter().map(|(_, effect)| effect).collect(),
        rationale: None,
    }
}

fn ask_of_rule(case: &Case<'_>, compiled: &CompiledRule, rule: &Rule) -> Option<(Gravity, Ask)> {
    let urgent = |category: Option<Category>| {
        matches!(category, Some(Category::SuicideRisk | Category::OverdoseRisk | Category::Pregnancy))
    };
    let words = |category: Option<Category>| category.map_or_else(String::new, |category| category.word().to_owned());
    match &rule.conclusion {
        Conclusion::Request { category, field, concept } => {
            let statement = case.statement(compiled, rule);
            let rationale = case.rationale(compiled, rule, &statement);
            let (codings, unit) =
                concept.as_ref().map(|name| concept_codings(case.engine.package(), &name.value)).unwrap_or_default();
            let request = DataRequest {
                id: rule.id.value.clone(),
                category: words(*category),
                statement,
                field: field.clone(),
                codings,
                unit,
                effects: Vec::new(),
                rationale: Some(rationale),
            };
            Some((if urgent(*category) { 1 } else { 3 }, Ask::Request(request)))
        }
        Conclusion::Assess { category, instrument } => {
            let statement = case.statement(compiled, rule);
            let rationale = case.rationale(compiled, rule, &statement);
            let (codings, unit) = concept_codings(case.engine.package(), &instrument.value);
            let assessment = Assessment {
                id: rule.id.value.clone(),
                category: words(*category),
                instrument: instrument.value.clone(),
                title: rule.title.clone(),
                statement,
                codings,
                unit,
                rationale,
            };
            Some((if urgent(*category) { 1 } else { 5 }, Ask::Assessment(assessment)))
        }
        _ => None,
    }
}
