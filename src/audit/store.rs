//! What a database has to do for the log: one writer at a time over all
//! processes, a transaction that is durable when it is committed, and reading.
//! The tables are those of `docs/audit.md`, section "The store".

use std::collections::HashMap;
use std::fmt;

use uuid::Uuid;

use super::entry::Entry;
use super::tree::{Frontier, Hash, Nodes, TILE, TILE_HEIGHT, leaf_hash, node_hash};

/// Version of the tables.
pub const SCHEMA: u32 = 1;

/// Why a store can't do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It can't be reached, or can't write: that may pass.
    Down(String),
    /// What it holds is not what was written: that does not pass.
    Damaged(String),
    /// It can't be used as it is set up.
    Unusable(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down(why) => write!(out, "the audit store does not work: {why}"),
            Self::Damaged(why) => write!(out, "the audit store is damaged: {why}"),
            Self::Unusable(why) => write!(out, "the audit store can't be used: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// What was appended so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Entries, and the subtrees they make.
    pub frontier: Frontier,
    /// The first entry that was not pruned.
    pub first: u64,
    /// Entries that the last checkpoint covers.
    pub signed: u64,
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Index.
    pub index: u64,
    /// Id.
    pub id: Uuid,
    /// When it was made, microseconds since 1970.
    pub at: i64,
    /// Id of the decision that it is about.
    pub of: Option<Uuid>,
    /// The leaf.
    pub leaf: Vec<u8>,
    /// The sealed body.
    pub body: Option<Vec<u8>>,
    /// The wrapped key; none where there is no body, or it was erased.
    pub key: Option<Vec<u8>>,
    /// Tag of the patient.
    pub subject: Option<[u8; 16]>,
}

/// Rows of the tables, counted at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// `size` of the head.
    pub size: u64,
    /// `first` of the head.
    pub first: u64,
    /// Entries.
    pub entries: u64,
    /// Tiles.
    pub tiles: u64,
    /// Keys that are of no entry.
    pub stray_keys: u64,
    /// Tags of requests that are of no entry.
    pub stray_requests: u64,
    /// Checkpoints that are of no entries: no one who reads them would meet these.
    pub stray_checkpoints: u64,
    /// `signed` of the head.
    pub signed: u64,
    /// The size of the last checkpoint; 0 where there is none.
    pub last_checkpoint: u64,
}

/// What the archive holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Archived {
    /// The files of a rules package, by its digest.
    Package,
    /// A dictionary, by its SHA-256.
    Dictionary,
}

impl Archived {
    /// As the table spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Dictionary => "dictionary",
        }
    }
}

/// A database that holds the log. Blocking: for threads that may wait.
pub trait Store: Send {
    /// Begins to write: no other process writes until it is committed or
    /// dropped, which undoes it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn begin(&mut self) -> Result<Box<dyn Batch + '_>, StoreError>;

    /// What was appended so far.
    ///
    /// # Errors
    /// [`StoreError`].
    fn head(&mut self) -> Result<Head, StoreError>;

    /// Entries from an index to before another, in order, at most so many.
    ///
    /// # Errors
    /// [`StoreError`].
    fn rows(&mut self, from: u64, to: u64, most: u64) -> Result<Vec<Row>, StoreError>;

    /// Index of an entry.
    ///
    /// # Errors
    /// [`StoreError`].
    fn find(&mut self, id: &Uuid) -> Result<Option<u64>, StoreError>;

    /// The first index of an entry that was made at this instant or later.
    ///
    /// # Errors
    /// [`StoreError`].
    fn since(&mut self, at: i64) -> Result<Option<u64>, StoreError>;

    /// Indices of entries about a decision, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn about(&mut self, of: &Uuid) -> Result<Vec<u64>, StoreError>;

    /// Indices of entries of a patient whose keys exist, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn of_subject(&mut self, tag: &[u8; 16]) -> Result<Vec<u64>, StoreError>;

    /// Tags of the requests of entries from an index to before another, with the
    /// indices, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn requests(&mut self, from: u64, to: u64) -> Result<Vec<(u64, [u8; 16])>, StoreError>;

    /// How many rows there are.
    ///
    /// # Errors
    /// [`StoreError`].
    fn tally(&mut self) -> Result<Tally, StoreError>;

    /// What the database finds wrong with its own file: an index that does not
    /// know a row would hide it from erasure. Nothing where there is no such file.
    ///
    /// # Errors
    /// [`StoreError`].
    fn faults(&mut self) -> Result<Vec<String>, StoreError>;

