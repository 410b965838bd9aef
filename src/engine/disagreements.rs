//! Questions on which sources differ, where the answer says something on them.

use std::collections::BTreeSet;

use crate::rule::model;

use super::Engine;
use super::decision::{Answer, Choice, DataRequest, Disagreement, Position};

/// What an answer says, by rule and by component.
#[derive(Default)]
struct Said<'a> {
    rules: BTreeSet<&'a str>,
    components: BTreeSet<&'a str>,
}

impl<'a> Said<'a> {
    fn by(answer: &'a Answer) -> Self {
        let mut said = Self::default();
        for component in answer.recommendations.iter().flat_map(|approach| &approach.components) {
            if !component.rationale.is_empty() {
                said.components.insert(&component.code);
            }
            said.rules.extend(component.rationale.iter().map(|finding| finding.rationale.rule.as_str()));
        }
        let asks = |request: &'a DataRequest| request.rationale.as_ref().map(|rationale| rationale.rule.as_str());
        said.rules.extend(answer.alerts.iter().map(|one| one.id.as_str()));
        said.rules.extend(answer.data_requests.iter().chain(&answer.more_data_requests).filter_map(asks));
        said.rules.extend(answer.assessments.iter().chain(&answer.more_assessments).map(|one| one.id.as_str()));
        said.rules.extend(answer.insights.iter().map(|one| one.id.as_str()));
        said.rules.extend(answer.notes.iter().map(|one| one.id.as_str()));
        said
    }
}

fn spoken_of(names: &[model::Name], said: &BTreeSet<&str>) -> Vec<String> {
    let mut found: Vec<String> =
        names.iter().filter(|name| said.contains(name.value.as_str())).map(|name| name.value.clone()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The disagreements on what an answer says, by id.
#[must_use]
pub fn of(engine: &Engine, answer: &Answer) -> Vec<Disagreement> {
    let said = Said::by(answer);
    let package = engine.package();
    let mut found = Vec::new();
    for one in &package.disagreements {
        let rules = spoken_of(&one.concerns.rules, &said.rules);
        let components = spoken_of(&one.concerns.components, &said.components);
        if rules.is_empty() && components.is_empty() {
            continue;
        }
        let parameter = one.parameter.as_ref().and_then(|name| {
            let parameter = package.parameters.iter().find(|parameter| parameter.id.value == name.value)?;
            Some(Choice {
                parameter: parameter.id.value.clone(),
                title: parameter.title.clone(),
                value: parameter.value.clone(),
                set_by_site: parameter.set.is_some(),
            })
        });
        let position = |position: &model::Position| Position {
            says: position.says.clone(),
            evidence: engine.evidence(&position.citation),
            strength: position.strength.clone(),
            verification: position.verification.word(),
        };
        found.push(Disagreement {
            id: one.id.value.clone(),
            question: one.question.clone(),
            positions: one.positions.iter().map(position).collect(),
            here: one.here.clone(),
            parameter,
            rules,
            components,
        });
    }
    found
}
