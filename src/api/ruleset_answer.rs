//! A package and its rules to the wire.

use super::answer::{clinical_review, disabled_rule, ruleset_ref};
use super::proto::{self, get_ruleset_response};
use crate::engine::assemble::disabled;
use crate::program::Outline;
use crate::rule::model::{ActionName, Citation, Overlay, Package, Parameter, Rule, Source};
use crate::ruleset::Ruleset;

pub(super) fn ruleset(from: &Ruleset) -> proto::GetRulesetResponse {
    let (meta, counts) = (&from.package().meta, from.counts());
    proto::GetRulesetResponse {
        ruleset: Some(ruleset_ref(from)),
        title: meta.title.clone(),
        developer: meta.developer.clone(),
        funding: meta.funding.clone(),
        released: meta.released.clone(),
        clinical_review: clinical_review(from).into(),
        counts: Some(get_ruleset_response::Counts {
            rules: counts.rules,
            drafts: counts.drafts,
            retired: counts.retired,
            definitions: counts.definitions,
            concepts: counts.concepts,
            components: counts.components,
            atoms: counts.atoms,
            disabled: counts.disabled,
        }),
        sources: from.package().sources.iter().map(|source| evidence(source, "")).collect(),
        semantics: Ruleset::semantics(),
        overlay: from.package().overlay.as_ref().map(|laid| overlay(from.package(), laid)),
        parameters: from.package().parameters.iter().map(parameter).collect(),
    }
}

fn overlay(package: &Package, from: &Overlay) -> get_ruleset_response::Overlay {
    get_ruleset_response::Overlay {
        title: from.head.title.clone(),
        developer: from.head.developer.clone(),
        disabled: disabled(package).map(|(_, rule)| disabled_rule(rule)).collect(),
        enabled: from.enable.iter().map(|name| name.value.clone()).collect(),
        added: from.added.rules.iter().map(|rule| rule.id.value.clone()).collect(),
        off_formulary: from.off_formulary.iter().map(|one| one.component.value.clone()).collect(),
    }
}

fn parameter(from: &Parameter) -> proto::Parameter {
    proto::Parameter {
        id: from.id.value.clone(),
        title: from.title.clone(),
        r#type: from.kind.word().to_owned(),
        value: from.value.clone(),
        default_value: from.default.clone(),
        range: from.range(),
        towards: from.towards.map(|towards| towards.word().to_owned()).unwrap_or_default(),
        set_at: from.set.clone().unwrap_or_default(),
    }
}

/// The rules of a package, by id.
pub(super) fn sorted(package: &Package) -> Vec<&Rule> {
    let mut rules: Vec<&Rule> = package.rules.iter().collect();
    rules.sort_by(|left, right| left.id.value.cmp(&right.id.value));
    rules
}

pub(super) fn rule(ruleset: &Ruleset, from: &Rule) -> proto::Rule {
    let names = |names: &[crate::rule::model::Name]| names.iter().map(|name| name.value.clone()).collect();
    proto::Rule {
        id: from.id.value.clone(),
        title: from.title.clone(),
        conclusion: from.conclusion.word().to_owned(),
        components: names(from.conclusion.components()),
        actions: from.conclusion.actions().iter().map(|action| action_of(*action).into()).collect(),
        statement: from.statement.value.clone(),
        condition: ruleset.describe(&from.id).map(condition),
        evidence: from.evidence.iter().map(|citation| cited(ruleset.package(), citation)).collect(),
        strength: from.strength.clone(),
        verification: from.verification.word().to_owned(),
        status: from.status.word().to_owned(),
        review_by: from.review_by.as_ref().map(|date| date.value.clone()).unwrap_or_default(),
        outranks: names(&from.outranks),
        location: from.location.clone(),
    }
}

fn action_of(from: ActionName) -> proto::Action {
    match from {
        ActionName::Start => proto::Action::Start,
        ActionName::Continue => proto::Action::Continue,
        ActionName::Increase => proto::Action::Increase,
    }
}

fn cited(package: &Package, citation: &Citation) -> proto::Evidence {
    match package.sources.iter().find(|source| source.id.value == citation.source.value) {
        Some(source) => evidence(source, &citation.place),
        None => proto::Evidence {
            source: citation.source.value.clone(),
            place: citation.place.clone(),
            ..proto::Evidence::default()
        },
    }
}

fn evidence(source: &Source, place: &str) -> proto::Evidence {
    proto::Evidence {
        source: source.id.value.clone(),
        title: source.title.clone(),
        publisher: source.publisher.clone(),
        year: source.year,
        place: place.to_owned(),
        url: source.url.clone(),
    }
}

fn condition(from: &Outline) -> proto::ConditionNode {
    proto::ConditionNode { text: from.text.clone(), children: from.parts.iter().map(condition).collect() }
}
