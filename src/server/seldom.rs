//! Warnings that would come too often.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Time between two warnings of one thing.
const SELDOM: Duration = Duration::from_secs(1);

/// Tells one thing at most once a second, and then how often it was.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    times: u64,
}

impl Seldom {
    /// It happened. How often since it was last told, where it is to be told.
    pub(super) fn tells(&self) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.times = told.times.saturating_add(1);
        if told.last.is_some_and(|last| last.elapsed() < SELDOM) {
            return None;
        }
        told.last = Some(Instant::now());
        Some(std::mem::take(&mut told.times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_warning_comes_once_a_second_and_says_how_often() {
        let seldom = Seldom::default();
        assert_eq!(seldom.tells(), Some(1));
        assert_eq!((seldom.tells(), seldom.tells()), (None, None));
        tokio::time::advance(SELDOM).await;
        assert_eq!(seldom.tells(), Some(3));
    }
}
