//! The log over a store: appends entries as leaves of the tree, signs its heads,
//! and checks what is there before anything is added to it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::checkpoint::Checkpoint;
use super::content::Dictionary;
use super::entry::{Draft, Entry, Kind, Leaf, sha256};
use super::kept::Kept;
use super::keys::Signer;
use super::seal::{MasterKey, SealFault, Vault, random};
use super::store::{Archived, Batch, Head, Row, Store, StoreError, Stored, damaged, folded};
use super::tree::{self, Frontier, Hash, Nodes as _, TILE};
use crate::note::{TrustedKey, hex};

/// Entries from one checkpoint that is kept to the next at most.
pub const KEPT_EVERY: u64 = 1_000;

/// Name of the value that holds the name of the log.
const ORIGIN: &str = "origin";

/// Name of the value that holds the wrapped index key.
pub(super) const INDEX_KEY: &str = "index_key";

/// Name of the value that holds the public keys, one a line.
pub(super) const KEYS: &str = "keys";

/// Something to be archived with the first entry that needs it.
#[derive(Clone, Debug)]
pub struct ArchiveItem {
    /// What it is.
    pub kind: Archived,
    /// What it is found by.
    pub digest: [u8; 32],
    /// The bytes.
    pub content: Arc<[u8]>,
}

impl ArchiveItem {
    /// A dictionary.
    #[must_use]
    pub fn dictionary(dictionary: &Dictionary) -> Self {
        Self { kind: Archived::Dictionary, digest: dictionary.digest(), content: Arc::clone(dictionary.bytes()) }
    }
}

/// What else changes with an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// The keys of these entries are destroyed.
    Erase(Vec<u64>),
    /// Entries before this one are deleted.
    Prune(u64),
    /// A key signs from here on.
    Key(String),
    /// The index key, wrapped by another master key.
    IndexKey(Vec<u8>),
}

/// An entry to append, and what goes with it.
#[derive(Clone, Debug)]
pub struct Append {
    /// The entry.
    pub entry: Entry,
    /// What it needs in the archive.
    pub archive: Arc<[ArchiveItem]>,
    /// What else changes.
    pub effect: Effect,
}

impl From<Entry> for Append {
    fn from(entry: Entry) -> Self {
        Self { entry, archive: Arc::new([]), effect: Effect::None }
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Index.
    pub index: u64,
    /// It was there before: an entry of the same request.
    pub before: bool,
}

/// A log that can be appended to.
pub struct Log {
    store: Box<dyn Store>,
    vault: Vault,
    origin: String,
    signer: Signer,
    kept: Kept,
    /// Leaves since the last full tile, where no one else has written since.
    pending: Option<(u64, Vec<Hash>)>,
    /// The last checkpoint made here, which the next takes the place of: its size and its note.
    passing: Option<(u64, String)>,
    archived: HashSet<(Archived, [u8; 32])>,
    /// What was last known to be durable.
    durable: Frontier,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Log({}, {} entries)", self.origin, self.durable.size())
    }
}

/// What a log needs besides its store.
#[derive(Clone, Debug)]
pub struct Access {
    /// Wraps keys.
    pub master: Arc<dyn MasterKey>,
    /// Where the key is that signs.
    pub signing_key: std::path::PathBuf,
    /// Name of the log, where it is made.
    pub origin: Option<String>,
}

/// Why entries could not be appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key.
    #[error("{0}")]
    Key(String),
    /// Sealing.
    #[error(transparent)]
    Seal(#[from] SealFault),
}

/// The public keys of a log, in the order in which they came.
///
/// # Errors
/// Where they can't be read.
pub fn keys(store: &mut dyn Store) -> Result<Vec<TrustedKey>, StoreError> {
    parse_keys(&store.meta(KEYS)?.unwrap_or_default())
}

fn parse_keys(bytes: &[u8]) -> Result<Vec<TrustedKey>, StoreError> {
    let wrong = || damaged("the list of its keys can't be read");
    let text = str::from_utf8(bytes).map_err(|_| wrong())?;
    text.lines().map(|line| TrustedKey::parse(line).map_err(|_| wrong())).collect()
}

/// The name of a log; none where it has not begun.
///
/// # Errors
/// Where it can't be read.
pub fn origin(store: &mut dyn Store) -> Result<Option<String>, StoreError> {
    let bytes = store.meta(ORIGIN)?;
    bytes.map(|bytes| String::from_utf8(bytes).map_err(|_| damaged("its name is not text"))).transpose()
}

