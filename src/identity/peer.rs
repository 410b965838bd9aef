//! The other end of a connection, as the transport knows it.

use std::net::SocketAddr;
use std::sync::Arc;

/// Rides on every request of the connection.
#[derive(Clone)]
pub struct Peer {
    /// Its address; none where it came over a socket of the file system.
    pub address: Option<SocketAddr>,
    /// The certificates that it presented, in DER, its own first. TLS has
    /// verified the chain; empty where there is no TLS or none was presented.
    pub certificates: Arc<[Vec<u8>]>,
    /// Is the connection encrypted by this server?
    pub tls: bool,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Peer({} certificates)", self.certificates.len())
    }
}
