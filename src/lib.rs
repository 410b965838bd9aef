//! Concord: decision support for people with opioid use disorder and a co-occurring mental health disorder.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod clinical;
pub mod diag;
pub mod engine;
pub mod rule;
pub mod ruleset;
