//! From a patient to an explained decision.
//!
//! A pure function of patient, instant and package: no clock, no randomness,
//! no I/O, no logging. [`compile`] makes a package into a [`program`];
//! [`ground`] turns a record into truth values of its atoms; [`evaluate`]
//! computes the formulas; [`assemble`] puts the answer together.

pub mod assemble;
pub mod compile;
pub mod decision;
pub mod describe;
pub mod evaluate;
pub mod ground;
pub mod program;
mod statement;
