//! Checkpoints and proofs to the wire. None of them says anything of a patient.

use super::request::Place;
use super::unread;
use crate::api::proto::{self, ErrorReason};
use crate::api::refusal::{Refusal, Violation};
use crate::audit::log::LogError;
use crate::audit::records::Records;
use crate::audit::tree::{Hash, leaf_hash};

fn unread_now<T>(outcome: Result<T, LogError>) -> Result<T, Refusal> {
    outcome.map_err(|error| unread(&error))
}

fn bytes(hashes: Vec<Hash>) -> Vec<Vec<u8>> {
    hashes.into_iter().map(|hash| hash.to_vec()).collect()
}

/// The last checkpoint.
///
/// # Errors
/// [`Refusal`] where it can't be read.
pub fn checkpoint(records: &mut Records) -> Result<proto::GetCheckpointResponse, Refusal> {
    let (note, checkpoint) = unread_now(records.checkpoint())?;
    let keys = unread_now(records.keys())?;
    Ok(proto::GetCheckpointResponse {
        note,
        origin: checkpoint.origin,
        tree_size: checkpoint.size,
        root_hash: checkpoint.root.to_vec(),
        public_keys: keys.iter().map(ToString::to_string).collect(),
    })
}

/// What shows that an entry is in the log.
///
/// # Errors
/// [`Refusal::EntryNotFound`], and [`Refusal::CheckpointPending`] where no
/// checkpoint covers it yet.
pub fn inclusion(records: &mut Records, place: Place) -> Result<proto::GetInclusionProofResponse, Refusal> {
    let index = match place {
        Place::Index(index) => Some(index),
        Place::Decision(None) => None,
        Place::Decision(Some(id)) => unread_now(records.store().find(&id).map_err(LogError::from))?,
    };
    let index = index.ok_or(Refusal::EntryNotFound)?;
    let row = unread_now(records.store().rows(index, index.saturating_add(1), 1).map_err(LogError::from))?.pop();
    let row = row.ok_or(Refusal::EntryNotFound)?;
    let (note, checkpoint) = unread_now(records.checkpoint())?;
    if index >= checkpoint.size {
        return Err(Refusal::CheckpointPending);
    }
    let hashes = unread_now(records.inclusion(index, checkpoint.size))?;
    Ok(proto::GetInclusionProofResponse {
        index,
        leaf_hash: leaf_hash(&row.leaf).to_vec(),
        leaf: String::from_utf8(row.leaf).map_err(|_| Refusal::RecordDamaged)?,
        hashes: bytes(hashes),
        checkpoint: note,
    })
}

/// What shows that the log has only grown.
///
/// # Errors
/// [`Refusal::Fields`] where the older tree is larger than the last checkpoint's.
pub fn consistency(records: &mut Records, old: u64) -> Result<proto::GetConsistencyProofResponse, Refusal> {
    let (note, checkpoint) = unread_now(records.checkpoint())?;
    if old > checkpoint.size {
        return Err(Refusal::Fields(vec![Violation {
            field: "old_tree_size".to_owned(),
            reason: ErrorReason::Range,
            description: format!("is more than the {} entries of the last checkpoint", checkpoint.size),
        }]));
    }
    let hashes = unread_now(records.consistency(old, checkpoint.size))?;
    Ok(proto::GetConsistencyProofResponse { old_tree_size: old, hashes: bytes(hashes), checkpoint: note })
}
