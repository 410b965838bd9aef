//! Sockets, limits, health, reflection and the end. Knows HTTP/2, and nothing
//! clinical.
//!
//! From outside in, a call passes: the transport's own limits (streams, header
//! list, frames, keepalive; set here one by one, since some of the library's
//! defaults are none) → [`edge`] (observe, panics, deadline, words) → a
//! service, which decodes at most `limits.message_bytes`.
//!
//! The end has three phases. At the first signal health says NOT_SERVING and
//! calls are still taken, so that load balancers can look elsewhere
//! (`server.drain_lead`). Then the listener closes, streams and watches end,
//! and what is in flight may finish (`server.drain_deadline`). What is left
//! then is cut. A second signal ends everything at once.

mod accept;
pub mod auth;
mod call;
pub mod canary;
pub mod counts;
pub mod edge;
pub mod health;
pub mod keys;
pub mod reload;
mod ruleset_calls;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::pb::health_server::HealthServer;

use self::accept::Accepting;
use self::auth::{AuthLayer, Gate};
use self::edge::EdgeLayer;
use self::health::{Board, Phase};
use self::ruleset_calls::RulesetCalls;
use crate::api::DESCRIPTOR_SET;
use crate::api::audit::service::AuditCalls;
use crate::api::decide::Terms;
use crate::api::decision_service::Decisions;
use crate::api::proto::audit_service_server::AuditServiceServer;
use crate::api::proto::decision_service_server::DecisionServiceServer;
use crate::api::proto::ruleset_service_server::RulesetServiceServer;
use crate::api::recording::Recorder;
use crate::api::ruleset_service::Rules;
use crate::ruleset::Active;

/// Shown where the record is served.
const AUDIT: &str = "concord.v1.AuditService";

/// Services that reflection shows: the public ones.
const PUBLIC: &[&str] = &["concord.v1.DecisionService", "concord.v1.RulesetService", "grpc.health.v1.Health"];

/// A connection that is silent this long is asked whether it lives.
const KEEPALIVE_INTERVAL: Duration = Duration::from_mins(1);

/// It must answer in this time.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Time that a connection has to say that it speaks HTTP/2. Shorter than the
/// default of `server.drain_deadline`, which a silent one would use up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Age at which a connection is asked to come again, so that load spreads over
/// replicas that joined later. No grace period is set: with one, the library
/// cuts the connection instead of asking.
const CONNECTION_AGE: Duration = Duration::from_mins(30);

/// Bytes of a frame: the protocol's smallest maximum.
const FRAME_BYTES: u32 = 16 * 1024;

/// Bytes in flight of one stream: a message of the default limit fits.
const STREAM_WINDOW: u32 = 512 * 1024;

/// Bytes in flight of one connection.
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;

/// Streams reset by the caller before they were accepted.
const PENDING_RESETS: usize = 20;

/// Streams reset by the server for the caller's errors, before the connection
/// ends.
const ERROR_RESETS: usize = 1024;

/// How the server serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// What requests are answered with.
    pub terms: Terms,
    /// Bytes of metadata.
    pub metadata_bytes: u32,
    /// Concurrent streams of one connection.
    pub streams: u32,
    /// Longest time that a unary call may take.
    pub deadline_max: Duration,
    /// Time between NOT_SERVING and the end of the listener.
    pub drain_lead: Duration,
    /// Time that calls in flight then have.
    pub drain_deadline: Duration,
    /// Records what is answered.
    pub recorder: Recorder,
    /// Serve the record on an address that is not loopback too.
    pub audit_off_loopback: bool,
    /// Who may call.
    pub gate: Gate,
    /// Let clients ask which methods there are; none: on loopback addresses.
    pub reflection: Option<bool>,
}

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every call was answered.
    Drained,
    /// `server.drain_deadline` passed with calls in flight.
    Cut,
    /// A second signal.
    Forced,
}

/// Why the server could not serve.
#[derive(Debug)]
pub struct ServeError(String);

impl fmt::Display for ServeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for ServeError {}

