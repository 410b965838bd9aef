//! Codes, concepts, quantities, dates and the patient record: what the words of a clinical record mean.
//!
//! The room a clinician reviews. It does no I/O, reads no clock, logs nothing and does not panic on input.

pub mod code;
pub mod concept;
pub mod date;
pub mod patient;
pub mod terminology;
pub mod unit;
