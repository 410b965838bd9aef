//! Erasure: destroys the keys of a patient's entries, and says in the log that it
//! did, in one transaction. The leaves and the sealed bodies stay.

use std::collections::BTreeSet;
use std::sync::Arc;

use uuid::Uuid;

use super::content::Content;
use super::entry::{Draft, Kind, Leaf};
use super::log::{Append, Effect, Log, LogError};
use super::store::StoreError;

/// Most ranges of one leaf: two indices of 16 digits each, within the bytes of a leaf.
const RANGES: usize = 1_500;

/// Why entries are erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The patient asked for it.
    PatientRequest,
    /// They were kept as long as they had to be.
    Retention,
    /// A court ordered it.
    CourtOrder,
    /// They should never have been recorded.
    Error,
    /// Another one, which is documented elsewhere.
    Other,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::PatientRequest, Self::Retention, Self::CourtOrder, Self::Error, Self::Other];

    /// As a leaf spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::PatientRequest => "PATIENT_REQUEST",
            Self::Retention => "RETENTION",
            Self::CourtOrder => "COURT_ORDER",
            Self::Error => "ERROR",
            Self::Other => "OTHER",
        }
    }
}

/// Whose entries.
#[derive(Clone)]
pub enum Whose {
    /// Of the patient of this id.
    Patient(String),
    /// Of one decision.
    Decision(Uuid),
}

// The id of a patient is printed nowhere.
impl std::fmt::Debug for Whose {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Patient(_) => out.write_str("Patient(…)"),
            Self::Decision(id) => write!(out, "Decision({id})"),
        }
    }
}

/// Who erases, and why.
#[derive(Clone, Debug)]
pub struct Order {
    /// The reason.
    pub reason: Reason,
    /// Who runs the command, as the log names them.
    pub caller: String,
    /// The command.
    pub method: String,
    /// Sealed with the entry: who asked for it may be a relative.
    pub terms: Option<Vec<u8>>,
}

/// Indices of the entries whose keys are to be destroyed, in order: those of the
/// patient or the decision, and those about them.
///
/// # Errors
/// Where the store can't be read.
pub fn find(log: &mut Log, whose: &[Whose]) -> Result<Vec<u64>, StoreError> {
    let mut found = BTreeSet::new();
    for one in whose {
        match one {
            Whose::Patient(id) => {
                let tag = log.vault().subject_tag(id);
                found.extend(log.store().of_subject(&tag)?);
            }
            Whose::Decision(id) => found.extend(log.store().find(id)?),
        }
    }
    let mut sealed = BTreeSet::new();
    for index in found {
        for row in log.store().rows(index, index.saturating_add(1), 1)? {
            for about in log.store().about(&row.id)? {
                let rows = log.store().rows(about, about.saturating_add(1), 1)?;
                sealed.extend(rows.into_iter().filter(|row| row.key.is_some()).map(|row| row.index));
            }
            sealed.extend(row.key.map(|_| index));
        }
    }
    Ok(sealed.into_iter().collect())
}

/// Ascending indices as ranges with both ends.
#[must_use]
pub fn ranges(indices: &[u64]) -> Vec<[u64; 2]> {
    let mut ranges: Vec<[u64; 2]> = Vec::new();
    for index in indices {
        match ranges.last_mut() {
            Some([_, last]) if last.saturating_add(1) == *index => *last = *index,
            _ => ranges.push([*index, *index]),
        }
    }
    ranges
}

/// Destroys the keys of these entries and says so in the log: all of it or
/// nothing of it. Indices of the entries that say so.
///
/// # Errors
/// [`LogError`]. After one of the store it is not known whether the keys are
/// gone: [`find`] tells, and [`super::store::Store::settle`] then ends what was
/// begun.
pub fn erase(log: &mut Log, indices: &[u64], order: &Order) -> Result<Vec<u64>, LogError> {
    let mut appends = Vec::new();
    for ranges in ranges(indices).chunks(RANGES) {
        let within = |index: &&u64| ranges.iter().any(|[first, last]| (first..=last).contains(index));
        let erased: Vec<u64> = indices.iter().filter(within).copied().collect();
        let leaf = Leaf {
            caller: Some(order.caller.clone()),
            method: Some(order.method.clone()),
            reason: Some(order.reason.word().to_owned()),
            count: Some(erased.len() as u64),
            entries: ranges.to_vec(),
            ..Leaf::new(Kind::Erasure)
        };
        let draft = match &order.terms {
            Some(terms) => Draft::sealed(leaf, Content::new().with("terms", terms.clone())),
            None => Draft::clear(leaf),
        };
        let entry = log.vault().seal(draft)?;
        appends.push(Append { entry, archive: Arc::new([]), effect: Effect::Erase(erased) });
    }
    Ok(log.append(&appends, true)?.into_iter().map(|appended| appended.index).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_both_ends_and_do_not_adjoin() {
        assert_eq!(ranges(&[]), Vec::<[u64; 2]>::new());
        assert_eq!(ranges(&[3, 4, 5, 7, 9, 10]), [[3, 5], [7, 7], [9, 10]]);
    }

    #[test]
    fn a_leaf_of_the_most_ranges_is_no_longer_than_a_leaf_may_be() {
        let last = 1 << 53;
        let entries = vec![[last, last]; RANGES];
        assert!(Leaf { entries, ..Leaf::new(Kind::Erasure) }.bytes().is_ok());
    }
}
