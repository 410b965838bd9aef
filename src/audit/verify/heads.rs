//! What is computed of the entries against what is stored of it: tiles,
//! checkpoints, the head; and which keys may sign.

use std::collections::VecDeque;

use super::super::checkpoint::Checkpoint;
use super::super::store::{Head, Store, StoreError, folded};
use super::super::tree::{Frontier, Hash, TILE};
use super::{Against, Report, Verifier};
use crate::note::TrustedKey;

/// Checkpoints that are read at once.
const AT_ONCE: u64 = 256;

/// Reads the notes of a log.
pub(super) struct Notes {
    keys: Vec<TrustedKey>,
    origin: String,
}

impl Notes {
    pub(super) fn new(keys: Vec<TrustedKey>, origin: String) -> Self {
        Self { keys, origin }
    }

    /// A checkpoint, and which of the keys signed it. In the store of a log there
    /// is no signature of anyone else.
    fn open(&self, note: &str) -> Result<(Checkpoint, Vec<usize>), String> {
        let checkpoint = Checkpoint::open(note, &self.keys).map_err(|fault| fault.to_string())?;
        let signed = |key: &TrustedKey| Checkpoint::open(note, std::slice::from_ref(key)).is_ok();
        let by: Vec<usize> = (0..).zip(&self.keys).filter(|(_, key)| signed(key)).map(|(at, _)| at).collect();
        let lines = note.rsplit_once("\n\n").map_or(0, |(_, signatures)| signatures.lines().count());
        if lines != by.len() {
            return Err("it has a signature that is of no key of the log".to_owned());
        }
        if checkpoint.origin != self.origin {
            return Err("it is of another log".to_owned());
        }
        Ok((checkpoint, by))
    }
}

/// Checkpoints that follow each other with the same signatures, while no key was
/// created.
struct Run {
    /// Entries that the first of them covers.
    from: u64,
    /// Keys that signed, by their place in the list.
    by: Vec<usize>,
    /// Entries of keys that all of them cover.
    created: usize,
}

/// What grows with the entries.
pub(super) struct Heads {
    notes: Notes,
    frontier: Frontier,
    /// Hashes of each level since its last full tile.
    open: [Vec<Hash>; 8],
    /// The hash of an entry is not known: nothing can be computed from there on.
    lost: bool,
    due: VecDeque<(u64, String)>,
    /// The checkpoint of the head. Another one takes its place while a log that is written is read.
    last: Option<(u64, String)>,
    /// Where the checkpoints go on that are not yet read.
    next: Option<u64>,
    runs: Vec<Run>,
    older: Option<u64>,
    older_root: Option<Hash>,
}

impl Heads {
    pub(super) fn new(notes: Notes, older: Option<u64>, last: Option<(u64, String)>) -> Self {
        let frontier = Frontier::default();
        let older_root = (older == Some(0)).then(|| frontier.root());
        let (due, runs) = (VecDeque::new(), Vec::new());
        let open = Default::default();
        Self { notes, frontier, open, lost: false, due, last, next: Some(0), runs, older, older_root }
    }

    /// The hash of the next entry is not known.
    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    /// Takes the hash of the next entry. `created`: entries of keys so far.
    pub(super) fn push(
        &mut self,
        store: &mut dyn Store,
        report: &mut Report,
        created: usize,
        hash: Hash,
    ) -> Result<(), StoreError> {
        if self.lost {
            return Ok(());
        }
        self.frontier.push(hash);
        self.tile(store, report, hash)?;
        let size = self.frontier.size();
        if self.older == Some(size) {
            self.older_root = Some(self.frontier.root());
        }
        let mut last = self.last.take_if(|(covered, _)| *covered == size);
        while let Some((covered, note)) = self.next_due(store, report, size)? {
            last.take_if(|(last, _)| *last == covered);
            self.hold(report, created, covered, &note);
        }
        if let Some((covered, note)) = last {
            self.hold(report, created, covered, &note);
        }
        Ok(())
    }

    /// Holds a checkpoint against the entries so far.
    fn hold(&mut self, report: &mut Report, created: usize, covered: u64, note: &str) {
        let size = self.frontier.size();
        match self.notes.open(note) {
            Err(what) => report.find(None, format!("the checkpoint of {covered} entries: {what}")),
            Ok((checkpoint, _)) if checkpoint.size != covered || covered != size => {
                report.find(None, format!("the checkpoint of {covered} entries is one of others"));
            }
            Ok((checkpoint, _)) if checkpoint.root != self.frontier.root() => {
                let what = format!("the first {size} entries are not those that their checkpoint signed");
                report.find(None, what);
            }
            Ok((_, by)) => {
                (report.checkpoints, report.signed) = (report.checkpoints.saturating_add(1), size);
                if self.runs.last().is_none_or(|run| run.by != by || run.created != created) {
                    self.runs.push(Run { from: size, by, created });
                }
            }
        }
    }

