//! The services.

use tokio::sync::watch;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;

use super::health::Board;
use super::ruleset_calls::RulesetCalls;
use super::{Options, ServeError};
use crate::api::DESCRIPTOR_SET;
use crate::api::audit::service::AuditCalls;
use crate::api::decision_service::Decisions;
use crate::api::proto::audit_service_server::AuditServiceServer;
use crate::api::proto::decision_service_server::DecisionServiceServer;
use crate::api::proto::ruleset_service_server::RulesetServiceServer;
use crate::api::ruleset_service::Rules;
use crate::ruleset::Active;

/// Shown where the record is served.
const AUDIT: &str = "concord.v1.AuditService";

/// Services that reflection shows: the public ones.
const PUBLIC: &[&str] = &["concord.v1.DecisionService", "concord.v1.RulesetService", "grpc.health.v1.Health"];

/// Responses may be compressed, requests not: a small message that unpacks to
/// a large one costs its sender nothing.
pub(super) fn routes(
    active: &Active,
    board: &Board,
    options: &Options,
    draining: watch::Receiver<bool>,
    loopback: bool,
) -> Result<Routes, ServeError> {
    let limits = options.terms.limits;
    let decisions = Decisions::new(active.clone(), options.terms.clone(), options.recorder.clone(), draining);
    let decisions = DecisionServiceServer::new(decisions)
        .max_decoding_message_size(limits.message_bytes)
        .send_compressed(CompressionEncoding::Gzip);
    let rules = |bytes| {
        RulesetServiceServer::new(Rules::new(active.clone(), limits))
            .max_decoding_message_size(bytes)
            .send_compressed(CompressionEncoding::Gzip)
    };
    let rules = RulesetCalls::new(rules(limits.message_bytes), rules(limits.ruleset_bytes));
    // Whoever reaches the listener could read every record, where callers need no name.
    let shown = options.recorder.keeps() && (loopback || options.audit_off_loopback || options.gate.is_guarded());
    if options.recorder.keeps() && !shown {
        tracing::info!("the record is not served off loopback; audit.serve_off_loopback would do so");
    }
    let audit = shown.then(|| {
        AuditServiceServer::new(AuditCalls::new(options.recorder.clone(), active.clone(), limits))
            .max_decoding_message_size(limits.message_bytes)
            .send_compressed(CompressionEncoding::Gzip)
    });
    let health = HealthServer::new(board.service()).max_decoding_message_size(limits.message_bytes);
    let reflection = || {
        shown.then_some(AUDIT).into_iter().chain(PUBLIC.iter().copied()).fold(
            tonic_reflection::server::Builder::configure()
                // Encoded, or the custom option `rules` would be lost.
                .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
                // So that clients can read error details, which no method names.
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET),
            tonic_reflection::server::Builder::with_service_name,
        )
    };
    let reflection_error = |error| ServeError(format!("reflection: {error}"));
    // Old tools ask the one, new tools the other.
    let v1 = reflection().build_v1().map_err(reflection_error)?;
    let v1alpha = reflection().build_v1alpha().map_err(reflection_error)?;
    let mut routes = Routes::new(decisions).add_service(rules).add_service(health);
    if let Some(audit) = audit {
        routes = routes.add_service(audit);
    }
    // Elsewhere the descriptor set is to be had as a file.
    if options.reflection.unwrap_or(loopback) {
        routes = routes.add_service(v1).add_service(v1alpha);
    }
    Ok(routes)
}