/// The vault of a log that has begun.
///
/// # Errors
/// Where the store can't be read, or the master key is another.
pub fn vault(store: &mut dyn Store, master: Arc<dyn MasterKey>) -> Result<Vault, LogError> {
    let wrapped = store.meta(INDEX_KEY)?.ok_or_else(|| damaged("it has no index key"))?;
    Ok(Vault::open(master, &wrapped)?)
}

impl Log {
    /// Opens a log, begins it where there is none, checks its end, and says in
    /// the log that it was opened.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open(mut store: Box<dyn Store>, access: &Access) -> Result<Self, LogError> {
        // What a process left that was killed after a failed sync looks whole in memory, and is not on the disk.
        store.settle()?;
        begin(store.as_mut(), access)?;
        // A process that was killed while it erased may have left what it destroyed in the write-ahead log.
        if let Err(error) = store.settle() {
            tracing::warn!(%error, "the audit store can't be settled now: what was erased last may still be in its files");
        }
        let mut log = Self::attach(store, access)?;
        log.check()?;
        let known = keys(log.store.as_mut())?;
        log.kept.hold(log.store.as_mut(), &log.origin, &known)?;
        log.introduce()?;
        Ok(log)
    }

    /// Opens a log that has begun, for a command beside the service: what is
    /// there is not checked, and nothing is said.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn attach(mut store: Box<dyn Store>, access: &Access) -> Result<Self, LogError> {
        let name = origin(store.as_mut())?.ok_or_else(|| damaged("it has no name"))?;
        if let Some(wanted) = access.origin.as_ref().filter(|wanted| **wanted != name) {
            let why = format!("the log is named `{name}`, and the settings want `{wanted}`: a log keeps its name");
            return Err(StoreError::Unusable(why).into());
        }
        let vault = vault(store.as_mut(), Arc::clone(&access.master))?;
        let signer = Signer::open(&access.signing_key, &name)
            .map_err(|error| LogError::Key(format!("audit.signing_key_file: {error}")))?;
        let kept = Kept::beside(&access.signing_key);
        let archived = store.archive()?.into_iter().collect();
        let durable = store.head()?.frontier;
        Ok(Self { store, vault, origin: name, signer, kept, pending: None, passing: None, archived, durable })
    }

    /// Name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What seals its entries.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Entries that are known to be durable.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.durable.size()
    }

    /// The store, to read.
    pub fn store(&mut self) -> &mut dyn Store {
        self.store.as_mut()
    }

    /// Another connection to the same store, after the one before has failed:
    /// what it holds is checked, made durable, and must begin with what was
    /// durable before.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn reopen(&mut self, mut store: Box<dyn Store>) -> Result<(), LogError> {
        store.settle()?;
        (self.pending, self.passing) = (None, None);
        let before = self.durable.clone();
        self.store = store;
        self.check()?;
        let again = tree::root(&mut Stored(self.store.as_mut()), before.size());
        if self.store.head()?.frontier.size() < before.size() || again? != before.root() {
            return Err(damaged("entries that were durable are gone or others").into());
        }
        self.say("recovered")
    }

    /// Says that the log is closed, and signs all of it.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn close(&mut self) -> Result<(), LogError> {
        self.say("closed")
    }

    /// An entry about the log itself, and a checkpoint.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn say(&mut self, event: &str) -> Result<(), LogError> {
        let leaf = Leaf { event: Some(event.to_owned()), ..Leaf::new(Kind::Log) };
        let entry = Entry::clear(&leaf).map_err(SealFault::from)?;
        self.append(&[entry.into()], true)?;
        Ok(())
    }

    /// Seals and appends one entry.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn append_draft(&mut self, draft: Draft, effect: Effect) -> Result<Appended, LogError> {
        let entry = self.vault.seal(draft)?;
        let appended = self.append(&[Append { effect, ..entry.into() }], true)?;
        appended.first().copied().ok_or_else(|| damaged("an entry was not appended").into())
    }

    /// Appends entries in one transaction, with a checkpoint that covers them.
    /// When this returns they are durable; after an error it is not known
    /// whether they are. `keep` keeps the checkpoint, as [`Self::keep`] does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn append(&mut self, appends: &[Append], keep: bool) -> Result<Vec<Appended>, StoreError> {
        let mut archived = Vec::new();
        let mut batch = self.store.begin()?;
        let mut head = batch.head()?;
        let first = head.frontier.size();
        let mut pending = match self.pending.take() {
            Some((size, pending)) if size == first => pending,
            _ => batch.hashes(first.saturating_sub(first % TILE))?,
        };
        let (mut new, mut appended) = (Vec::<&Entry>::new(), Vec::new());
        let tags: Vec<[u8; 16]> = appends.iter().filter_map(|append| append.entry.once).collect();
        let mut requests = if tags.is_empty() { HashMap::new() } else { batch.requested(&tags)? };
        for append in appends {
            let entry = &append.entry;
            if let Some(index) = entry.once.and_then(|tag| requests.get(&tag).copied()) {
                appended.push(Appended { index, before: true });
                continue;
            }
            let index = head.frontier.size();
            requests.extend(entry.once.map(|tag| (tag, index)));
            for item in append.archive.iter() {
                let key = (item.kind, item.digest);
                if !self.archived.contains(&key) && !archived.contains(&key) {
                    batch.archive(item.kind, &item.digest, &item.content)?;
                    archived.push(key);
                }
            }
            head.frontier.push(entry.hash);
            pending.push(entry.hash);
            new.push(entry);
            appended.push(Appended { index, before: false });
            if pending.len() as u64 == TILE {
                tile(batch.as_mut(), index / TILE, &pending)?;
                pending.clear();
            }
        }
        batch.insert(first, &new)?;
        for append in appends {
            match &append.effect {
                Effect::None => {}
                Effect::Erase(indices) => batch.erase(indices)?,
                Effect::Prune(before) => {
                    batch.prune(*before)?;
                    head.first = head.first.max(*before);
                }
                Effect::Key(key) => {
                    let mut keys = batch.meta(KEYS)?.unwrap_or_default();
                    keys.extend(format!("{key}\n").into_bytes());
                    batch.set_meta(KEYS, &keys)?;
                }
                Effect::IndexKey(wrapped) => batch.set_meta(INDEX_KEY, wrapped)?,
            }
        }
        let size = head.frontier.size();
        let mut signed = None;
        if head.signed < size {
            let checkpoint = Checkpoint { origin: self.origin.clone(), size, root: head.frontier.root() };
            let note = checkpoint.sign(&self.signer.keys());
            batch.put_checkpoint(self.passing.as_ref().map(|(size, _)| *size), size, &note)?;
            head.signed = size;
            signed = Some((size, note));
        }
        batch.set_head(&head)?;
        batch.commit()?;
        self.passing = signed.or_else(|| self.passing.take());
        // An export at a checkpoint before what was deleted would lack what allows it.
        if keep || appends.iter().any(|append| append.effect != Effect::None) {
            self.keep();
        }
        self.durable = head.frontier;
        self.pending = Some((size, pending));
        self.archived.extend(archived);
        if appends.iter().any(|append| matches!(append.effect, Effect::Erase(_) | Effect::Prune(_))) {
            // Else the write-ahead log would still hold what was destroyed.
            self.store.settle()?;
        }
        Ok(appended)
    }

    /// Keeps the last checkpoint: the next takes a place of its own, and a copy
    /// lies beside the key. Not before it is durable: the log must never be
    /// behind it.
    pub fn keep(&mut self) {
        if let Some((_, note)) = self.passing.take() {
            self.kept.keep(&note);
        }
    }

    /// Checks that the head is that of the entries, that the last checkpoint is
    /// signed and of them, and reads the last entries, of which a failure may
    /// have left something else.
    fn check(&mut self) -> Result<(), LogError> {
        let (head, note) = signed_head(self.store.as_mut())?;
        check_frontier(self.store.as_mut(), &head.frontier)?;
        if let Some(note) = note {
            let keys = keys(self.store.as_mut())?;
            let checkpoint =
                Checkpoint::open(&note, &keys).map_err(|fault| damaged(format!("its last checkpoint: {fault}")))?;
            let size = checkpoint.size;
            if checkpoint.origin != self.origin || size != head.signed || size > head.frontier.size() {
                return Err(damaged("its last checkpoint is of another log, or of entries that are gone").into());
            }
            if tree::root(&mut Stored(self.store.as_mut()), size)? != checkpoint.root {
                return Err(damaged("its entries are not those that its last checkpoint signed").into());
            }
        } else if head.signed > 0 {
            return Err(damaged("its last checkpoint is gone").into());
        }
        let to = head.frontier.size();
        let mut from = head.signed.min(to.saturating_sub(KEPT_EVERY)).max(head.first);
        while from < to {
            let rows = self.store.rows(from, to, TILE)?;
            let read = rows.len() as u64;
            if read == 0 {
                return Err(damaged(format!("entry {from} is gone")).into());
            }
            for row in &rows {
                check_row(row)?;
            }
            from = from.saturating_add(read);
        }
        self.durable = head.frontier;
        Ok(())
    }

    /// Says in the log which key signs, where it is a new one, and that the log
    /// was opened.
    fn introduce(&mut self) -> Result<(), LogError> {
        let known = keys(self.store.as_mut())?;
        let created = self.durable.size() == 0;
        let event = |kind, event: &str, key: Option<&TrustedKey>| -> Result<Append, SealFault> {
            let key = key.map(ToString::to_string);
            Ok(Entry::clear(&Leaf { event: Some(event.to_owned()), key, ..Leaf::new(kind) })?.into())
        };
        let mut appends = vec![event(Kind::Log, if created { "created" } else { "opened" }, None)?];
        let public = self.signer.public();
        if !known.contains(&public) {
            let effect = Effect::Key(public.to_string());
            appends.push(Append { effect, ..event(Kind::Key, "created", Some(&public))? });
        }
        self.append(&appends, true)?;
        if let Some(replaced) = self.signer.replaced() {
            self.append(&[event(Kind::Key, "retired", Some(&replaced))?], true)?;
            self.signer.retire().map_err(|error| LogError::Key(error.to_string()))?;
        }
        Ok(())
    }
}

