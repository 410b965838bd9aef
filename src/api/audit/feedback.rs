//! What became of parts of an answer.

use prost::Message as _;

use super::request::Item;
use crate::api::proto::feedback_item::Kind;
use crate::api::proto::{self, ErrorReason};
use crate::api::recording::{CallFacts, part};
use crate::api::refusal::{Refusal, Violation};
use crate::audit::content::Content;
use crate::audit::entry::{self, Draft, Leaf, Subject};
use crate::audit::records::Record;

/// Does the answer name each item?
///
/// # Errors
/// [`Refusal::Fields`] with those that it doesn't, `most` of them named.
pub fn held(items: &[Item], answer: &proto::EvaluateResponse, most: usize) -> Result<(), Refusal> {
    let missing = items.iter().enumerate().filter(|(_, item)| !is_in(item, answer));
    let violation = |(at, _): (usize, &Item)| Violation {
        field: format!("items[{at}].item"),
        reason: ErrorReason::NotInAnswer,
        description: "names nothing of this kind in the answer".to_owned(),
    };
    let violations: Vec<Violation> = missing.map(violation).take(most.max(1)).collect();
    if violations.is_empty() { Ok(()) } else { Err(Refusal::Fields(violations)) }
}

fn is_in(item: &Item, answer: &proto::EvaluateResponse) -> bool {
    let named = |id: &String| *id == item.name;
    let more = answer.more.as_ref();
    match item.kind {
        Kind::Unspecified => false,
        Kind::Component => answer.recommendations.iter().flat_map(|one| &one.components).any(|component| {
            named(&component.code) && item.action.is_none_or(|action| i32::from(action) == component.action)
        }),
        Kind::Alert => answer.alerts.iter().any(|one| named(&one.id)),
        Kind::DataRequest => {
            let rest = more.into_iter().flat_map(|more| &more.data_requests);
            answer.data_requests.iter().chain(rest).any(|one| named(&one.id))
        }
        Kind::Assessment => {
            let rest = more.into_iter().flat_map(|more| &more.assessments);
            answer.assessments.iter().chain(rest).any(|one| named(&one.id))
        }
        Kind::Insight => answer.insights.iter().any(|one| named(&one.id)),
        Kind::Note => answer.notes.iter().any(|one| named(&one.id)),
    }
}

/// The entry. It is of the patient of the decision, so that erasure reaches it.
#[must_use]
pub fn draft(call: &CallFacts, decision: &Record, request: &proto::RecordFeedbackRequest) -> Draft {
    let leaf = Leaf { of: Some(decision.leaf.id), ..call.leaf(entry::Kind::Feedback) };
    let content = Content::new().with(part::REQUEST, request.encode_to_vec());
    Draft {
        subject: decision.row.subject.map_or(Subject::None, Subject::Tag),
        once: Some(request.request_id.clone()).filter(|id| !id.is_empty()),
        ..Draft::sealed(leaf, content)
    }
}
