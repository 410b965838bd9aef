//! The audit of record: an append-only Merkle log of everything that was decided,
//! refused and read. `docs/audit.md` gives its form to the byte, for those who
//! verify it with programs of their own.
//!
//! | module | purpose |
//! | --- | --- |
//! | [`entry`], [`content`] | what is in clear of an entry, and what is sealed |
//! | [`seal`], [`keys`], `folder` | keys, and where they are |
//! | `kept` | the last signed head, where the database's writer can't reach it |
//! | [`tree`], [`checkpoint`] | hashes and proofs; heads that are signed |
//! | [`store`], [`sqlite`], [`postgres`] | what a database has to do, and the ones that do it |
//! | [`log`], `writer` | appends and recovers; the thread that does, for all who wait |
//! | [`records`], [`export`] | reads, hands out |
//! | [`verify`] | holds a whole log against what was signed |
//! | [`erase`], [`retention`], [`rewrap`] | destroys keys of a patient; deletes what is old; replaces the master key |
//!
//! Nothing here knows a request, an answer or a package: they are bytes.

pub mod checkpoint;
pub mod content;
pub mod entry;
pub mod erase;
pub mod export;
mod folder;
mod kept;
pub mod keys;
pub mod log;
pub mod postgres;
pub mod records;
pub mod retention;
pub mod rewrap;
pub mod seal;
pub mod sqlite;
pub mod store;
pub mod tree;
pub mod verify;
mod waiting;
mod writer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot, watch};
use uuid::Uuid;

use self::entry::Draft;
use self::log::{Access, Append, ArchiveItem, Effect, Log, LogError};
use self::records::Records;
use self::seal::Vault;
use self::store::{Store, StoreError};
use self::tree::Hash;
pub use self::waiting::Waiting;
use self::writer::{Job, Writer};

/// Readers at once: each holds a connection.
const READERS: usize = 4;

/// How the log is written.
#[derive(Clone, Debug)]
pub struct Options {
    /// Keys and name.
    pub access: Access,
    /// Entries that may wait to be written.
    pub queue: usize,
    /// How long one may wait for a place among them.
    pub queue_wait: Duration,
    /// Is the store waited for at the start? Of a database server it is: it may
    /// come up later. Of a file it is not: what is wrong with it is told at once.
    pub patient: bool,
}

/// Can the log be written?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It can.
    Up,
    /// It can't: nothing is to be answered.
    Down,
}

/// What the log has done since the process began. For metrics: it says nothing
/// of any entry.
#[derive(Debug, Default)]
pub struct Figures {
    /// Entries that became durable.
    pub entries: AtomicU64,
    /// Commits that made them so.
    pub commits: AtomicU64,
    /// Microseconds that these took.
    pub commit_micros: AtomicU64,
    /// Entries that could not be written, because the store does not work.
    pub failed: AtomicU64,
    /// Entries that found no place in the queue in time.
    pub busy: AtomicU64,
    /// Entries that are not durable yet.
    pub waiting: Waiting,
}

/// Why there is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// As many entries wait as may.
    #[error("as many records wait to be written as may")]
    Busy,
    /// The store does not work. It is not known whether the entry is there.
    #[error("the audit log can't be written")]
    Store,
    /// The entry can't be sealed.
    #[error("the record can't be sealed")]
    Seal,
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Id of the entry.
    pub id: Uuid,
    /// Index.
    pub index: u64,
    /// Hash of its leaf.
    pub hash: Hash,
    /// It is that of an earlier request of the same caller and id: `id` and
    /// `hash` are of what was not written.
    pub before: bool,
}

/// The log of this process. Clones share it.
#[derive(Clone)]
pub struct Audit(Arc<Shared>);

struct Shared {
    jobs: Mutex<Sender<Job>>,
    places: Arc<Semaphore>,
    queue_wait: Duration,
    state: watch::Receiver<State>,
    figures: Arc<Figures>,
    vault: Vault,
    origin: String,
    readers: Arc<Semaphore>,
    idle: Mutex<Vec<Records>>,
    opener: Mutex<Opener>,
}

/// Opens the store. Called again for each reader, and after a failure.
pub type Opener = Box<dyn Fn() -> Result<Box<dyn Store>, StoreError> + Send>;

impl std::fmt::Debug for Audit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Audit({})", self.0.origin)
    }
}

