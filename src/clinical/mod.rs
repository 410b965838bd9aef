//! Codes, concepts and quantities: what the words of a clinical record mean.
//!
//! This room does no I/O, reads no clock, logs nothing and does not panic on input.

pub mod code;
pub mod concept;
pub mod terminology;
pub mod unit;
