//! The package in force: swapped as a whole, read without waiting for long.

use std::sync::{Arc, PoisonError, RwLock};

use super::Ruleset;

/// Holds the package in force; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Active {
    current: Arc<RwLock<Option<Arc<Ruleset>>>>,
}

impl Active {
    /// With no package in force.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a package in force.
    pub fn set(&self, ruleset: Arc<Ruleset>) {
        // The lock guards a single assignment: a poisoned one holds a whole value.
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(ruleset);
    }

    /// The package in force. Who holds it keeps it, whatever is set meanwhile.
    #[must_use]
    pub fn get(&self) -> Option<Arc<Ruleset>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
