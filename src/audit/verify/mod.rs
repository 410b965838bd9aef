//! Verifies a whole log from its store: that every entry is there and is the one
//! that was signed, that its keys, tags, tiles and archive are those of the
//! entries, and, with the master key, that what was sealed opens.
//!
//! The log is read once, in order, a few hundred entries at a time, up to the
//! head that was read first: a server may append, erase and prune meanwhile.

mod entries;
mod heads;
mod ranges;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use self::heads::{Heads, Notes};
use self::ranges::Ranges;
use super::checkpoint::Checkpoint;
use super::entry::{Kind, Leaf, sha256};
use super::log::{KEYS, origin, signed_head, vault};
use super::seal::{MasterKey, Vault};
use super::store::{Archived, Head, Store, StoreError};
use super::tree::{Hash, TILE};
use crate::note::{TrustedKey, hex};

/// Findings that are told; more are counted.
pub const TOLD: usize = 100;

/// Entries that are read at once.
const AT_ONCE: u64 = TILE;

/// What a log is held against, besides itself.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// Opens what was sealed; none: ciphertext is compared by its hash alone.
    pub master: Option<Arc<dyn MasterKey>>,
    /// Keys that are known to be the log's; none: its first one is taken on trust.
    pub keys: Vec<TrustedKey>,
    /// A checkpoint that was kept.
    pub older: Option<String>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Index of the entry, where it is about one.
    pub entry: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            Some(index) => write!(out, "entry {index}: {}", self.what),
            None => out.write_str(&self.what),
        }
    }
}

/// What a verification saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Name of the log.
    pub origin: String,
    /// Entries, those that were pruned among them.
    pub entries: u64,
    /// Entries before this one were pruned.
    pub first: u64,
    /// The root over the entries; none where not all of them are known.
    pub root: Option<Hash>,
    /// Checkpoints that hold.
    pub checkpoints: u64,
    /// Entries that the last of them covers.
    pub signed: u64,
    /// Entries whose content was opened.
    pub opened: u64,
    /// Entries whose key was destroyed.
    pub erased: u64,
    /// What is wrong, at most [`TOLD`].
    pub findings: Vec<Finding>,
    /// Findings that are not told.
    pub more: u64,
}

