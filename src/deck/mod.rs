//! A deck: patients with what a good answer must and must not contain, and what
//! they prove about a package.
//!
//! [`read`] makes cases of files, [`run`] holds a package against them,
//! [`coverage`] says which rules and clauses no case shows.

mod claim;
pub mod coverage;
mod expect;
mod export;
mod judge;
pub mod mutate;
pub mod proofs;
mod read;
pub mod run;
pub mod suggest;

use serde_json::Value;

use crate::api::request::Evaluation;
use crate::diag::{Files, Span};

pub use claim::{AlertPattern, Claim, Expectation};
pub use export::{FORMAT, export};
pub use judge::{Found, truth_word};
pub use read::{read, read_patients};

/// The cases of some files, in the order of the files' names.
#[derive(Debug, Default)]
pub struct Deck {
    /// The files.
    pub files: Files,
    /// The cases.
    pub cases: Vec<Case>,
}

/// A patient, and what is expected of the answer.
#[derive(Debug)]
pub struct Case {
    /// Id, unique in a deck.
    pub id: String,
    /// Title.
    pub title: String,
    /// Tags, those of its file among them.
    pub tags: Vec<String>,
    /// Where it is written: its id.
    pub span: Span,
    /// The instant of the evaluation, as written.
    pub as_of: String,
    /// Are drafts asked for?
    pub drafts: bool,
    /// The patient as JSON.
    pub patient: Value,
    /// The patient as read; none where the request is refused.
    pub evaluation: Option<Evaluation>,
    /// What is expected and does not hold before any rule is asked: of a request
    /// that is refused, or should be.
    pub refusal: Vec<Found>,
    /// What is expected of the answer.
    pub expectations: Vec<Expectation>,
    /// What is expected is written down. Else the case waits for a clinician.
    pub labeled: bool,
}
