//! One evaluation, from a request of the wire to a decision.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::limits::Limits;
use super::proto;
use super::refusal::Refusal;
use super::request::{self, Evaluation};
use crate::clinical::prints_nothing;
use crate::engine::decision::Answer;
use crate::ruleset::Ruleset;

/// Version of the program. Not part of the canonical answer.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a service decides with, besides the package.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Limits of a request.
    pub limits: Limits,
    /// Purpose of use where a request states none.
    pub purpose_of_use: String,
}

/// An evaluation with its answer.
#[derive(Clone)]
pub struct Decision {
    /// UUIDv7.
    pub id: Uuid,
    /// The caller's id of the request; empty where none was sent.
    pub request_id: String,
    /// What the engine says.
    pub answer: Answer,
    /// The package that said it.
    pub ruleset: Arc<Ruleset>,
    /// Purpose of use.
    pub purpose_of_use: String,
    /// The request stated none.
    pub purpose_defaulted: bool,
    /// Marked as covered by 42 CFR Part 2?
    pub part2_covered: Option<bool>,
}

/// Reads a request of the wire, evaluates it and gives the decision an id.
/// `now` stands in for an absent `as_of`.
///
/// # Errors
/// [`Refusal::Fields`] and [`Refusal::DigestMismatch`].
pub fn decide(
    ruleset: &Arc<Ruleset>,
    request: proto::EvaluateRequest,
    terms: &Terms,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let evaluation = request::read(request, &terms.limits, now)?;
    let required = evaluation.require_ruleset_digest.as_deref();
    if required.is_some_and(|required| required != ruleset.digest()) {
        return Err(Refusal::DigestMismatch { active: ruleset.digest().to_owned() });
    }
    Ok(evaluate(ruleset, evaluation, terms))
}

/// The span carries counts alone. Even the scope stays out: that a trace is of
/// someone with opioid use disorder is what must not be known.
fn evaluate(ruleset: &Arc<Ruleset>, evaluation: Evaluation, terms: &Terms) -> Decision {
    let id = Uuid::now_v7();
    let span = tracing::info_span!(
        "evaluate",
        concord.decision.id = %id,
        concord.ruleset.digest = %ruleset.digest(),
        concord.answer.alerts = tracing::field::Empty,
        concord.answer.components = tracing::field::Empty,
        concord.answer.requests = tracing::field::Empty,
        concord.rules.fired = tracing::field::Empty,
        concord.facts = tracing::field::Empty,
    );
    let Evaluation { patient, as_of, explain, .. } = &evaluation;
    let answer = span.in_scope(|| {
        if evaluation.include_drafts {
            ruleset.evaluate_with_drafts(patient, as_of, *explain)
        } else {
            ruleset.evaluate(patient, as_of, *explain)
        }
    });
    let components: usize = answer.recommendations.iter().map(|approach| approach.components.len()).sum();
    span.record("concord.answer.alerts", answer.alerts.len());
    span.record("concord.answer.components", components);
    span.record("concord.answer.requests", answer.data_requests.len().saturating_add(answer.more_data_requests.len()));
    span.record("concord.rules.fired", answer.tally.fired);
    span.record("concord.facts", answer.tally.facts);
    Decision {
        id,
        request_id: evaluation.request_id,
        answer,
        ruleset: Arc::clone(ruleset),
        purpose_defaulted: evaluation.purpose_of_use.is_none(),
        purpose_of_use: evaluation.purpose_of_use.unwrap_or_else(|| terms.purpose_of_use.clone()),
        part2_covered: evaluation.part2_covered,
    }
}

prints_nothing!(Decision);
