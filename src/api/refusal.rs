//! Why a request gets no answer, before it has a status code.

use std::fmt;

use super::proto::ErrorReason;

/// Why there is no answer. [`super::status`] gives each its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Fields are at fault.
    Fields(Vec<Violation>),
    /// No package is active yet.
    NoActiveRuleset,
    /// The active package is not the one required.
    DigestMismatch {
        /// Digest of the active package, 64 hexadecimal digits.
        active: String,
    },
    /// The active package has no such rule.
    RuleNotFound,
    /// A page token that was not given for this listing.
    PageToken,
    /// The server is shutting down.
    Draining,
    /// As much work is being done as may be at once.
    Overloaded,
    /// As many packages are being checked as may be at once.
    CheckBusy,
    /// The record can't be written: without it there is no answer.
    NotRecorded,
    /// As many records wait to be written as may.
    AuditBusy,
    /// A request of this id was answered, and it was another one.
    RequestIdReused,
    /// The record has no such entry, or no longer.
    EntryNotFound,
    /// What the decision was is erased.
    DecisionErased,
    /// No checkpoint covers the entry yet.
    CheckpointPending,
    /// An entry of the record is not what was written.
    RecordDamaged,
    /// The call shows nothing that names its caller.
    NoCredentials,
    /// What it shows does not hold.
    BadCredentials,
    /// There are no keys yet to verify a token with.
    NoKeys,
    /// The caller may not call the method.
    NotPermitted,
    /// A fault of the service.
    Internal,
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path in the spelling of the .proto: `patient.diagnoses[1].onset`.
    pub field: String,
    /// Reason.
    pub reason: ErrorReason,
    /// What is wrong. Fixed text with limits filled in, never the value.
    pub description: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {} [{}]", self.field, self.description, self.reason.as_str_name())
    }
}

/// A place in a request, built on the way down and spelled out only where
/// something is wrong.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'static str,
    index: Option<usize>,
}

impl<'a> Path<'a> {
    /// A field of the request itself.
    pub(super) fn root(name: &'static str) -> Self {
        Self { parent: None, name, index: None }
    }

    /// A field of the message here.
    pub(super) fn field(&'a self, name: &'static str) -> Self {
        Self { parent: Some(self), name, index: None }
    }

    /// An entry of the list here.
    pub(super) fn at(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(out, "{parent}.")?;
        }
        out.write_str(self.name)?;
        match self.index {
            Some(index) => write!(out, "[{index}]"),
            None => Ok(()),
        }
    }
}

/// Gathers every violation of a request, and keeps as many as are reported.
#[derive(Debug)]
pub(super) struct Violations {
    kept: Vec<Violation>,
    most: usize,
    further: usize,
}

impl Violations {
    pub(super) fn new(most: usize) -> Self {
        Self { kept: Vec::new(), most: most.max(1), further: 0 }
    }

    pub(super) fn add(&mut self, path: &Path<'_>, reason: ErrorReason, description: impl Into<String>) {
        if self.kept.len() < self.most {
            self.kept.push(Violation { field: path.to_string(), reason, description: description.into() });
        } else {
            self.further = self.further.saturating_add(1);
        }
    }

    /// `value` where nothing was wrong.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, Refusal> {
        if self.further > 0
            && let Some(last) = self.kept.last_mut()
        {
            last.description = format!("{}; and {} further violations", last.description, self.further);
        }
        match value {
            Some(value) if self.kept.is_empty() => Ok(value),
            _ => Err(Refusal::Fields(self.kept)),
        }
    }
}
