//! One connection: handshake, greeting, calls, and its end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic::body::Body;
use tower::Service as _;

use super::calls::Calls;
use super::eager::Eager;
use super::stack::Stack;
use super::tls::Tls;
use super::wire::Wire;
use crate::api::turns::Line;
use crate::config::{LimitSettings, ServerSettings};
use crate::identity::Peer;

/// Time that a connection without calls has to end when it is asked to. One
/// that does not answer would otherwise hold up the end of the server.
const FAREWELL: Duration = Duration::from_secs(3);

/// Header fields of a request of HTTP/1.1.
const HTTP1_HEADERS: usize = 100;

/// What connections of a listener have in common.
#[derive(Clone)]
pub(super) struct Terms {
    pub(super) builder: Builder<Eager>,
    pub(super) stack: Stack,
    pub(super) tls: Option<(Tls, Duration)>,
    pub(super) settings: Arc<ServerSettings>,
    /// Frames a second that ask for nothing.
    pub(super) control_frames: u32,
    pub(super) line: Line,
    pub(super) draining: watch::Receiver<bool>,
}

/// Every limit of the protocols, set here one by one: of some of them the
/// libraries' own value is none.
pub(super) fn builder(server: &ServerSettings, limits: &LimitSettings) -> Builder<Eager> {
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let mut builder = Builder::new(Eager);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.metadata_bytes)
        .max_frame_size(limits.frame_bytes)
        .adaptive_window(false)
        .initial_stream_window_size(limits.stream_window_bytes)
        .initial_connection_window_size(limits.connection_window_bytes)
        .max_send_buf_size(count(limits.send_buffer_bytes))
        .max_pending_accept_reset_streams(count(limits.pending_resets))
        .max_local_error_reset_streams(count(limits.error_resets))
        .keep_alive_interval(server.keepalive_interval)
        .keep_alive_timeout(server.keepalive_timeout);
    if !server.grpc_web {
        return builder.http2_only();
    }
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(server.preface_timeout)
        .max_headers(HTTP1_HEADERS)
        .max_buf_size(count(limits.metadata_bytes).max(8192));
    builder
}

/// Why a connection ended, for metrics.
pub(super) type Reason = &'static str;

/// Serves a connection to its end.
pub(super) async fn connection(terms: Terms, stream: TcpStream, address: SocketAddr) -> Reason {
    // Answers are small: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let Some((tls, patience)) = &terms.tls else {
        let peer = Peer { address: Some(address), certificates: Arc::new([]), tls: false };
        return serve(&terms, stream, peer).await;
    };
    let mut draining = terms.draining.clone();
    let accepted = tokio::select! {
        accepted = timeout(*patience, tls.acceptor().accept(stream)) => accepted,
        _ = draining.wait_for(|draining| *draining) => return "draining",
    };
    match accepted {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
            let certificates = shown.iter().map(|certificate| certificate.as_ref().to_vec()).collect();
            let peer = Peer { address: Some(address), certificates, tls: true };
            serve(&terms, stream, peer).await
        }
        Ok(Err(error)) => {
            // The kind alone: the text may quote what was sent.
            tracing::debug!(kind = %error.kind(), "a handshake failed");
            "handshake"
        }
        Err(_) => "handshake_timeout",
    }
}

async fn serve<S>(terms: &Terms, stream: S, peer: Peer) -> Reason
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let settings = &terms.settings;
    let calls = Calls::new();
    let (stack, open) = (terms.stack.clone(), calls.clone());
    let turns = terms.line.turns();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        request.extensions_mut().insert(Arc::new(open.open()));
        request.extensions_mut().insert(turns.clone());
        let answer = stack.clone().call(request);
        async move { answer.await.map_err(|never: Infallible| -> io::Error { match never {} }) }
    });
    let wire = Wire::new(stream, settings.preface_timeout, terms.control_frames);
    let mut serving = std::pin::pin!(terms.builder.serve_connection(TokioIo::new(wire.clone()), service));
    let mut draining = terms.draining.clone();
    let asked = tokio::select! {
        ended = wire.driven(serving.as_mut()) => return if ended.is_ok() { "closed" } else { "failed" },
        () = sleep(about(settings.connection_age)) => "age",
        () = calls.idle(settings.connection_idle) => "idle",
        () = calls.stalled(settings.send_timeout) => return "stalled",
        _ = draining.wait_for(|draining| *draining) => "draining",
    };
    serving.as_mut().graceful_shutdown();
    tokio::select! {
        _ = wire.driven(serving.as_mut()) => asked,
        // The end of the server has a bound of its own.
        () = sleep(settings.connection_grace), if asked != "draining" => "cut",
        () = calls.idle(FAREWELL) => asked,
        () = calls.stalled(settings.send_timeout) => "stalled",
    }
}

/// A tenth more or less, so that connections that began together don't end
/// together.
fn about(time: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX);
    time.mul_f64(0.9 + 0.2 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_differ_by_a_tenth_at_most() {
        let ages: Vec<_> = (0..100).map(|_| about(Duration::from_secs(100)).as_secs()).collect();
        assert!(ages.iter().all(|age| (90..=110).contains(age)), "{ages:?}");
        assert!(ages.iter().any(|age| *age != ages[0]), "{ages:?}");
    }
}
