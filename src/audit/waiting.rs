//! Entries that were handed to the writer and are not durable yet: how many, and
//! for how long. For metrics.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// In the order in which they were handed over, which is the one in which they
/// are written.
#[derive(Debug, Default)]
pub struct Waiting(Mutex<VecDeque<Instant>>);

impl Waiting {
    fn since(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more.
    pub(super) fn enter(&self) {
        self.since().push_back(Instant::now());
    }

    /// The oldest are durable, or were refused.
    pub(super) fn leave(&self, count: usize) {
        let mut since = self.since();
        let count = count.min(since.len());
        since.drain(..count);
    }

    /// How many, and how long the oldest has waited.
    #[must_use]
    pub fn now(&self) -> (usize, Duration) {
        let since = self.since();
        (since.len(), since.front().map_or(Duration::ZERO, Instant::elapsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_leave_first_and_never_more_than_there_are() {
        let waiting = Waiting::default();
        assert_eq!(waiting.now(), (0, Duration::ZERO));
        (0..3).for_each(|_| waiting.enter());
        waiting.leave(2);
        assert_eq!(waiting.now().0, 1);
        waiting.leave(9);
        assert_eq!(waiting.now(), (0, Duration::ZERO));
    }
}
