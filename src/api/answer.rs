//! A decision to the wire.

use prost::Message;

use super::decide::{Decision, ENGINE_VERSION};
use super::proto::{self, alert, clinical_review, exclusion, handling, offer, receipt, standing, unrecognized};
use super::rationale::{assessment, considered, data_request, disagreement, rationale};
use crate::engine::decision::{
    Action, Alert, Component, DisabledRule, Exclusion, Finding, Insight, Note, Offer, Reading, Recommendation, Scope,
    Severity, Standing, Unrecognized, UnrecognizedReason, Urgency,
};
use crate::ruleset::Ruleset;

/// HL7 confidentiality: restricted. Every record that comes here is of
/// substance use and mental health.
const CONFIDENTIALITY: &str = "R";

/// Carried along with every answer.
const NOTICE: &str = "This answer speaks of substance use disorder and mental health. Where the record behind it \
comes from a program covered by 42 CFR Part 2, that regulation covers this answer too: it may be passed on only as \
the patient's consent or the regulation allows, and it may not be used against the patient in civil, criminal, \
administrative or legislative proceedings without the patient's separate consent or a court order.";

/// The response to a request. That there is a record of it, its receipt says
/// when there is one.
#[must_use]
pub fn response(decision: Decision) -> proto::EvaluateResponse {
    let handling = handling(&decision);
    let answer = decision.answer;
    let all_asked = answer.more_data_requests.is_empty() && answer.more_assessments.is_empty();
    proto::EvaluateResponse {
        decision_id: decision.id.to_string(),
        request_id: decision.request_id,
        ruleset: Some(ruleset_ref(&decision.ruleset)),
        engine_version: ENGINE_VERSION.to_owned(),
        as_of: answer.as_of,
        scope: scope(answer.scope).into(),
        scope_note: answer.scope_note,
        alerts: answer.alerts.into_iter().map(to_alert).collect(),
        recommendations: answer.recommendations.into_iter().map(recommendation).collect(),
        data_requests: answer.data_requests.into_iter().map(data_request).collect(),
        assessments: answer.assessments.into_iter().map(assessment).collect(),
        more: (!all_asked).then(|| proto::MoreRequests {
            data_requests: answer.more_data_requests.into_iter().map(data_request).collect(),
            assessments: answer.more_assessments.into_iter().map(assessment).collect(),
        }),
        insights: answer.insights.into_iter().map(insight).collect(),
        notes: answer.notes.into_iter().map(note).collect(),
        unrecognized: answer.unrecognized.into_iter().map(unrecognized).collect(),
        readings: answer.readings.into_iter().map(reading).collect(),
        considered: answer.considered.into_iter().map(considered).collect(),
        handling: Some(handling),
        clinical_review: clinical_review(&decision.ruleset).into(),
        receipt: Some(unrecorded()),
        disabled_safety_rules: answer.disabled_safety_rules.into_iter().map(disabled_rule).collect(),
        drafts_included: answer.drafts_included,
        disagreements: answer.disagreements.into_iter().map(disagreement).collect(),
    }
}

/// The receipt of an answer of which there is no record.
#[must_use]
pub fn unrecorded() -> proto::Receipt {
    proto::Receipt { audit: receipt::Audit::None.into(), ..proto::Receipt::default() }
}

/// The bytes that the same request, package and `as_of` always give: the
/// response without `decision_id`, `receipt` and `engine_version`.
#[must_use]
pub fn canonical_bytes(response: &proto::EvaluateResponse) -> Vec<u8> {
    proto::EvaluateResponse {
        decision_id: String::new(),
        engine_version: String::new(),
        receipt: None,
        ..response.clone()
    }
    .encode_to_vec()
}

/// Name, version and digest of a package and its overlay.
pub(super) fn ruleset_ref(ruleset: &Ruleset) -> proto::RulesetRef {
    let meta = &ruleset.package().meta;
    let overlay = ruleset.package().overlay.as_ref().map(|overlay| proto::OverlayRef {
        name: overlay.head.name.clone(),
        version: overlay.head.version.clone(),
        digest: ruleset.overlay_digest().unwrap_or_default().to_owned(),
        base_digest: ruleset.base_digest().to_owned(),
    });
    proto::RulesetRef {
        name: meta.name.clone(),
        version: meta.version.clone(),
        digest: ruleset.digest().to_owned(),
        overlay,
    }
}

/// A rule that the site has disabled.
pub(super) fn disabled_rule(from: DisabledRule) -> proto::DisabledRule {
    proto::DisabledRule {
        rule: from.rule,
        title: from.title,
        conclusion: from.conclusion.to_owned(),
        reason: from.reason,
        by: from.by,
    }
}

/// Has a clinician signed the package?
pub(super) fn clinical_review(ruleset: &Ruleset) -> clinical_review::Status {
    match ruleset.package().meta.signed_by {
        Some(_) => clinical_review::Status::Signed,
        None => clinical_review::Status::None,
    }
}

