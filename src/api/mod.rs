//! Protobuf to domain and back: with [`crate::server`], which serves it, the
//! only room that knows `prost` and `tonic` types. After [`request`] there is
//! no unchecked value, before [`answer`] no wire type.

pub mod answer;
pub mod audit;
pub mod decide;
pub mod decision_service;
pub mod descriptors;
pub mod differ;
pub mod json;
pub mod limits;
pub mod observe;
pub mod patient_schema;
mod rationale;
mod record;
pub mod recording;
pub mod refusal;
pub mod request;
mod ruleset_answer;
pub mod ruleset_service;
pub mod status;
mod text;
pub mod turns;
pub mod yaml;

/// Messages and services of `concord.v1`, generated from `proto/`.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    reason = "generated; its documentation is that of the .proto files"
)]
pub mod proto {
    tonic::include_proto!("concord.v1");
    // Their `Debug`, which prints nothing of their content.
    include!(concat!(env!("OUT_DIR"), "/debug.rs"));
}

/// The encoded descriptor set of `concord.v1` with its imports, comments and
/// custom options.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/concord.bin"));
