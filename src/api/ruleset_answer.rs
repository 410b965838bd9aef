//! A package and its rules to the wire.

use std::collections::BTreeMap;

use super::answer::{clinical_review, disabled_rule, ruleset_ref};
use super::limits::DIAGNOSTICS;
use super::proto::{self, get_ruleset_response, reload, review_states, ruleset_diagnostic};
use crate::diag::{Diagnostic, Files, Level, Span, in_order};
use crate::engine::assemble::disabled;
use crate::program::Outline;
use crate::rule::model::{
    ActionName, Citation, Overlay, Package, Parameter, Rule, RuleStatus, Source, SourceAttribute, Verification,
};
use crate::ruleset::reload::{Attempt, Outcome};
use crate::ruleset::{Ruleset, State};

/// The active package, with what is known of it.
pub(super) fn active(from: &Ruleset, state: &State) -> proto::GetRulesetResponse {
    let looked_at = state.looked.map(|at| at.to_string()).unwrap_or_default();
    proto::GetRulesetResponse {
        active_since: state.since.map(|at| at.to_string()).unwrap_or_default(),
        reload: state.attempt.as_deref().map(|attempt| reload(attempt, looked_at)),
        ..ruleset(from)
    }
}

fn reload(from: &Attempt, looked_at: String) -> proto::Reload {
    proto::Reload {
        looked_at,
        tried_at: from.at.to_string(),
        outcome: match from.outcome {
            Outcome::Activated | Outcome::Unchanged => reload::Outcome::Activated,
            Outcome::Refused { .. } => reload::Outcome::Refused,
        }
        .into(),
        reason: from.outcome.reason().unwrap_or_default().to_owned(),
        diagnostics: count(from.diagnostics),
        message: from.message.clone(),
        content_digest: from.content.clone().unwrap_or_default(),
        candidate_digest: from.digest.clone().unwrap_or_default(),
        candidate_version: from.version.clone().unwrap_or_default(),
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn ruleset(from: &Ruleset) -> proto::GetRulesetResponse {
    let meta = &from.package().meta;
    proto::GetRulesetResponse {
        ruleset: Some(ruleset_ref(from)),
        title: meta.title.clone(),
        developer: meta.developer.clone(),
        funding: meta.funding.clone(),
        released: meta.released.clone(),
        clinical_review: clinical_review(from).into(),
        counts: Some(counts(from)),
        sources: citations(from.package()),
        semantics: Ruleset::semantics(),
        overlay: from.package().overlay.as_ref().map(|laid| overlay(from.package(), laid)),
        parameters: from.package().parameters.iter().map(parameter).collect(),
        review_states: Some(review_states(from.package())),
        source_attributes: Some(proto::SourceAttributes {
            citations: citations(from.package()),
            ..source_attributes(from, |_| true)
        }),
        active_since: String::new(),
        reload: None,
    }
}

fn counts(from: &Ruleset) -> get_ruleset_response::Counts {
    let counts = from.counts();
    get_ruleset_response::Counts {
        rules: counts.rules,
        drafts: counts.drafts,
        retired: counts.retired,
        definitions: counts.definitions,
        concepts: counts.concepts,
        components: counts.components,
        atoms: counts.atoms,
        disabled: counts.disabled,
    }
}

fn citations(package: &Package) -> Vec<proto::Evidence> {
    package.sources.iter().map(|source| evidence(source, "")).collect()
}

fn review_states(package: &Package) -> proto::ReviewStates {
    let active = || package.rules.iter().filter(|rule| rule.status == RuleStatus::Active);
    let of = |wanted: Verification| count(active().filter(|rule| rule.verification == wanted).count());
    let mut due: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut without_date = Vec::new();
    for rule in active() {
        match &rule.review_by {
            Some(date) => due.entry(date.value.as_str()).or_default().push(rule.id.value.clone()),
            None => without_date.push(rule.id.value.clone()),
        }
    }
    proto::ReviewStates {
        primary: of(Verification::Primary),
        secondary: of(Verification::Secondary),
        unverified: of(Verification::Unverified),
        earliest_review_by: due.keys().next().map(|date| (*date).to_owned()).unwrap_or_default(),
        due: due.into_iter().map(|(date, rules)| review_states::Due { review_by: date.to_owned(), rules }).collect(),
        without_date,
    }
}

/// All but the citations: what the package says, and what the rules that are
/// asked for use.
fn source_attributes(from: &Ruleset, asked: impl Fn(&str) -> bool) -> proto::SourceAttributes {
    let meta = &from.package().meta;
    let uses = SourceAttribute::ALL.into_iter().map(|(_, attribute)| {
        let rules = from.uses().rules(attribute).filter(|rule| asked(rule)).map(str::to_owned);
        let rules: Vec<String> = rules.collect();
        proto::DataUse { attribute: data_attribute(attribute).into(), used: !rules.is_empty(), rules }
    });
    proto::SourceAttributes {
        citations: Vec::new(),
        developer: meta.developer.clone(),
        funding: meta.funding.clone(),
        released: meta.released.clone(),
        revised: meta.revised.clone().unwrap_or_default(),
        uses: uses.collect(),
    }
}

fn data_attribute(from: SourceAttribute) -> proto::DataAttribute {
    match from {
        SourceAttribute::Race => proto::DataAttribute::Race,
        SourceAttribute::Ethnicity => proto::DataAttribute::Ethnicity,
        SourceAttribute::Language => proto::DataAttribute::Language,
        SourceAttribute::SexualOrientation => proto::DataAttribute::SexualOrientation,
        SourceAttribute::GenderIdentity => proto::DataAttribute::GenderIdentity,
        SourceAttribute::Sex => proto::DataAttribute::Sex,
        SourceAttribute::DateOfBirth => proto::DataAttribute::DateOfBirth,
        SourceAttribute::SocialDeterminants => proto::DataAttribute::SocialDeterminants,
        SourceAttribute::HealthStatusAssessment => proto::DataAttribute::HealthStatusAssessment,
    }
}

/// One rule with its source attributes.
pub(super) fn one(from: &Ruleset, found: &Rule) -> proto::GetRuleResponse {
    let shown = rule(from, found);
    let attributes = source_attributes(from, |id| id == found.id.value);
    proto::GetRuleResponse {
        source_attributes: Some(proto::SourceAttributes { citations: shown.evidence.clone(), ..attributes }),
        rule: Some(shown),
    }
}

/// What the check of a package found.
pub(super) fn checked(
    files: &Files,
    diagnostics: &[Diagnostic],
    ruleset: Option<&Ruleset>,
    content_digest: String,
) -> proto::CheckRulesetResponse {
    let shown = in_order(diagnostics).into_iter().take(DIAGNOSTICS);
    proto::CheckRulesetResponse {
        valid: ruleset.is_some(),
        ruleset: ruleset.map(ruleset_ref),
        counts: ruleset.map(counts),
        diagnostics: shown.map(|one| diagnostic(one, files)).collect(),
        more_diagnostics: count(diagnostics.len().saturating_sub(DIAGNOSTICS)),
        content_digest,
    }
}

fn diagnostic(from: &Diagnostic, files: &Files) -> proto::RulesetDiagnostic {
    let (file, line, column) = files.position(from.span).unwrap_or(("", 0, 0));
    let end = Span { start: from.span.end.max(from.span.start), ..from.span };
    let (_, end_line, end_column) = files.position(end).unwrap_or(("", line, column));
    proto::RulesetDiagnostic {
        level: match from.level {
            Level::Error => ruleset_diagnostic::Level::Error,
            Level::Warning => ruleset_diagnostic::Level::Warning,
        }
        .into(),
        code: from.code.to_owned(),
        message: from.message.clone(),
        file: file.to_owned(),
        line: count(line),
        column: count(column),
        end_line: count(end_line),
        end_column: count(end_column),
        help: from.help.clone().unwrap_or_default(),
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
