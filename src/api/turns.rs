//! Evaluations take turns between connections.
//!
//! An evaluation keeps a processor for about a millisecond, and those that are
//! ready go in the order in which they came. So a connection that sends a
//! hundred calls at once would keep the one call of another waiting for all of
//! them. With turns it waits for the few of each connection that may be at work.
//! That costs no throughput: they are as many as there are processors.

use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of one connection. By default of none: then no one waits.
#[derive(Clone, Debug, Default)]
pub struct Turns(Option<Arc<Semaphore>>);

/// A turn, until it is dropped.
pub type Turn = Option<OwnedSemaphorePermit>;

impl Turns {
    /// Of a connection that may have `at_once` evaluations at work.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self(Some(Arc::new(Semaphore::new(at_once.clamp(1, Semaphore::MAX_PERMITS)))))
    }

    /// Waits for a turn. Whoever has it should not wait for anything else.
    pub async fn take(&self) -> Turn {
        let places = self.0.as_ref()?;
        if let Ok(turn) = Arc::clone(places).try_acquire_owned() {
            return Some(turn);
        }
        // It is never closed.
        let turn = Arc::clone(places).acquire_owned().await.ok();
        // The first of other connections come before the next of this one.
        behind_others().await;
        turn
    }
}

/// To the end of the line of tasks that are ready. The runtime's own way would
/// look at all sockets first, for every evaluation.
async fn behind_others() {
    let mut behind = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut behind, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn one_call_of_a_connection_does_not_wait_for_the_hundred_of_another() {
        let done = Arc::new(Mutex::new(Vec::new()));
        let (many, one) = (Turns::new(2), Turns::new(2));
        let mut tasks = JoinSet::new();
        for (turns, own) in std::iter::repeat_n((&many, false), 100).chain([(&one, true)]) {
            let (turns, done) = (turns.clone(), Arc::clone(&done));
            tasks.spawn(async move {
                let _turn = turns.take().await;
                done.lock().unwrap().push(own);
            });
        }
        tasks.join_all().await;
        let done = done.lock().unwrap();
        assert_eq!(done.len(), 101);
        assert!(done.iter().position(|own| *own).unwrap() <= 4, "{done:?}");
    }

    #[tokio::test]
    async fn of_no_connection_no_one_waits() {
        let turns = Turns::default();
        let (_first, _second) = (turns.take().await, turns.take().await);
    }
}