    /// The next checkpoint of at most so many entries.
    fn next_due(
        &mut self,
        store: &mut dyn Store,
        report: &mut Report,
        size: u64,
    ) -> Result<Option<(u64, String)>, StoreError> {
        if self.due.is_empty()
            && let Some(from) = self.next
        {
            let read = store.checkpoints(from, AT_ONCE);
            self.due = report.read(None, read)?.unwrap_or_default().into();
            self.next = self.due.back().map(|(size, _)| size.saturating_add(1));
        }
        Ok(self.due.pop_front_if(|(covered, _)| *covered <= size))
    }

    /// A hash more: tiles that it fills are those of the store.
    fn tile(&mut self, store: &mut dyn Store, report: &mut Report, mut hash: Hash) -> Result<(), StoreError> {
        for level in 0..8 {
            let Some(pending) = self.open.get_mut(level as usize) else { break };
            pending.push(hash);
            if (pending.len() as u64) < TILE {
                break;
            }
            let hashes = std::mem::take(pending);
            let n = (self.frontier.size() >> (8 * (level + 1))).saturating_sub(1);
            let stored = store.tile(level, n);
            match report.read(None, stored)? {
                Some(Some(stored)) if stored != hashes.concat() => {
                    report.find(None, format!("tile {level}/{n} is not that of the entries"));
                }
                Some(None) => report.find(None, format!("tile {level}/{n} is gone")),
                _ => {}
            }
            hash = folded(hashes);
        }
        Ok(())
    }

    /// The root over all entries, or that the head is of others; none where not
    /// all are known.
    pub(super) fn root(&self, head: &Head) -> Option<Result<Hash, &'static str>> {
        if self.lost {
            return None;
        }
        let same = self.frontier == head.frontier;
        Some(if same { Ok(self.frontier.root()) } else { Err("the head is not that of the entries") })
    }
}

impl Verifier<'_> {
    /// Who signed, from the keys that are known on: a key is trusted where a
    /// checkpoint of a trusted key covers the entry that created it. Who has
    /// another key can sign another history, but not bring that key in.
    pub(super) fn trust(&mut self, against: &Against, older: Option<Checkpoint>) {
        let (report, heads) = (&mut self.report, &self.heads);
        let keys = &heads.notes.keys;
        let gone = keys.len().saturating_sub(self.created.len());
        let mut trusted: Vec<bool> = if against.keys.is_empty() {
            // The entries of those before were pruned.
            (0..keys.len()).map(|at| at == 0 || at < gone).collect()
        } else {
            keys.iter().map(|key| against.keys.contains(key)).collect()
        };
        let mut unconfirmed = None;
        for run in &heads.runs {
            if run.by.iter().any(|at| trusted.get(*at) == Some(&true)) {
                unconfirmed = None;
                trusted.iter_mut().skip(gone).take(run.created).for_each(|key| *key = true);
            } else {
                unconfirmed.get_or_insert(run.from);
            }
        }
        if heads.lost {
            // What could not be computed was not held against any checkpoint.
        } else if let Some(size) = unconfirmed {
            let what = format!("from the checkpoint of {size} entries on, none is signed by a key that is trusted");
            report.find(None, what);
        } else if heads.runs.is_empty() && report.entries > 0 {
            report.find(None, "there is no checkpoint that holds");
        } else if report.signed < report.entries {
            let what = format!("what comes after the first {} entries is signed by no one", report.signed);
            report.find(report.signed, what);
        }
        let Some((older, note)) = older.zip(against.older.as_deref()) else { return };
        let known = keys.iter().zip(trusted).filter(|(_, trusted)| *trusted).map(|(key, _)| key.clone());
        let known: Vec<TrustedKey> = known.chain(against.keys.iter().cloned()).collect();
        if Checkpoint::open(note, &known).is_err() {
            report.find(None, "the checkpoint that was kept is not signed by a key that is trusted");
        }
        if heads.older_root.is_some_and(|root| root != older.root) {
            let what = format!("the first {} entries are not those of the checkpoint that was kept", older.size);
            report.find(None, what);
        }
    }
}