/// The head and the checkpoint that it names, which is the last one unless
/// another process signs meanwhile: then they are read again.
pub(super) fn signed_head(store: &mut dyn Store) -> Result<(Head, Option<String>), StoreError> {
    loop {
        let head = store.head()?;
        let note = store.checkpoint()?;
        if store.head()?.signed == head.signed {
            return Ok((head, note));
        }
    }
}

/// Begins a log, unless it has begun.
fn begin(store: &mut dyn Store, access: &Access) -> Result<(), LogError> {
    if origin(store)?.is_some() {
        return Ok(());
    }
    let name = match &access.origin {
        Some(name) => name.clone(),
        None => format!("concord/{}", hex(&random::<8>()?)),
    };
    let (_, wrapped) = Vault::create(Arc::clone(&access.master))?;
    let mut batch = store.begin()?;
    // Another process may have begun it meanwhile: what it wrote stays.
    if batch.meta(ORIGIN)?.is_none() {
        batch.set_meta(ORIGIN, name.as_bytes())?;
        batch.set_meta(INDEX_KEY, &wrapped)?;
        batch.commit()?;
    }
    Ok(())
}

/// Writes a full tile, and those above that it completes.
fn tile(batch: &mut dyn Batch, n: u64, hashes: &[Hash]) -> Result<(), StoreError> {
    batch.insert_tile(0, n, &hashes.concat())?;
    let (mut level, mut n) = (0, n);
    while n % TILE == TILE.saturating_sub(1) {
        let mut roots = Vec::new();
        for below in n.saturating_sub(TILE.saturating_sub(1))..=n {
            let tile = batch.tile(level, below)?.ok_or_else(|| damaged(format!("tile {level}/{below} is gone")))?;
            roots.push(folded(tile.as_chunks::<32>().0.to_vec()));
        }
        (level, n) = (level.saturating_add(1), n / TILE);
        batch.insert_tile(level, n, &roots.concat())?;
    }
    Ok(())
}

