//! The one thread that writes. Entries that come while it makes others durable
//! wait together and become durable together (group commit), so that the cost of
//! a sync is shared by all who wait for it.
//!
//! After any error of the store nothing is taken on trust: the connection is
//! dropped, every caller that waits is told that its record could not be
//! written, and the store is opened anew, read and checked, again and again,
//! until it works.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use super::log::{Append, Appended, KEPT_EVERY, Log, LogError};
use super::{Figures, NotRecorded, Opener, State};

/// Entries that become durable together at most.
pub(super) const BATCH: usize = 256;

/// A checkpoint is kept this long after the first entry that is later than the
/// one before; the rest of a second is for the sync.
const KEEP_AFTER: Duration = Duration::from_millis(800);

/// Between two attempts to open a store that does not work.
const RETRY: Duration = Duration::from_millis(250);

/// Who waits for an entry.
pub(super) type Reply = oneshot::Sender<Result<Appended, NotRecorded>>;

/// What the thread is asked.
pub(super) enum Job {
    /// To append.
    Append {
        /// What.
        append: Box<Append>,
        /// Who waits.
        reply: Reply,
        /// A place in the queue.
        permit: OwnedSemaphorePermit,
    },
    /// To say that the log is closed, sign, and end.
    Close(oneshot::Sender<()>),
}

pub(super) struct Writer {
    pub(super) log: Log,
    pub(super) opener: Opener,
    pub(super) jobs: Receiver<Job>,
    pub(super) state: watch::Sender<State>,
    pub(super) figures: Arc<Figures>,
    pub(super) runtime: Handle,
    /// Since when there are entries later than the last checkpoint that is kept.
    pub(super) later_since: Option<Instant>,
    pub(super) later: u64,
    /// The store failed, and has not been opened anew since.
    pub(super) broken: bool,
}

enum Turn {
    Batch(Vec<(Box<Append>, Reply)>),
    Keep,
    Close(Vec<(Box<Append>, Reply)>, Option<oneshot::Sender<()>>),
}

impl Writer {
    pub(super) fn run(mut self) {
        loop {
            if self.broken && !self.recover() {
                return;
            }
            match self.turn() {
                Turn::Batch(batch) => self.commit(batch),
                Turn::Keep => self.keep(),
                Turn::Close(batch, closed) => {
                    self.commit(batch);
                    if !self.broken
                        && let Err(error) = self.log.close()
                    {
                        tracing::error!(%error, "the audit log could not be closed with a checkpoint");
                    }
                    // Who asked may be gone.
                    let _ = closed.map(|closed| closed.send(()));
                    return;
                }
            }
        }
    }

    /// Waits for work, and takes as much of it as is there.
    fn turn(&self) -> Turn {
        let due = self.later_since.map(|since| KEEP_AFTER.saturating_sub(since.elapsed()));
        let first = match due {
            None => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => self.jobs.recv_timeout(due),
        };
        let mut batch = Vec::new();
        let mut next = match first {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => return Turn::Keep,
            Err(RecvTimeoutError::Disconnected) => return Turn::Close(batch, None),
        };
        while let Some(job) = next {
            match job {
                Job::Append { append, reply, permit } => {
                    drop(permit);
                    batch.push((append, reply));
                }
                Job::Close(closed) => return Turn::Close(batch, Some(closed)),
            }
            next = if batch.len() < BATCH { self.jobs.try_recv().ok() } else { None };
        }
        Turn::Batch(batch)
    }

    fn commit(&mut self, batch: Vec<(Box<Append>, Reply)>) {
        if batch.is_empty() {
            return;
        }
        let (appends, replies): (Vec<Append>, Vec<Reply>) = batch.into_iter().map(|(one, reply)| (*one, reply)).unzip();
        let waited = self.later_since.is_some_and(|since| since.elapsed() >= KEEP_AFTER);
        let many = self.later.saturating_add(appends.len() as u64).saturating_add(BATCH as u64) > KEPT_EVERY;
        let began = Instant::now();
        let outcome = self.log.append(&appends, waited || many);
        self.figures.waiting.leave(appends.len());
        let counted = if outcome.is_ok() { &self.figures.entries } else { &self.figures.failed };
        counted.fetch_add(appends.len() as u64, Ordering::Relaxed);
        self.figures.commits.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.figures.commit_micros.fetch_add(micros, Ordering::Relaxed);
        if outcome.is_ok() {
            if waited || many {
                (self.later, self.later_since) = (0, None);
            } else {
                self.later = self.later.saturating_add(appends.len() as u64);
                self.later_since.get_or_insert_with(Instant::now);
            }
        }
        match outcome {
            Ok(appended) => self.answer(replies.into_iter().zip(appended.into_iter().map(Ok)).collect()),
            Err(error) => {
                self.fail(&error.into());
                self.answer(replies.into_iter().map(|reply| (reply, Err(NotRecorded::Store))).collect());
            }
        }
    }

    /// Answers on the runtime, in one task: one wake for all who wait.
    fn answer(&self, answers: Vec<(Reply, Result<Appended, NotRecorded>)>) {
        self.runtime.spawn(async move {
            for (reply, answer) in answers {
                // A caller that left has its record all the same.
                let _ = reply.send(answer);
            }
        });
    }

    fn keep(&mut self) {
        self.log.keep();
        (self.later, self.later_since) = (0, None);
    }

    fn fail(&mut self, error: &LogError) {
        tracing::error!(%error, "the audit log can't be written: nothing is answered until it can");
        self.state.send_replace(State::Down);
        self.broken = true;
    }

    /// Opens the store until it works; who asks meanwhile is refused at once.
    /// False: there is no one left to write for.
    fn recover(&mut self) -> bool {
        let mut told = String::new();
        loop {
            match (self.opener)().map_err(LogError::from).and_then(|store| self.log.reopen(store)) {
                Ok(()) => {
                    tracing::info!("the audit log can be written again");
                    (self.later, self.later_since) = (0, Some(Instant::now()));
                    self.broken = false;
                    self.state.send_replace(State::Up);
                    return true;
                }
                Err(error) => {
                    let text = error.to_string();
                    if text != told {
                        tracing::error!(%error, "the audit log can't be opened; trying again");
                        told = text;
                    }
                }
            }
            let until = Instant::now().checked_add(RETRY);
            while let Some(left) = until.map(|until| until.saturating_duration_since(Instant::now())) {
                match self.jobs.recv_timeout(left) {
                    Ok(Job::Append { reply, .. }) => {
                        self.figures.waiting.leave(1);
                        self.figures.failed.fetch_add(1, Ordering::Relaxed);
                        self.answer(vec![(reply, Err(NotRecorded::Store))]);
                    }
                    Ok(Job::Close(closed)) => {
                        let _ = closed.send(());
                        return false;
                    }
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return false,
                }
            }
        }
    }
}
