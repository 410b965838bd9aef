//! The listener: who may listen where, and who gets in.

use std::net::SocketAddr;
use std::time::Duration;

use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::ServeError;
use super::connection::{Terms, connection};
use super::room::{Full, Room};
use super::seldom::Seldom;
use crate::telemetry::server::ConnectionMetrics;

/// Pause after a failed accept. Without it a process out of file descriptors
/// spins, since the connection that can't be accepted stays in the queue.
const BACK_OFF: Duration = Duration::from_millis(100);

/// The listener: the socket that a service manager has passed, else one bound
/// to `address`. Whoever can reach a plaintext listener can read the
/// records that pass it, so any address but loopback must be asked for.
///
/// # Errors
/// Where the address is not loopback, there is no TLS and plaintext is not
/// allowed there, where it can't be bound, or where more than one socket was
/// passed.
pub async fn bind(address: SocketAddr, tls: bool, allow_plaintext: bool) -> Result<TcpListener, ServeError> {
    if let Some(listener) = passed()? {
        let failed = |error| ServeError(format!("the socket that was passed: {error}"));
        may_listen(listener.local_addr().map_err(failed)?, tls, allow_plaintext)?;
        return Ok(listener);
    }
    may_listen(address, tls, allow_plaintext)?;
    TcpListener::bind(address).await.map_err(|error| ServeError(format!("server.grpc_addr: {address}: {error}")))
}

/// The socket that systemd passes to a unit with a `.socket` beside it.
fn passed() -> Result<Option<TcpListener>, ServeError> {
    let failed = |error| ServeError(format!("LISTEN_FDS: {error}"));
    let mut sockets = ListenFd::from_env();
    match sockets.len() {
        0 => return Ok(None),
        1 => {}
        count => return Err(ServeError(format!("LISTEN_FDS: {count} sockets were passed, and one is used"))),
    }
    let Some(listener) = sockets.take_tcp_listener(0).map_err(failed)? else { return Ok(None) };
    listener.set_nonblocking(true).map_err(failed)?;
    TcpListener::from_std(listener).map(Some).map_err(failed)
}

fn may_listen(address: SocketAddr, tls: bool, allow_plaintext: bool) -> Result<(), ServeError> {
    if tls || address.ip().is_loopback() {
        return Ok(());
    }
    if !allow_plaintext {
        return Err(ServeError(format!(
            "server.grpc_addr: {address} is not a loopback address, and there is no TLS: records would pass in clear; \
             set tls.cert_file and tls.key_file, or server.allow_plaintext_off_loopback where something in front \
             encrypts"
        )));
    }
    tracing::warn!(%address, "records pass in clear: this listener is plaintext and not on loopback");
    Ok(())
}

/// Accepts connections until it is dropped, and waits where it can't. Those
/// that it accepted live on in `connections`.
pub(super) async fn accept(
    listener: &TcpListener,
    terms: &Terms,
    room: &Room,
    metrics: &ConnectionMetrics,
    connections: &mut JoinSet<()>,
) {
    let failed = Seldom::default();
    let full = Seldom::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // What ended is let go of.
            Some(_) = connections.join_next() => continue,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if let Some(times) = failed.tells() {
                    tracing::warn!(kind = %error.kind(), times, "connections could not be accepted");
                }
                sleep(BACK_OFF).await;
                continue;
            }
        };
        let place = match room.take(address.ip()) {
            Ok(place) => place,
            Err(why) => {
                let reason = match why {
                    Full::Of => "max_connections",
                    Full::OfPeer => "max_connections_per_peer",
                };
                metrics.turned_away(reason);
                if let Some(times) = full.tells() {
                    tracing::warn!(reason, times, "connections were closed at once: there are as many as may be");
                }
                continue;
            }
        };
        let (terms, metrics) = (terms.clone(), metrics.clone());
        connections.spawn(async move {
            metrics.opened();
            let reason = connection(terms, stream, address).await;
            metrics.closed(reason);
            tracing::debug!(reason, "connection ended");
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_plaintext_listener_off_loopback_must_be_asked_for() {
        let everywhere: SocketAddr = "0.0.0.0:0".parse().unwrap();
        let error = bind(everywhere, false, false).await.unwrap_err().to_string();
        for key in ["tls.cert_file", "tls.key_file", "server.allow_plaintext_off_loopback"] {
            assert!(error.contains(key), "{error}");
        }
        assert!(bind(everywhere, false, true).await.is_ok());
        assert!(bind(everywhere, true, false).await.is_ok());
        assert!(bind("127.0.0.1:0".parse().unwrap(), false, false).await.is_ok());
    }
}