/// Binds the listener. Whoever can reach a plaintext listener can read the
/// records that pass it, so any address but loopback must be asked for.
///
/// # Errors
/// Where the address is not loopback and plaintext is not allowed there, or
/// where it can't be bound.
pub async fn bind(address: SocketAddr, allow_plaintext_off_loopback: bool) -> Result<TcpListener, ServeError> {
    if !address.ip().is_loopback() {
        if !allow_plaintext_off_loopback {
            return Err(ServeError(format!(
                "server.grpc_addr: {address} is not a loopback address, and there is no TLS: records would pass in \
                 clear; set server.allow_plaintext_off_loopback where something in front encrypts"
            )));
        }
        tracing::warn!(%address, "records pass in clear: this listener is plaintext and not on loopback");
    }
    TcpListener::bind(address).await.map_err(|error| ServeError(format!("server.grpc_addr: {address}: {error}")))
}

/// Serves until `stop` yields, and then drains; `stop` is asked again for the
/// second signal. Health becomes SERVING when the caller says so on `board`.
///
/// # Errors
/// Where the transport fails or reflection can't be built.
pub async fn serve(
    listener: TcpListener,
    active: Active,
    board: Board,
    options: Options,
    mut stop: impl AsyncFnMut(),
) -> Result<End, ServeError> {
    let (drain, draining) = watch::channel(false);
    let (close, closed) = oneshot::channel::<()>();
    let loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let routes = routes(&active, &board, &options, draining, loopback)?;
    let mut transport = transport(&options)
        .layer(EdgeLayer { deadline_max: options.deadline_max, recorder: options.recorder.clone() })
        .layer(AuthLayer(options.gate.clone()));
    let serving =
        transport.add_routes(routes).serve_with_incoming_shutdown(Accepting::new(listener, PATIENCE), async move {
            // An error means that the sender is gone: the same as its word.
            let _ = closed.await;
        });
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended.map(|()| End::Drained).map_err(|error| transport_error(&error)),
        () = stop() => {}
    }
    board.enter(Phase::Leaving);
    tracing::info!("shutting down");
    let drained = async {
        tokio::select! {
            ended = &mut serving => return ended.map(|()| End::Drained).map_err(|error| transport_error(&error)),
            () = tokio::time::sleep(options.drain_lead) => {}
        }
        board.enter(Phase::Draining);
        drain.send_replace(true);
        let _ = close.send(());
        match tokio::time::timeout(options.drain_deadline, &mut serving).await {
            Ok(ended) => ended.map(|()| End::Drained).map_err(|error| transport_error(&error)),
            Err(_) => Ok(End::Cut),
        }
    };
    tokio::select! {
        ended = drained => ended,
        () = stop() => Ok(End::Forced),
    }
}

fn transport_error(error: &tonic::transport::Error) -> ServeError {
    ServeError(format!("the transport failed: {error}"))
}

fn transport(options: &Options) -> Server {
    Server::builder()
        .max_concurrent_streams(options.streams)
        .http2_max_header_list_size(options.metadata_bytes)
        .max_frame_size(FRAME_BYTES)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .http2_adaptive_window(Some(false))
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS))
        .http2_max_local_error_reset_streams(Some(ERROR_RESETS))
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .max_connection_age(CONNECTION_AGE)
        .accept_http1(false)
}

/// Responses may be compressed, requests not: a small message that unpacks to
/// a large one costs its sender nothing.
fn routes(
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
    let mut routes = Routes::new(decisions).add_service(rules);
    if let Some(audit) = audit {
        routes = routes.add_service(audit);
    }
    routes = routes.add_service(health);
    if options.reflection.unwrap_or(loopback) {
        routes = routes.add_service(v1).add_service(v1alpha);
    }
    Ok(routes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_plaintext_listener_off_loopback_must_be_asked_for() {
        let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
        let error = bind(everywhere, false).await.unwrap_err().to_string();
        assert!(error.contains("server.allow_plaintext_off_loopback"), "{error}");
        assert!(bind(everywhere, true).await.is_ok());
        assert!(bind("127.0.0.1:0".parse().unwrap(), false).await.is_ok());
    }
}
