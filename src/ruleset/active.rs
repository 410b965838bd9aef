//! The package in force: swapped as a whole, read without waiting for long.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::Ruleset;
use super::reload::Attempt;

/// Holds the package in force; clones share it. Who asks for it keeps what it
/// got: an evaluation, and an item of a stream, is of one package from end to
/// end, whatever is set meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Active {
    state: Arc<RwLock<State>>,
}

/// The package in force, with what became of the last one that was tried.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The package.
    pub ruleset: Option<Arc<Ruleset>>,
    /// Since when it is in force.
    pub since: Option<Timestamp>,
    /// When the files were last read.
    pub looked: Option<Timestamp>,
    /// The last attempt to load what had changed.
    pub attempt: Option<Arc<Attempt>>,
}

impl Active {
    /// With no package in force.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // The lock guards single assignments: a poisoned one holds whole values.
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Puts a package in force.
    pub fn set(&self, ruleset: Arc<Ruleset>) {
        let now = Timestamp::now();
        // The one before ends outside the lock: to free it takes a while.
        let mut before = None;
        self.change(|state| {
            before = state.ruleset.replace(ruleset);
            state.since = Some(now);
        });
    }

    /// The package in force.
    #[must_use]
    pub fn get(&self) -> Option<Arc<Ruleset>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).ruleset.clone()
    }

    /// The package in force and what is known of it, at one instant.
    #[must_use]
    pub fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn looked(&self, at: Timestamp) {
        self.change(|state| state.looked = Some(at));
    }

    pub(super) fn tried(&self, attempt: &Attempt) {
        let attempt = Arc::new(attempt.clone());
        self.change(|state| {
            state.looked = Some(attempt.at);
            state.attempt = Some(attempt);
        });
    }
}