/// Is the frontier that of the entries?
fn check_frontier(store: &mut dyn Store, frontier: &Frontier) -> Result<(), StoreError> {
    let size = frontier.size();
    let (mut from, mut roots) = (0_u64, Vec::new());
    for height in (0..u64::BITS).rev().filter(|height| size >> height & 1 == 1) {
        roots.extend(Stored(&mut *store).node(height, from >> height)?);
        from = from.saturating_add(1 << height);
    }
    if roots == frontier.bytes() {
        return Ok(());
    }
    Err(damaged("the head is not that of the entries"))
}

/// Is an entry whole, as far as can be told without its key? Its leaf.
///
/// # Errors
/// What is wrong with it.
pub fn check_row(row: &Row) -> Result<Leaf, StoreError> {
    let wrong = |what: &str| damaged(format!("entry {}: {what}", row.index));
    let leaf = Leaf::read(&row.leaf).map_err(|fault| wrong(&fault.to_string()))?;
    let at = leaf.made().map(Timestamp::as_microsecond);
    if leaf.id != row.id || at != Some(row.at) || leaf.of != row.of {
        return Err(wrong("its columns are not those of its leaf"));
    }
    match (&leaf.body, &row.body) {
        (None, None) => {}
        (Some(said), Some(body)) if said.sha256 == hex(&sha256(body)) => {}
        (Some(_), Some(_)) => return Err(wrong("its body is not that of its leaf")),
        (Some(_), None) => return Err(wrong("its body is gone")),
        (None, Some(_)) => return Err(wrong("it has a body that its leaf does not know")),
    }
    if row.body.is_none() && row.key.is_some() {
        return Err(wrong("it has a key and no body"));
    }
    Ok(leaf)
}