    /// A full tile.
    ///
    /// # Errors
    /// [`StoreError`].
    fn tile(&mut self, level: u32, n: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Checkpoints of at least so many entries, sizes ascending, at most so many:
    /// size and note.
    ///
    /// # Errors
    /// [`StoreError`].
    fn checkpoints(&mut self, from: u64, most: u64) -> Result<Vec<(u64, String)>, StoreError>;

    /// The checkpoint of the most entries.
    ///
    /// # Errors
    /// [`StoreError`].
    fn checkpoint(&mut self) -> Result<Option<String>, StoreError>;

    /// Something archived.
    ///
    /// # Errors
    /// [`StoreError`].
    fn archived(&mut self, kind: Archived, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Digests of what is archived.
    ///
    /// # Errors
    /// [`StoreError`].
    fn archive(&mut self) -> Result<Vec<(Archived, [u8; 32])>, StoreError>;

    /// A value of the log as a whole.
    ///
    /// # Errors
    /// [`StoreError`].
    fn meta(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Makes sure that what was committed is on disk, and rewrites what a failed
    /// sync may have left in memory alone. What was deleted is overwritten.
    ///
    /// # Errors
    /// [`StoreError`].
    fn settle(&mut self) -> Result<(), StoreError>;
}

/// A transaction that writes.
pub trait Batch {
    /// What was appended so far.
    ///
    /// # Errors
    /// [`StoreError`].
    fn head(&mut self) -> Result<Head, StoreError>;

    /// Indices of the entries of requests, by their tags.
    ///
    /// # Errors
    /// [`StoreError`].
    fn requested(&mut self, tags: &[[u8; 16]]) -> Result<HashMap<[u8; 16], u64>, StoreError>;

    /// Hashes of the leaves from an index on, to the end.
    ///
    /// # Errors
    /// [`StoreError`].
    fn hashes(&mut self, from: u64) -> Result<Vec<Hash>, StoreError>;

    /// A full tile.
    ///
    /// # Errors
    /// [`StoreError`].
    fn tile(&mut self, level: u32, n: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Inserts entries, the first at this index.
    ///
    /// # Errors
    /// [`StoreError`].
    fn insert(&mut self, first: u64, entries: &[&Entry]) -> Result<(), StoreError>;

    /// Inserts a full tile.
    ///
    /// # Errors
    /// [`StoreError`].
    fn insert_tile(&mut self, level: u32, n: u64, hashes: &[u8]) -> Result<(), StoreError>;

    /// Puts a checkpoint in the place of another, or beside those that there
    /// are.
    ///
    /// # Errors
    /// [`StoreError`].
    fn put_checkpoint(&mut self, instead_of: Option<u64>, size: u64, note: &str) -> Result<(), StoreError>;

    /// Archives something, unless it is archived.
    ///
    /// # Errors
    /// [`StoreError`].
    fn archive(&mut self, kind: Archived, digest: &[u8; 32], content: &[u8]) -> Result<(), StoreError>;

    /// Destroys the keys and the tags of entries.
    ///
    /// # Errors
    /// [`StoreError`].
    fn erase(&mut self, indices: &[u64]) -> Result<(), StoreError>;

    /// Wrapped keys from an index on, at most so many: index, id of the entry, key.
    ///
    /// # Errors
    /// [`StoreError`].
    fn keys(&mut self, from: u64, most: u64) -> Result<Vec<(u64, Uuid, Vec<u8>)>, StoreError>;

    /// Puts other wrapped keys in the place of those of entries.
    ///
    /// # Errors
    /// [`StoreError`].
    fn rewrap(&mut self, keys: &[(u64, Vec<u8>)]) -> Result<(), StoreError>;

    /// Deletes the entries before an index, their keys and tags.
    ///
    /// # Errors
    /// [`StoreError`].
    fn prune(&mut self, before: u64) -> Result<(), StoreError>;

    /// A value of the log as a whole.
    ///
    /// # Errors
    /// [`StoreError`].
    fn meta(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Sets a value of the log as a whole.
    ///
    /// # Errors
    /// [`StoreError`].
    fn set_meta(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Writes the head.
    ///
    /// # Errors
    /// [`StoreError`].
    fn set_head(&mut self, head: &Head) -> Result<(), StoreError>;

    /// Makes all of it durable. After an error it is not known whether it was.
    ///
    /// # Errors
    /// [`StoreError`].
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// Subtrees of a stored log, for proofs.
pub struct Stored<'a>(pub &'a mut dyn Store);

impl Nodes for Stored<'_> {
    type Error = StoreError;

    fn node(&mut self, height: u32, index: u64) -> Result<Hash, StoreError> {
        let (level, within) = (height / TILE_HEIGHT, height % TILE_HEIGHT);
        let count = 1_u64 << within;
        let from = index << within;
        let hashes = self.hashes(level, from, count)?;
        Ok(folded(hashes))
    }
}

impl Stored<'_> {
    /// Hashes of a level, of one tile.
    fn hashes(&mut self, level: u32, from: u64, count: u64) -> Result<Vec<Hash>, StoreError> {
        let (n, offset) = (from / TILE, from % TILE);
        if let Some(tile) = self.0.tile(level, n)? {
            let (hashes, _) = tile.as_chunks::<32>();
            let range = usize::try_from(offset).ok().zip(usize::try_from(offset.saturating_add(count)).ok());
            let part = range.and_then(|(from, to)| hashes.get(from..to));
            return part.map(<[Hash]>::to_vec).ok_or_else(|| damaged(format!("tile {level}/{n} is cut")));
        }
        let to = from.saturating_add(count);
        if level == 0 {
            let rows = self.0.rows(from, to, count)?;
            if rows.len() as u64 != count {
                return Err(damaged(format!("entries {from} to {} are not all there", to.saturating_sub(1))));
            }
            return Ok(rows.iter().map(|row| leaf_hash(&row.leaf)).collect());
        }
        (from..to)
            .map(|below| Ok(folded(self.hashes(level.saturating_sub(1), below.saturating_mul(TILE), TILE)?)))
            .collect()
    }
}

/// The root of 2^n hashes.
#[must_use]
pub fn folded(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        let (pairs, _) = hashes.as_chunks::<2>();
        hashes = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    hashes.pop().unwrap_or_default()
}

/// The tables are of a version that this program does not know.
pub(super) fn newer(version: impl fmt::Display) -> StoreError {
    StoreError::Unusable(format!(
        "its tables are of version {version}, and this program knows version {SCHEMA}: use a newer program"
    ))
}

/// What is stored is not what was written.
pub fn damaged(why: impl Into<String>) -> StoreError {
    StoreError::Damaged(why.into())
}
