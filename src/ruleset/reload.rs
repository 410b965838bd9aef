//! One attempt to make the package at its origin, with its overlay, the active one: read, hold
//! against the last reading, against the signature and the versions, check,
//! compile, swap. Whatever fails, the package before stays active.

use std::time::Duration;

use jiff::Timestamp;

use super::signature::content_digest;
use super::source::{Origin, Snapshot};
use super::trust::{Contents, Distrust, Trust};
use super::{Active, Checked, LoadError, Ruleset, check_sources};
use crate::diag::{self, Level};
use crate::rule::read::NEWER_FORMAT;

/// A package that differs from the one before must stay the same for this long:
/// a file that is being written is a shorter one, and may be a valid one.
const STILL: Duration = Duration::from_millis(50);

/// How often a package is waited for to hold still.
const WAITS: usize = 10;

/// Diagnostics that a report shows at most.
const SHOWN: usize = 20;

/// Loads the package of an origin, again and again.
#[derive(Debug)]
pub struct Reloader {
    origin: Origin,
    trust: Option<Trust>,
    active: Active,
    /// Was there an attempt? Before the first no one can be writing.
    begun: bool,
    /// The last reading that was considered.
    last: Option<Reading>,
}

/// What was read: the digest of the files and the signature, or why they
/// can't be read.
type Reading = Result<String, String>;

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The package is active.
    Activated,
    /// The files, or the reason why they can't be read, are those of the
    /// attempt before: nothing was done.
    Unchanged,
    /// The package before stays active, if there is one.
    Refused {
        /// Why, in a word: `faulty`, `unsigned`, `rolled-back`, …
        reason: &'static str,
    },
}

impl Outcome {
    /// A word for logs and metrics.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Activated => "activated",
            Self::Unchanged => "unchanged",
            Self::Refused { .. } => "refused",
        }
    }

    /// Why a package was refused.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Refused { reason } => Some(reason),
            _ => None,
        }
    }
}

/// An attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// Digest of the content of the files; none where they can't be read.
    pub content: Option<String>,
    /// Digest of the package; none where it has faults.
    pub digest: Option<String>,
    /// Version of the package; none where it can't be read.
    pub version: Option<String>,
    /// How many diagnostics there are; one where it is refused without any.
    pub diagnostics: usize,
    /// The first diagnostic, or why it was refused; empty where it is active.
    pub message: String,
    /// All of it, rendered for people: rules, and nothing of a patient.
    pub report: String,
}

impl Attempt {
    fn new(at: Timestamp, outcome: Outcome) -> Self {
        Self {
            at,
            outcome,
            content: None,
            digest: None,
            version: None,
            diagnostics: 0,
            message: String::new(),
            report: String::new(),
        }
    }

    fn refused(self, reason: &'static str, message: String) -> Self {
        let outcome = Outcome::Refused { reason };
        Self { outcome, diagnostics: self.diagnostics.max(1), report: message.clone(), message, ..self }
    }
}

impl Reloader {
    /// For a package at an origin; `trust` where not every package may become
    /// active.
    #[must_use]
    pub fn new(origin: Origin, trust: Option<Trust>, active: Active) -> Self {
        Self { origin, trust, active, begun: false, last: None }
    }

    /// Where the package is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Makes an attempt. Blocks while it reads and compiles.
    pub fn attempt(&mut self) -> Attempt {
        let at = Timestamp::now();
        let (read, reading) = self.read();
        self.begun = true;
        if self.last.as_ref() == Some(&reading) {
            self.active.looked(at);
            return Attempt { content: reading.ok(), ..Attempt::new(at, Outcome::Unchanged) };
        }
        // Noted only once the attempt has an end: one that is cut off is made again.
        self.last = None;
        let attempt = match read {
            Ok(snapshot) => self.consider(snapshot, at),
            Err(error) => {
                let reason = if matches!(error, LoadError::Changing(_)) { "changing" } else { "unreadable" };
                Attempt::new(at, Outcome::Activated).refused(reason, error.to_string())
            }
        };
        // What the disk refused may be fine the next time, with the same files.
        if attempt.outcome.reason() != Some("state-file") {
            self.last = Some(reading);
        }
        self.active.tried(&attempt);
        attempt
    }

    /// Reads the files; after the first time, those that have changed until they
    /// hold still.
    fn read(&self) -> (Result<Snapshot, LoadError>, Reading) {
        let once = || {
            let read = self.origin.snapshot();
            let reading = read.as_ref().map(reading).map_err(ToString::to_string);
            (read, reading)
        };
        let mut before = once();
        for _ in 0..WAITS {
            if !self.begun || self.last.as_ref() == Some(&before.1) {
                return before;
            }
            std::thread::sleep(STILL);
            let now = once();
            if now.1 == before.1 {
                return now;
            }
            before = now;
        }
        let error = LoadError::Changing("the files change all the time".to_owned());
        let reading = Err(error.to_string());
        (Err(error), reading)
    }

    fn consider(&mut self, snapshot: Snapshot, at: Timestamp) -> Attempt {
        let content = content_digest(&snapshot.sources);
        let attempt = Attempt { content: Some(content), ..Attempt::new(at, Outcome::Activated) };
        let distrusted = |attempt: Attempt, why: &Distrust| attempt.refused(why.word(), why.to_string());
        if let Some(trust) = &self.trust
            && let Err(why) = trust.signed(&snapshot)
        {
            return distrusted(attempt, &why);
        }
        let contents = self.trust.is_some().then(|| Contents::of(&snapshot));
        let checked = check_sources(snapshot.sources, None, super::Depth::Errors);
        let version = Some(checked.package.meta.version.clone()).filter(|version| !version.is_empty());
        let attempt = Attempt { version, ..attempt };
        if checked.errors() > 0 {
            return faulty(attempt, &checked);
        }
        let ruleset = match Ruleset::from_checked(checked) {
            Ok(ruleset) => ruleset,
            Err(error) => return attempt.refused("faulty", error.to_string()),
        };
        let attempt = Attempt { digest: Some(ruleset.digest().to_owned()), ..attempt };
        if let (Some(trust), Some(contents)) = (&mut self.trust, contents)
            && let Err(why) = trust.note(ruleset.package(), &contents)
        {
            return distrusted(attempt, &why);
        }
        self.active.set(std::sync::Arc::new(ruleset));
        attempt
    }
}

/// Names the files and the signatures together: a package of which a signature
/// alone changes is another candidate.
fn reading(snapshot: &Snapshot) -> String {
    let Snapshot { sources, signature, overlay_signature, .. } = snapshot;
    format!("{} {signature:?} {overlay_signature:?}", content_digest(sources))
}

fn faulty(attempt: Attempt, checked: &Checked) -> Attempt {
    let errors = checked.diagnostics.iter().filter(|one| one.level == Level::Error);
    let newer = errors.clone().any(|one| one.code == NEWER_FORMAT);
    let reason = if newer { NEWER_FORMAT } else { "faulty" };
    let first = errors.min_by_key(|one| one.span).map_or_else(String::new, |first| {
        let place = checked.files.position(first.span);
        let place = place.map_or_else(String::new, |(file, line, column)| format!("{file}:{line}:{column}: "));
        format!("{place}{} [{}]", first.message, first.code)
    });
    let report = diag::render_first(&checked.diagnostics, &checked.files, false, SHOWN);
    Attempt { diagnostics: checked.diagnostics.len(), report, ..attempt.refused(reason, first) }
}

#[cfg(test)]
#[path = "reload_tests.rs"]
mod tests;
