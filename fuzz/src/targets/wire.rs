//! Messages from the wire.

use std::sync::{Arc, LazyLock};

use concord::api::decide::{Terms, decide};
use concord::api::limits::Limits;
use concord::api::proto::{self, EvaluateRequest, EvaluateResponse};
use concord::api::refusal::Refusal;
use concord::api::{answer, audit, json, request, status};
use concord::ruleset::Ruleset;
use jiff::Timestamp;
use prost::Message;

use super::chosen;

static SHIPPED: LazyLock<Arc<Ruleset>> = LazyLock::new(|| Arc::new(Ruleset::embedded().expect("it checks")));

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("an instant")
}

/// A refusal names fields, in ASCII, and says nothing of what is in them.
fn is_proper(refusal: &Refusal) {
    if let Refusal::Fields(violations) = refusal {
        assert!((1..=Limits::default().violations).contains(&violations.len()));
        for violation in violations {
            assert!(!violation.field.is_empty() && violation.field.is_ascii(), "{violation}");
            assert!(!violation.description.is_empty() && violation.description.is_ascii(), "{violation}");
        }
    }
    assert_ne!(status::item_status(refusal).code, 0);
    assert!(!status::status(refusal).message().is_empty());
}

/// Bytes to an answer.
pub fn evaluate(data: &[u8]) {
    let Ok(request) = EvaluateRequest::decode(data) else { return };
    let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
    let again = chosen(data, 8).then(|| request.clone());
    let decision = match decide(&SHIPPED, request, &terms, now()) {
        Ok(decision) => decision,
        Err(refusal) => return is_proper(&refusal),
    };
    let response = answer::response(decision);
    let Some(request) = again else { return };
    let second = decide(&SHIPPED, request, &terms, now()).expect("answered a moment ago");
    let bytes = answer::canonical_bytes(&response);
    assert_eq!(bytes, answer::canonical_bytes(&answer::response(second)), "two answers to one request");
    let line = json::to_line(&response).expect("an answer has a JSON form");
    let read: EvaluateResponse = json::from_str(&line).expect("which reads back");
    assert_eq!(bytes, answer::canonical_bytes(&read));
}

/// Bytes to what the other methods make of their requests: which, the first byte says.
pub fn requests(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    let limits = Limits::default();
    let refusal = match which {
        b'r' => proto::GetRuleRequest::decode(data).ok().and_then(|one| request::rule_id(one, &limits).err()),
        b'p' => proto::ListRulesRequest::decode(data).ok().and_then(|one| request::page(one, &limits).err()),
        b'c' => proto::CheckRulesetRequest::decode(data).ok().and_then(|one| request::candidate(one, &limits).err()),
        b'g' => proto::GetDecisionRequest::decode(data).ok().and_then(|one| audit::request::get(&one, &limits).err()),
        b'y' => {
            proto::ReplayDecisionRequest::decode(data).ok().and_then(|one| audit::request::replay(&one, &limits).err())
        }
        b'l' => {
            proto::ListDecisionsRequest::decode(data).ok().and_then(|one| audit::request::listing(&one, &limits).err())
        }
        b'f' => proto::RecordFeedbackRequest::decode(data)
            .ok()
            .and_then(|one| audit::request::feedback(&one, &limits).err()),
        b'i' => proto::GetInclusionProofRequest::decode(data)
            .ok()
            .and_then(|one| audit::request::place(&one, &limits).err()),
        _ => EvaluateRequest::decode(data).ok().and_then(|one| {
            let id = request::item_id(&one, &limits);
            assert!(id.is_empty() || id == one.request_id);
            request::read(one, &limits, now()).err()
        }),
    };
    refusal.iter().for_each(is_proper);
}
