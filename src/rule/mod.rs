//! The rule language: its model, its reader and its checks. Nothing here runs.

pub mod check;
pub mod disorder;
pub mod ledger;
pub mod model;
pub mod overlay;
pub mod parameter;
pub mod read;
pub mod schema;
pub mod shape;
pub mod template;
pub mod truth;
pub mod yaml;
