//! Sockets, encryption, limits, health, reflection and the end. Knows HTTP/2,
//! and nothing clinical.
//!
//! From outside in, a call passes: [`listen`] (is there room for the
//! connection?) → [`tls`] → [`connection`] (greeting, the protocol's limits,
//! age, idleness) → [`stack`], which says in one place what surrounds the
//! services → a service, which decodes at most `limits.message_bytes`.
//!
//! The end has three phases. At the first signal health says NOT_SERVING and
//! calls are still taken, so that load balancers can look elsewhere
//! (`server.drain_lead`). Then the listener closes, connections are asked to
//! end, streams and watches end, and what is in flight may finish
//! (`server.drain_deadline`). What is left then is cut. A second signal ends
//! everything at once.

mod admit;
pub mod auth;
mod call;
mod calls;
pub mod canary;
mod connection;
pub mod counts;
mod eager;
mod edge;
pub mod health;
mod inbound;
pub mod keys;
mod listen;
pub mod notify;
pub mod probe;
pub mod reload;
mod room;
mod routes;
mod ruleset_calls;
mod seldom;
mod stack;
pub mod tls;
mod wire;

use std::fmt;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::auth::Gate;
use self::connection::Terms as Connections;
use self::health::{Board, Phase};
use self::listen::accept;
pub use self::listen::bind;
use self::room::Room;
use self::tls::Tls;
use crate::api::decide::Terms;
use crate::api::recording::Recorder;
use crate::api::turns::Line;
use crate::config::{LimitSettings, ServerSettings, TlsSettings};
use crate::ruleset::Active;
use crate::telemetry::server::ConnectionMetrics;

/// How the server serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// What requests are answered with.
    pub terms: Terms,
    /// The server's settings.
    pub server: ServerSettings,
    /// Limits of the protocol.
    pub limits: LimitSettings,
    /// Encryption.
    pub tls: TlsSettings,
    /// Records what is answered.
    pub recorder: Recorder,
    /// Serve the record on an address that is not loopback too.
    pub audit_off_loopback: bool,
    /// Who may call what.
    pub gate: Gate,
    /// Let clients ask which methods there are; none: on loopback.
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

/// Serves until `stop` yields, and then drains; `stop` is asked again for the
/// second signal. Health becomes SERVING when the caller says so on `board`.
/// With `tls`, connections are encrypted.
///
/// # Errors
/// Where reflection can't be built.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    active: Active,
    board: Board,
    options: Options,
    mut stop: impl AsyncFnMut(),
) -> Result<End, ServeError> {
    let (drain, draining) = watch::channel(false);
    let loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    let routes = routes::routes(&active, &board, &options, draining.clone(), loopback)?;
    let terms = Connections {
        builder: connection::builder(&options.server, &options.limits),
        stack: stack::stack(routes.prepare(), &options, draining.clone()),
        tls: tls.map(|tls| (tls, options.tls.handshake_timeout)),
        settings: Arc::new(options.server.clone()),
        control_frames: options.limits.control_frames,
        line: Line::new(std::thread::available_parallelism().map_or(1, usize::from)),
        draining,
    };
    let room = Room::new(options.server.max_connections, options.server.max_connections_per_peer);
    let metrics = ConnectionMetrics::new();
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(&listener, &terms, &room, &metrics, &mut connections) => {}
        () = stop() => {}
    }
    board.enter(Phase::Leaving);
    tracing::info!("shutting down");
    let drained = async {
        tokio::select! {
            () = accept(&listener, &terms, &room, &metrics, &mut connections) => {}
            () = tokio::time::sleep(options.server.drain_lead) => {}
        }
        board.enter(Phase::Draining);
        drop(listener);
        drain.send_replace(true);
        let finished = async { while connections.join_next().await.is_some() {} };
        match tokio::time::timeout(options.server.drain_deadline, finished).await {
            Ok(()) => End::Drained,
            Err(_) => End::Cut,
        }
    };
    Ok(tokio::select! {
        ended = drained => ended,
        () = stop() => End::Forced,
    })
}
