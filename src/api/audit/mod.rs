//! The record over the wire: reads it, replays decisions, takes feedback, gives
//! proofs. What reads content leaves a record of its own before the content is
//! shown; [`service`] does so for calls, `concord audit` for commands.

pub mod answer;
pub mod feedback;
pub mod list;
pub mod proof;
pub mod replay;
pub mod request;
pub mod service;

use prost::Message;
use uuid::Uuid;

use super::recording::part;
use super::refusal::Refusal;
use crate::audit::content::{Content, ContentFault};
use crate::audit::entry::{Draft, Leaf};
use crate::audit::log::LogError;
use crate::audit::records::{Record, Records};
use crate::audit::seal::SealFault;
use crate::audit::store::StoreError;

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// One decision.
    One(Uuid),
    /// So many entries.
    Many(u64),
}

/// The record of a read. `leaf` says who read by what means.
pub fn read(leaf: Leaf, seen: Seen, request: &impl Message) -> Draft {
    let leaf = match seen {
        Seen::One(of) => Leaf { of: Some(of), ..leaf },
        Seen::Many(count) => Leaf { count: Some(count), ..leaf },
    };
    Draft::sealed(leaf, Content::new().with(part::REQUEST, request.encode_to_vec()))
}

/// Is an entry not what was written? Else the record can't be read now, or not
/// with this key.
#[must_use]
pub fn is_damaged(error: &LogError) -> bool {
    matches!(
        error,
        LogError::Store(StoreError::Damaged(_))
            | LogError::Seal(
                SealFault::Altered
                    | SealFault::Leaf(_)
                    | SealFault::Content(ContentFault::Form | ContentFault::Dictionary)
            )
    )
}

/// Why a read of the record has no answer.
#[must_use]
pub fn unread(error: &LogError) -> Refusal {
    tracing::error!(%error, "the record can't be read");
    if is_damaged(error) { Refusal::RecordDamaged } else { Refusal::NotRecorded }
}

/// An entry, or what is wrong with it.
///
/// # Errors
/// [`LogError`] where it can't be told.
fn whole(outcome: Result<Record, LogError>) -> Result<Option<Record>, LogError> {
    match outcome {
        Ok(record) => Ok(Some(record)),
        Err(error) if is_damaged(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A decision, by its id; none where there is none, or it was pruned.
///
/// # Errors
/// [`LogError`].
pub fn decision(records: &mut Records, id: &Uuid) -> Result<Option<Record>, LogError> {
    use crate::audit::entry::Kind;
    let record = records.by_id(id)?;
    Ok(record.filter(|record| record.leaf.kind == Kind::Decision))
}
