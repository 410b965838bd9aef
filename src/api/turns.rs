//! Decisions take turns between connections.
//!
//! A decision keeps a processor for about a millisecond, and what is ready goes
//! in the order in which it came. So a connection that sends a hundred calls at
//! once would keep the one call of another waiting for all of them. With turns
//! no more are at work than keep the processors and the record busy, and the
//! rest stand in a line in which each connection has no more places than that.
//! Who has one call, and one call, passes it by.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Decisions at work for each processor: enough that some are evaluated while
/// others are recorded.
const EACH_PROCESSOR: usize = 4;

/// A record that takes longer keeps no processor busy: then the next begin.
const RECORD: Duration = Duration::from_millis(5);

/// The line in which decisions of all connections stand.
#[derive(Clone, Debug)]
pub struct Line {
    at_work: usize,
    places: Arc<Semaphore>,
}

impl Line {
    /// For so many processors.
    #[must_use]
    pub fn new(processors: usize) -> Self {
        let at_work = processors.saturating_mul(EACH_PROCESSOR).clamp(1, Semaphore::MAX_PERMITS);
        Self { at_work, places: Arc::new(Semaphore::new(at_work)) }
    }

    /// The turns of another connection.
    #[must_use]
    pub fn turns(&self) -> Turns {
        let own = Arc::new(Semaphore::new(self.at_work));
        Turns(Some(Connection { calls: Arc::default(), own, line: Arc::clone(&self.places) }))
    }
}

/// The turns of one connection. By default of none: then no one waits.
#[derive(Clone, Debug, Default)]
pub struct Turns(Option<Connection>);

#[derive(Clone, Debug)]
struct Connection {
    /// Those that wait and those at work.
    calls: Arc<AtomicUsize>,
    own: Arc<Semaphore>,
    line: Arc<Semaphore>,
}

/// A turn. Dropping it says that the call is done.
#[derive(Debug, Default)]
pub struct Turn {
    places: [Option<OwnedSemaphorePermit>; 2],
    calls: Option<Arc<AtomicUsize>>,
}

impl Turn {
    /// Waits for the record, and lets the next begin when it is there, or when it
    /// takes its time.
    pub async fn recorded<T>(&mut self, record: impl Future<Output = T>) -> T {
        let mut record = pin!(record);
        let soon = match self.places {
            [None, None] => None,
            _ => timeout(RECORD, &mut record).await.ok(),
        };
        self.places = [None, None];
        match soon {
            Some(recorded) => recorded,
            None => record.await,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(calls) = &self.calls {
            calls.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Turns {
    /// Waits for a turn. Whoever has it waits for nothing else than
    /// [the record](Turn::recorded).
    pub async fn take(&self) -> Turn {
        let Some(Connection { calls, own, line }) = &self.0 else { return Turn::default() };
        let alone = calls.fetch_add(1, Ordering::AcqRel) == 0;
        let mut turn = Turn { places: [None, None], calls: Some(Arc::clone(calls)) };
        if alone {
            return turn;
        }
        // They are never closed.
        let own = Arc::clone(own).acquire_owned().await.ok();
        turn.places = [own, Arc::clone(line).acquire_owned().await.ok()];
        // Those come first that pass the line by, also who has just sent something.
        tokio::task::yield_now().await;
        turn
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};

    use super::*;

    const WORK: Duration = Duration::from_millis(3);

    /// When a call of each of these connections is done, by the connection's number.
    async fn done(connections: &[(usize, Turns)], work: Duration) -> Vec<(usize, Duration)> {
        let (begun, mut calls) = (Instant::now(), JoinSet::new());
        for (number, turns) in connections.iter().cloned() {
            calls.spawn(async move {
                let mut turn = turns.take().await;
                turn.recorded(sleep(work)).await;
                (number, begun.elapsed())
            });
        }
        calls.join_all().await
    }

    fn last(done: &[(usize, Duration)], connection: usize) -> Duration {
        done.iter().filter(|(number, _)| *number == connection).map(|(_, after)| *after).max().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_of_a_connection_does_not_wait_for_the_hundred_of_another() {
        let line = Line::new(1);
        let (many, one) = (line.turns(), line.turns());
        let calls: Vec<_> = std::iter::repeat_n((0, many), 101).chain([(1, one)]).collect();
        let done = done(&calls, WORK).await;
        assert!(last(&done, 1) < WORK * 2, "{done:?}");
        // One passed the line by, and the others went four at a time.
        assert!((WORK * 25..WORK * 27).contains(&last(&done, 0)), "{done:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_with_few_calls_waits_for_as_many_of_another_and_not_for_all() {
        let line = Line::new(1);
        let (many, few) = (line.turns(), line.turns());
        let calls: Vec<_> = std::iter::repeat_n((0, many), 401).chain(std::iter::repeat_n((1, few), 9)).collect();
        let done = done(&calls, WORK).await;
        assert!(last(&done, 1) < WORK * 8, "{done:?}");
        assert!((WORK * 102..WORK * 104).contains(&last(&done, 0)), "{done:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_record_holds_no_one_up() {
        let turns = Line::new(1).turns();
        let calls: Vec<_> = std::iter::repeat_n((0, turns), 41).collect();
        let done = done(&calls, RECORD * 20).await;
        // 40 begin, four at a time.
        assert!(last(&done, 0) <= RECORD * (20 + 10), "{done:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_the_line_gives_its_place_to_others() {
        let turns = Line::new(1).turns();
        let five = async || {
            let mut held = Vec::new();
            for _ in 0..5 {
                held.push(timeout(WORK, turns.take()).await.unwrap());
            }
            held
        };
        // One that is alone, and four in the line.
        let held = five().await;
        for _ in 0..20 {
            assert!(timeout(WORK, turns.take()).await.is_err());
        }
        drop(held);
        five().await;
    }

    #[tokio::test]
    async fn of_no_connection_no_one_waits() {
        let turns = Turns::default();
        let (_first, _second) = (turns.take().await, turns.take().await);
    }
}
