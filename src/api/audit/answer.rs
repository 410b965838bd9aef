//! Entries of the log to the wire.

use uuid::Uuid;

use super::list::{Found, rules};
use super::{decision, unread};
use crate::api::proto::{self, receipt};
use crate::api::recording::{part, recorded_decision};
use crate::api::refusal::Refusal;
use crate::audit::entry::Kind;
use crate::audit::log::LogError;
use crate::audit::records::{Record, Records};
use crate::audit::tree::leaf_hash;
use crate::note::hex;

/// What is in clear of an entry.
#[must_use]
pub fn entry(record: &Record) -> proto::RecordEntry {
    let leaf = record.leaf.clone();
    proto::RecordEntry {
        index: record.row.index,
        id: leaf.id.to_string(),
        kind: leaf.kind.word().to_owned(),
        time: leaf.at,
        receive_time: leaf.received.unwrap_or_default(),
        caller: leaf.caller.unwrap_or_default(),
        method: leaf.method.unwrap_or_default(),
        trace_id: leaf.trace.unwrap_or_default(),
        build: leaf.build,
        ruleset_digest: leaf.ruleset.unwrap_or_default(),
        semantics: leaf.semantics.unwrap_or_default(),
        status: leaf.status.unwrap_or_default(),
        reason: leaf.reason.unwrap_or_default(),
        fields: leaf.fields,
        leaf: String::from_utf8_lossy(&record.row.leaf).into_owned(),
    }
}

/// An entry of a listing.
#[must_use]
pub fn summary(found: &Found) -> proto::DecisionSummary {
    let Some(record) = &found.record else {
        let entry = proto::RecordEntry { index: found.index, ..proto::RecordEntry::default() };
        return proto::DecisionSummary { entry: Some(entry), damaged: true, ..proto::DecisionSummary::default() };
    };
    let fired = rules(record).map_or(0, |rules| rules.len());
    proto::DecisionSummary {
        entry: Some(entry(record)),
        rules_fired: u32::try_from(fired).unwrap_or(u32::MAX),
        erased: record.is_erased(),
        damaged: false,
    }
}

/// A decision, whole, with what was said of it.
///
/// # Errors
/// [`Refusal::EntryNotFound`], [`Refusal::RecordDamaged`].
pub fn whole(records: &mut Records, id: &Uuid, origin: &str) -> Result<proto::GetDecisionResponse, Refusal> {
    let record = decision(records, id).map_err(|error| unread(&error))?.ok_or(Refusal::EntryNotFound)?;
    let feedback = feedback(records, id).map_err(|error| unread(&error))?;
    let receipt = proto::Receipt {
        audit: receipt::Audit::Recorded.into(),
        log: origin.to_owned(),
        index: record.row.index,
        leaf_hash: hex(&leaf_hash(&record.row.leaf)),
        repeated: false,
    };
    let response = proto::GetDecisionResponse {
        entry: Some(entry(&record)),
        receipt: Some(receipt),
        feedback,
        ..proto::GetDecisionResponse::default()
    };
    if record.is_erased() {
        return Ok(proto::GetDecisionResponse { erased: true, ..response });
    }
    let (request, terms, answer) = recorded_decision(&record).ok_or(Refusal::RecordDamaged)?;
    Ok(proto::GetDecisionResponse {
        request: Some(request),
        as_of_filled_in: terms.as_of_filled_in,
        answer: Some(answer),
        rules_fired: rules(&record).ok_or(Refusal::RecordDamaged)?,
        ..response
    })
}

fn feedback(records: &mut Records, of: &Uuid) -> Result<Vec<proto::RecordedFeedback>, LogError> {
    let mut found = Vec::new();
    for index in records.store().about(of)? {
        // Pruned meanwhile, or one of the reads.
        let Some(record) = records.at(index)?.filter(|record| record.leaf.kind == Kind::Feedback) else { continue };
        found.push(proto::RecordedFeedback {
            entry: Some(entry(&record)),
            erased: record.is_erased(),
            feedback: recorded_feedback(&record),
        });
    }
    Ok(found)
}

/// What was sent as feedback; none where it is none, or it was erased.
#[must_use]
pub fn recorded_feedback(record: &Record) -> Option<proto::RecordFeedbackRequest> {
    use prost::Message as _;
    let content = record.content.as_ref().filter(|_| record.leaf.kind == Kind::Feedback)?;
    proto::RecordFeedbackRequest::decode(content.part(part::REQUEST)?).ok()
}