impl Audit {
    /// Opens the log and starts the thread that writes it. Blocking. `opener` is
    /// called twice: for what writes and for what reads.
    ///
    /// # Errors
    /// [`LogError`] where the log can't be opened; a store that does not work is
    /// waited for where the options say so.
    pub fn start(
        options: &Options,
        opener: impl Fn() -> Result<Box<dyn Store>, StoreError> + Clone + Send + 'static,
        runtime: Handle,
    ) -> Result<Self, LogError> {
        let log = open(options, &opener)?;
        let (jobs, receiver) = channel();
        let (state, watched) = watch::channel(State::Up);
        let (vault, origin) = (log.vault().clone(), log.origin().to_owned());
        let figures = Arc::<Figures>::default();
        let writer = Writer {
            log,
            opener: Box::new(opener.clone()),
            jobs: receiver,
            state,
            figures: Arc::clone(&figures),
            runtime,
            later_since: None,
            later: 0,
            broken: false,
        };
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| StoreError::Down(format!("no thread: {error}")))?;
        Ok(Self(Arc::new(Shared {
            jobs: Mutex::new(jobs),
            places: Arc::new(Semaphore::new(options.queue.max(1))),
            queue_wait: options.queue_wait,
            state: watched,
            figures,
            vault,
            origin,
            readers: Arc::new(Semaphore::new(READERS)),
            idle: Mutex::new(Vec::new()),
            opener: Mutex::new(Box::new(opener)),
        })))
    }

    /// Name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0.origin
    }

    /// Can it be written? Changes as the store fails and comes back.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<State> {
        self.0.state.clone()
    }

    /// What it has done.
    #[must_use]
    pub fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.0.figures)
    }

    /// Seals an entry, has it appended, and waits until it is durable.
    ///
    /// # Errors
    /// [`NotRecorded`].
    pub async fn append(
        &self,
        draft: Draft,
        archive: Arc<[ArchiveItem]>,
        effect: Effect,
    ) -> Result<Recorded, NotRecorded> {
        if *self.0.state.borrow() == State::Down {
            self.0.figures.failed.fetch_add(1, Ordering::Relaxed);
            return Err(NotRecorded::Store);
        }
        let place = tokio::time::timeout(self.0.queue_wait, Arc::clone(&self.0.places).acquire_owned());
        let permit = place.await.map_err(|_| {
            self.0.figures.busy.fetch_add(1, Ordering::Relaxed);
            NotRecorded::Busy
        })?;
        let permit = permit.map_err(|_| NotRecorded::Store)?;
        let entry = self.0.vault.seal(draft).map_err(|error| {
            tracing::error!(%error, "an entry can't be sealed");
            NotRecorded::Seal
        })?;
        let (id, hash) = (entry.id, entry.hash);
        let (reply, answer) = oneshot::channel();
        let append = Box::new(Append { entry, archive, effect });
        self.hand_over(Job::Append { append, reply, permit })?;
        let appended = answer.await.map_err(|_| NotRecorded::Store)??;
        Ok(Recorded { id, index: appended.index, hash, before: appended.before })
    }

    /// Under one lock, so that entries wait in the order in which they are written.
    fn hand_over(&self, job: Job) -> Result<(), NotRecorded> {
        let jobs = self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.figures.waiting.enter();
        jobs.send(job).map_err(|_| NotRecorded::Store)
    }

    /// Reads, on a thread that may wait.
    ///
    /// # Errors
    /// [`LogError`] of the store, or of `work`.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Records) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let gone = |_| LogError::Store(StoreError::Down("the reader is gone".to_owned()));
        let permit = Arc::clone(&self.0.readers).acquire_owned().await;
        let shared = Arc::clone(&self.0);
        let reading = tokio::task::spawn_blocking(move || {
            let idle = shared.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            // Its connection may have been closed meanwhile.
            let idle = idle.and_then(|mut records| records.store().head().is_ok().then_some(records));
            let mut records = match idle {
                Some(records) => records,
                None => {
                    let store = shared.opener.lock().unwrap_or_else(PoisonError::into_inner)()?;
                    Records::new(store, shared.vault.clone())
                }
            };
            let outcome = work(&mut records);
            // A connection that failed is not used again.
            if !matches!(outcome, Err(LogError::Store(_))) {
                shared.idle.lock().unwrap_or_else(PoisonError::into_inner).push(records);
            }
            outcome
        });
        let outcome = reading.await.map_err(gone)?;
        drop(permit);
        outcome
    }

    /// Says in the log that it is closed, and signs all of it.
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        let sent = self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(Job::Close(reply));
        if sent.is_ok() {
            // An error means that the thread is gone: it is closed.
            let _ = closed.await;
        }
    }
}

fn open(options: &Options, opener: &impl Fn() -> Result<Box<dyn Store>, StoreError>) -> Result<Log, LogError> {
    let mut told = Instant::now().checked_sub(Duration::from_mins(1));
    loop {
        match opener().map_err(LogError::from).and_then(|store| Log::open(store, &options.access)) {
            Err(LogError::Store(StoreError::Down(why))) if options.patient => {
                if told.is_none_or(|told| told.elapsed() > Duration::from_secs(10)) {
                    tracing::warn!(why, "the audit store is waited for");
                    told = Some(Instant::now());
                }
                std::thread::sleep(Duration::from_millis(250));
            }
            other => return other,
        }
    }
}

// The name by which the tests of stores reach this room, from here and from outside.
#[cfg(test)]
use crate::audit;

#[cfg(test)]
#[path = "store_tests.rs"]
mod shared;

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
