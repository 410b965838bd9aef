//! The calls that a connection has open: whether it is idle, and whether an
//! answer waits for a caller that does not take it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

/// No turn.
const NOTHING: usize = usize::MAX;

/// Calls of one connection.
#[derive(Clone, Debug)]
pub(super) struct Calls(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    begun: Instant,
    open: AtomicUsize,
    /// When a call last ended, in milliseconds after the connection began.
    ended: AtomicU64,
    /// Answers that are not taken yet: those that became ready in this turn and
    /// those of the one before, by turns.
    untaken: [AtomicUsize; 2],
    turn: AtomicUsize,
}

/// A call that is open until this is dropped. Rides on its request.
#[derive(Debug)]
pub(super) struct Open {
    counts: Arc<Counts>,
    /// The turn in which what waits for the caller became ready, or [`NOTHING`].
    ready_in: AtomicUsize,
    alone: bool,
}

impl Calls {
    pub(super) fn new() -> Self {
        Self(Arc::new(Counts {
            begun: Instant::now(),
            open: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
            untaken: [AtomicUsize::new(0), AtomicUsize::new(0)],
            turn: AtomicUsize::new(0),
        }))
    }

    /// Another call.
    pub(super) fn open(&self) -> Open {
        let alone = self.0.open.fetch_add(1, Ordering::AcqRel) == 0;
        Open { counts: Arc::clone(&self.0), ready_in: AtomicUsize::new(NOTHING), alone }
    }

    /// Yields when there has been no call for `time`.
    pub(super) async fn idle(&self, time: Duration) {
        // Not before now, where it is asked late in the connection's life.
        let mut since = Instant::now();
        loop {
            sleep_until(since + time).await;
            let now = Instant::now();
            let last = self.0.begun + Duration::from_millis(self.0.ended.load(Ordering::Acquire));
            since = if self.0.open.load(Ordering::Acquire) > 0 { now } else { since.max(last) };
            if now.duration_since(since) >= time {
                return;
            }
        }
    }

    /// Yields when an answer has waited for `time` at least, and for twice that
    /// at most. Nothing else would: a body that no one takes is never asked for
    /// more, and so never learns that its deadline has passed.
    pub(super) async fn stalled(&self, time: Duration) {
        loop {
            sleep(time).await;
            let next = self.0.turn.load(Ordering::Acquire) ^ 1;
            if self.0.untaken(next).load(Ordering::Acquire) > 0 {
                return;
            }
            self.0.turn.store(next, Ordering::Release);
        }
    }
}

impl Counts {
    fn untaken(&self, turn: usize) -> &AtomicUsize {
        let [even, odd] = &self.untaken;
        if turn == 0 { even } else { odd }
    }
}

impl Open {
    /// Was there no other call when it came, and no answer that is not taken?
    pub(super) fn is_alone(&self) -> bool {
        self.alone
    }

    /// Something is ready, and now it is for the caller to take it.
    pub(super) fn ready(&self) {
        let turn = self.counts.turn.load(Ordering::Acquire);
        if self.ready_in.compare_exchange(NOTHING, turn, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.counts.untaken(turn).fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The caller has taken it, and there is room for more.
    pub(super) fn taken(&self) {
        let turn = self.ready_in.swap(NOTHING, Ordering::AcqRel);
        if turn != NOTHING {
            self.counts.untaken(turn).fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.taken();
        let now = u64::try_from(self.counts.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.counts.ended.fetch_max(now, Ordering::AcqRel);
        self.counts.open.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Duration = Duration::from_secs(10);

    async fn within(seconds: u64, wait: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::from_secs(seconds), wait).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_when_there_has_been_no_call_for_a_while() {
        let calls = Calls::new();
        assert!(within(11, calls.idle(TIME)).await);
        let open = calls.open();
        assert!(!within(60, calls.idle(TIME)).await);
        let mut idle = Box::pin(calls.idle(TIME));
        assert!(!within(5, &mut idle).await);
        drop(open);
        assert!(!within(9, &mut idle).await);
        assert!(within(2, &mut idle).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_no_one_takes_is_found() {
        let calls = Calls::new();
        let open = calls.open();
        // A call at work is no answer.
        assert!(!within(60, calls.stalled(TIME)).await);
        open.ready();
        assert!(within(21, calls.stalled(TIME)).await);
        open.taken();
        assert!(!within(60, calls.stalled(TIME)).await);
        open.ready();
        assert!(within(21, calls.stalled(TIME)).await);
        drop(open);
        assert!(!within(60, calls.stalled(TIME)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_are_taken_in_time_are_no_stall() {
        let calls = Calls::new();
        let mut stalled = Box::pin(calls.stalled(TIME));
        for _ in 0..20 {
            let open = calls.open();
            open.ready();
            assert!(!within(9, &mut stalled).await);
        }
    }
}