impl Report {
    /// Is nothing wrong?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, entry: impl Into<Option<u64>>, what: impl Into<String>) {
        if self.findings.len() < TOLD {
            self.findings.push(Finding { entry: entry.into(), what: what.into() });
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// A value that was read; damage is a finding.
    fn read<T>(&mut self, entry: Option<u64>, read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Damaged(why)) => {
                let why = entry.and_then(|index| why.strip_prefix(&format!("entry {index}: "))).unwrap_or(&why);
                self.find(entry, why);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Verifies a log.
///
/// # Errors
/// Where the store can't be read at all: what is wrong with the log is in the
/// report.
pub fn verify(store: &mut dyn Store, against: &Against) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let (head, last) = match signed_head(store) {
        Ok((head, last)) => (Ok(head), last),
        // What is wrong with a checkpoint is told where it is met.
        Err(_) => (store.head(), None),
    };
    let (head, name) = (report.read(None, head)?, origin(store));
    let name = report.read(None, name)?;
    let Some(head) = head else { return Ok(report) };
    match name.flatten() {
        Some(name) => report.origin = name,
        None if head.frontier.size() == 0 => return Ok(report),
        None => report.find(None, "the log has no name"),
    }
    (report.entries, report.first) = (head.frontier.size(), head.first);
    let keys = read_keys(store, &mut report)?;
    let older = older(&mut report, against, &keys);
    let vault = open_vault(store, &mut report, against)?;
    let notes = Notes::new(keys.iter().map(|(_, key)| key.clone()).collect(), report.origin.clone());
    let mut verifier = Verifier {
        heads: Heads::new(notes, older.as_ref().map(|older| older.size), last.map(|note| (head.signed, note))),
        store,
        report,
        vault,
        dictionaries: HashMap::new(),
        created: Vec::new(),
        missing: Ranges::default(),
        erased: Ranges::default(),
        retained: 0,
        packages: HashMap::new(),
    };
    verifier.tables()?;
    verifier.entries()?;
    verifier.ends(&head, &keys)?;
    verifier.trust(against, older);
    verifier.archive()?;
    Ok(verifier.report)
}

/// The public keys of the log, each as it is written.
fn read_keys(store: &mut dyn Store, report: &mut Report) -> Result<Vec<(String, TrustedKey)>, StoreError> {
    let bytes = store.meta(KEYS);
    let text = report.read(None, bytes)?.flatten().unwrap_or_default();
    let Ok(text) = String::from_utf8(text) else {
        report.find(None, "the list of keys is not text");
        return Ok(Vec::new());
    };
    let mut keys = Vec::new();
    for line in text.split_inclusive('\n') {
        let key = line.strip_suffix('\n').and_then(|line| Some((line, TrustedKey::parse(line).ok()?)));
        match key.filter(|(line, key)| key.to_string() == *line && key.name() == report.origin) {
            Some((line, key)) => keys.push((line.to_owned(), key)),
            None => report.find(None, "the list of keys has a line that is no key of this log"),
        }
    }
    Ok(keys)
}

/// The checkpoint that was kept.
fn older(report: &mut Report, against: &Against, keys: &[(String, TrustedKey)]) -> Option<Checkpoint> {
    let known: Vec<TrustedKey> = keys.iter().map(|(_, key)| key.clone()).chain(against.keys.iter().cloned()).collect();
    let opened = Checkpoint::open(against.older.as_ref()?, &known);
    let older = opened.map_err(|fault| report.find(None, format!("the checkpoint that was kept: {fault}"))).ok()?;
    if older.origin != report.origin {
        report.find(None, format!("the checkpoint that was kept is of another log, `{}`", older.origin));
        return None;
    }
    if older.size > report.entries {
        let (kept, now) = (older.size, report.entries);
        report.find(None, format!("the checkpoint that was kept is of {kept} entries, and the log has {now}"));
        return None;
    }
    Some(older)
}

fn open_vault(store: &mut dyn Store, report: &mut Report, against: &Against) -> Result<Option<Vault>, StoreError> {
    let Some(master) = &against.master else { return Ok(None) };
    match vault(store, Arc::clone(master)) {
        Ok(vault) => Ok(Some(vault)),
        Err(super::log::LogError::Store(StoreError::Down(why))) => Err(StoreError::Down(why)),
        Err(error) => {
            report.find(None, format!("the index key: {error}"));
            Ok(None)
        }
    }
}

struct Verifier<'a> {
    store: &'a mut dyn Store,
    report: Report,
    vault: Option<Vault>,
    dictionaries: HashMap<[u8; 32], Arc<[u8]>>,
    heads: Heads,
    /// Keys that entries say were created.
    created: Vec<String>,
    /// Entries with content and without a key.
    missing: Ranges,
    /// Entries that an erasure names.
    erased: Ranges,
    /// The largest `first` of a retention.
    retained: u64,
    /// What entries say of packages: SHA-256 of the files, by digest.
    packages: HashMap<String, HashSet<String>>,
}

impl Verifier<'_> {
    /// Rows that are of no entry are in no one's way when the entries are read.
    fn tables(&mut self) -> Result<(), StoreError> {
        let faults = self.store.faults();
        for fault in self.report.read(None, faults)?.unwrap_or_default() {
            self.report.find(None, format!("the database: {fault}"));
        }
        let tally = self.store.tally();
        let Some(tally) = self.report.read(None, tally)? else { return Ok(()) };
        let tiles = (1..8).map(|level| tally.size >> (8 * level)).sum();
        for (what, is, ought) in [
            ("entries", tally.entries, tally.size.saturating_sub(tally.first)),
            ("full tiles", tally.tiles, tiles),
            ("keys of no entry", tally.stray_keys, 0),
            ("tags of requests of no entry", tally.stray_requests, 0),
            ("checkpoints of no entries", tally.stray_checkpoints, 0),
        ] {
            if is != ought {
                self.report.find(None, format!("the store has {is} {what}, and the head wants {ought}"));
            }
        }
        if tally.signed != tally.last_checkpoint {
            let (last, ought) = (tally.last_checkpoint, tally.signed);
            self.report.find(None, format!("the last checkpoint is of {last} entries, and the head wants {ought}"));
        }
        Ok(())
    }

