//! What is counted of an answer, for a floor above that counts. Names of the
//! package alone: nothing of the patient, and no id of the decision.

use std::collections::BTreeSet;

use crate::engine::decision::{Answer, Scope};

/// Is told of each answer once, when its record is durable.
pub trait Observer: Send + Sync {
    /// An answer was given. Not again where a repeated request gets it again.
    fn answered(&self, seen: &Seen);
}

/// What of an answer is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Word of the scope.
    pub scope: &'static str,
    /// Ids of the rules that fired.
    pub rules: Vec<String>,
    /// Facts that are missing and asked for.
    pub missing: BTreeSet<String>,
    /// Severity and category of each alert.
    pub alerts: Vec<(&'static str, String)>,
}

impl Seen {
    /// Of an answer that is whole.
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        let asked = answer.data_requests.iter().chain(&answer.more_data_requests);
        Self {
            scope: match answer.scope {
                Scope::None => "none",
                Scope::InRemission => "in-remission",
                Scope::Possible => "possible",
                Scope::Present => "present",
            },
            rules: answer.fired.clone(),
            missing: asked.map(|one| one.id.clone()).collect(),
            alerts: answer.alerts.iter().map(|alert| (alert.severity.word(), alert.category.clone())).collect(),
        }
    }
}