fn handling(decision: &Decision) -> proto::Handling {
    let part2 = match decision.part2_covered {
        None => handling::Part2::NotStated,
        Some(true) => handling::Part2::Covered,
        Some(false) => handling::Part2::NotCovered,
    };
    proto::Handling {
        confidentiality: CONFIDENTIALITY.to_owned(),
        part2: part2.into(),
        notice: NOTICE.to_owned(),
        purpose_of_use: decision.purpose_of_use.clone(),
        purpose_of_use_defaulted: decision.purpose_defaulted,
    }
}

fn scope(from: Scope) -> proto::Scope {
    match from {
        Scope::None => proto::Scope::None,
        Scope::InRemission => proto::Scope::InRemission,
        Scope::Possible => proto::Scope::Possible,
        Scope::Present => proto::Scope::Present,
    }
}

fn to_alert(from: Alert) -> proto::Alert {
    proto::Alert {
        id: from.id,
        category: from.category,
        severity: match from.severity {
            Severity::Low => alert::Severity::Low,
            Severity::Moderate => alert::Severity::Moderate,
            Severity::High => alert::Severity::High,
            Severity::Critical => alert::Severity::Critical,
        }
        .into(),
        urgency: match from.urgency {
            Urgency::Routine => alert::Urgency::Routine,
            Urgency::Prompt => alert::Urgency::Prompt,
            Urgency::SameDay => alert::Urgency::SameDay,
            Urgency::Immediate => alert::Urgency::Immediate,
        }
        .into(),
        title: from.title,
        statement: from.statement,
        possible: from.possible,
        rationale: Some(rationale(from.rationale)),
    }
}

fn recommendation(from: Recommendation) -> proto::Recommendation {
    proto::Recommendation {
        approach: from.approach,
        title: from.title,
        components: from.components.into_iter().map(component).collect(),
    }
}

pub(super) fn action(from: Action) -> proto::Action {
    match from {
        Action::Start => proto::Action::Start,
        Action::Continue => proto::Action::Continue,
        Action::StartOrContinue => proto::Action::StartOrContinue,
        Action::Increase => proto::Action::Increase,
    }
}

fn component(from: Component) -> proto::Component {
    proto::Component {
        code: from.code,
        title: from.title,
        action: action(from.action).into(),
        offer: match from.offer {
            Offer::None => offer::Strength::None,
            Offer::Consider => offer::Strength::Consider,
            Offer::Recommend => offer::Strength::Recommend,
        }
        .into(),
        exclusion: match from.exclusion {
            Exclusion::None => exclusion::Strength::None,
            Exclusion::Caution => exclusion::Strength::Caution,
            Exclusion::VerifyFirst => exclusion::Strength::VerifyFirst,
            Exclusion::Contraindicated => exclusion::Strength::Contraindicated,
        }
        .into(),
        standing: match from.standing {
            Standing::None => standing::Value::None,
            Standing::Consider => standing::Value::Consider,
            Standing::Recommended => standing::Value::Recommended,
            Standing::Caution => standing::Value::Caution,
            Standing::VerifyFirst => standing::Value::VerifyFirst,
            Standing::Contraindicated => standing::Value::Contraindicated,
        }
        .into(),
        rationale: from.rationale.into_iter().map(finding).collect(),
        handling: from.handling.unwrap_or_default(),
        formulary_note: from.formulary_note.unwrap_or_default(),
        draft: from.draft,
    }
}

fn finding(from: Finding) -> proto::Finding {
    proto::Finding {
        kind: from.kind.word().to_owned(),
        action: from.action.map_or(proto::Action::Unspecified, action).into(),
        counted: from.counted,
        outranked_by: from.outranked_by,
        rationale: Some(rationale(from.rationale)),
    }
}

fn insight(from: Insight) -> proto::Insight {
    proto::Insight {
        id: from.id,
        code: from.code,
        title: from.title,
        statement: from.statement,
        rationale: Some(rationale(from.rationale)),
    }
}

fn note(from: Note) -> proto::Note {
    proto::Note {
        id: from.id,
        title: from.title,
        statement: from.statement,
        rationale: Some(rationale(from.rationale)),
    }
}

fn unrecognized(from: Unrecognized) -> proto::Unrecognized {
    use unrecognized::Reason;
    let reason = match from.reason {
        UnrecognizedReason::Malformed => Reason::Malformed,
        UnrecognizedReason::Unmapped => Reason::Unmapped,
        UnrecognizedReason::Unused => Reason::Unused,
        UnrecognizedReason::Retired => Reason::Retired,
        UnrecognizedReason::Ambiguous => Reason::Ambiguous,
        UnrecognizedReason::AfterAsOf => Reason::AfterAsOf,
        UnrecognizedReason::Unit => Reason::Unit,
        UnrecognizedReason::Value => Reason::Value,
        UnrecognizedReason::Contradictory => Reason::Contradictory,
    };
    proto::Unrecognized {
        path: from.path,
        system: from.system,
        code: from.code,
        reason: reason.into(),
        detail: from.detail,
    }
}

fn reading(from: Reading) -> proto::Reading {
    proto::Reading { path: from.path, kind: from.kind.to_owned(), detail: from.detail }
}