    /// What can be told when all entries were read.
    fn ends(&mut self, head: &Head, keys: &[(String, TrustedKey)]) -> Result<(), StoreError> {
        let root = self.heads.root(head);
        match root {
            Some(Ok(root)) => self.report.root = Some(root),
            Some(Err(what)) => self.report.find(None, what),
            None => {}
        }
        let gone = keys.len().saturating_sub(self.created.len());
        let same = keys.iter().skip(gone).map(|(text, _)| text).eq(&self.created);
        if !same || (gone > 0 && self.report.first == 0) {
            self.report.find(None, "the list of keys is not that of the entries");
        }
        if self.missing.minus(&self.erased).is_empty() && self.report.first == self.retained {
            self.compare();
            return Ok(());
        }
        // Keys were destroyed, or entries pruned, while the log was read: the entries that say so came after.
        let now = self.store.head();
        let to = self.report.read(None, now)?.map_or(0, |head| head.frontier.size());
        let mut from = self.report.entries;
        while from < to {
            let rows = self.store.rows(from, to, AT_ONCE);
            let rows = self.report.read(Some(from), rows)?.unwrap_or_default();
            let Some(last) = rows.last().map(|row| row.index) else { break };
            for row in rows {
                let Ok(leaf) = Leaf::read(&row.leaf) else { continue };
                match leaf.kind {
                    Kind::Erasure => leaf.entries.iter().for_each(|range| self.erased.add_late(*range)),
                    Kind::Retention if self.report.first > self.retained => {
                        self.retained = self.retained.max(leaf.first.unwrap_or_default());
                    }
                    _ => {}
                }
            }
            from = last.saturating_add(1);
        }
        self.compare();
        Ok(())
    }

    fn compare(&mut self) {
        let (first, retained) = (self.report.first, self.retained);
        if first != retained {
            let what = format!("entries before {first} are pruned, and by their entry of retention before {retained}");
            self.report.find(None, what);
        }
        for [from, to] in self.missing.minus(&self.erased) {
            self.report.find(from, several(from, to, "the key is gone, and no erasure names the entry"));
        }
        let named: Vec<[u64; 2]> = self.erased.minus(&self.missing);
        for [from, to] in named {
            // Of entries that were pruned there is nothing left to erase; those that came late were not read again.
            if to >= first {
                self.report
                    .find(from.max(first), several(from, to, "an erasure names the entry, and it is not erased"));
            }
        }
    }

    fn archive(&mut self) -> Result<(), StoreError> {
        let archive = self.store.archive();
        let archive = self.report.read(None, archive)?.unwrap_or_default();
        let mut packages = HashSet::new();
        for (kind, digest) in archive {
            let (word, name) = (kind.word(), hex(&digest));
            let content = self.store.archived(kind, &digest);
            let Some(content) = self.report.read(None, content)?.flatten() else {
                self.report.find(None, format!("the archive: {word} {name} can't be read"));
                continue;
            };
            let hash = sha256(&content);
            let said = self.packages.get(&name);
            let wrong = match kind {
                Archived::Dictionary => hash != digest,
                Archived::Package => match said {
                    Some(said) => !said.contains(&hex(&hash)),
                    // The entry that would say may be pruned.
                    None => self.report.first == 0,
                },
            };
            if wrong {
                self.report.find(None, format!("the archive: {word} {name} is not what was archived"));
            }
            if kind == Archived::Package {
                packages.insert(name);
            }
        }
        let mut gone: Vec<&String> = self.packages.keys().filter(|name| !packages.contains(*name)).collect();
        gone.sort_unstable();
        for name in gone {
            self.report.find(None, format!("the archive: package {name} is gone"));
        }
        Ok(())
    }
}

fn several(from: u64, to: u64, what: &str) -> String {
    if from == to { what.to_owned() } else { format!("{what}; so it is up to entry {to}") }
}
