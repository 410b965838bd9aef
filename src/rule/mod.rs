//! The rule language: its model, its reader and its checks. Nothing here runs.

pub mod model;
pub mod truth;
