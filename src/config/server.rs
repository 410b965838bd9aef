//! The server and its encryption.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::settings::{Unfit, length};

/// The server.
#[derive(Clone, Debug, Deserialize)]
pub struct ServerSettings {
    /// Address of the gRPC listener.
    pub grpc_addr: SocketAddr,
    /// Listen without TLS on an address that is not loopback.
    pub allow_plaintext_off_loopback: bool,
    /// Let clients ask which methods there are.
    pub reflection: Reflection,
    /// Answer gRPC-Web too.
    pub grpc_web: bool,
    /// Connections in all.
    pub max_connections: u32,
    /// Connections of one peer.
    pub max_connections_per_peer: u32,
    /// Time that a connection has to say that it speaks HTTP/2.
    #[serde(deserialize_with = "length")]
    pub preface_timeout: Duration,
    /// Age at which a connection is asked to come again, give or take a tenth.
    #[serde(deserialize_with = "length")]
    pub connection_age: Duration,
    /// Time that its calls then have.
    #[serde(deserialize_with = "length")]
    pub connection_grace: Duration,
    /// Time without a call after which a connection is closed.
    #[serde(deserialize_with = "length")]
    pub connection_idle: Duration,
    /// Time after which a connection is asked whether it lives.
    #[serde(deserialize_with = "length")]
    pub keepalive_interval: Duration,
    /// Time that it has to say so.
    #[serde(deserialize_with = "length")]
    pub keepalive_timeout: Duration,
    /// Time that a caller has to take an answer.
    #[serde(deserialize_with = "length")]
    pub send_timeout: Duration,
    /// Longest time that a unary call may take.
    #[serde(deserialize_with = "length")]
    pub deadline_max: Duration,
    /// A call with less time than this is not begun.
    #[serde(deserialize_with = "length")]
    pub deadline_floor: Duration,
    /// Time between NOT_SERVING and the end of the listener.
    #[serde(deserialize_with = "length")]
    pub drain_lead: Duration,
    /// Time that calls in flight then have.
    #[serde(deserialize_with = "length")]
    pub drain_deadline: Duration,
}

/// Where clients may ask which methods there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reflection {
    /// On loopback addresses.
    Auto,
    /// Everywhere.
    On,
    /// Nowhere.
    Off,
}

impl ServerSettings {
    pub(super) fn check(&self) -> Result<(), Unfit> {
        let lengths = [
            ("server.deadline_max", self.deadline_max),
            ("server.preface_timeout", self.preface_timeout),
            ("server.connection_age", self.connection_age),
            ("server.connection_idle", self.connection_idle),
            ("server.keepalive_interval", self.keepalive_interval),
            ("server.keepalive_timeout", self.keepalive_timeout),
            ("server.send_timeout", self.send_timeout),
        ];
        if let Some((key, _)) = lengths.into_iter().find(|(_, length)| length.is_zero()) {
            return Err(Unfit { key, wanted: "more than nothing" });
        }
        let counts = [
            ("server.max_connections", self.max_connections),
            ("server.max_connections_per_peer", self.max_connections_per_peer),
        ];
        if let Some((key, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(Unfit { key, wanted: "1 or more" });
        }
        if self.deadline_floor >= self.deadline_max {
            return Err(Unfit { key: "server.deadline_floor", wanted: "less than server.deadline_max" });
        }
        Ok(())
    }
}

/// Must clients show a certificate?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// They are not asked for one.
    #[default]
    None,
    /// Where they show one, it must be good.
    Optional,
    /// They must.
    Required,
}

/// Encryption of the gRPC listener.
#[derive(Clone, Debug, Deserialize)]
pub struct TlsSettings {
    /// The server's certificate and those above it, PEM.
    pub cert_file: Option<PathBuf>,
    /// Its key, PEM.
    pub key_file: Option<PathBuf>,
    /// Certificates that clients' are signed with, PEM.
    pub client_ca_file: Option<PathBuf>,
    /// Must clients show a certificate?
    pub client_auth: ClientAuth,
    /// Time that a handshake may take.
    #[serde(deserialize_with = "length")]
    pub handshake_timeout: Duration,
    /// Time between two looks at the files.
    #[serde(deserialize_with = "length")]
    pub poll: Duration,
}

/// Files of the certificates, where there is TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and those above it.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Certificates that clients' are signed with, and whether each client must
    /// show one.
    pub clients: Option<(PathBuf, bool)>,
}

impl TlsSettings {
    /// The files; none: the listener is plaintext.
    #[must_use]
    pub fn files(&self) -> Option<TlsFiles> {
        let must = self.client_auth == ClientAuth::Required;
        Some(TlsFiles {
            cert: self.cert_file.clone()?,
            key: self.key_file.clone()?,
            clients: self.client_ca_file.clone().map(|path| (path, must)),
        })
    }

    /// Encryption that is set in part protects nothing, and is thought to.
    pub(super) fn check(&self, server: &ServerSettings) -> Result<(), Unfit> {
        let unfit = |key, wanted| Err(Unfit { key, wanted });
        for (key, length) in [("tls.handshake_timeout", self.handshake_timeout), ("tls.poll", self.poll)] {
            if length.is_zero() {
                return unfit(key, "more than nothing");
            }
        }
        let asks = self.client_auth != ClientAuth::None;
        match (&self.cert_file, &self.key_file) {
            (None, Some(_)) => return unfit("tls.cert_file", "set where tls.key_file is"),
            (Some(_), None) => return unfit("tls.key_file", "set where tls.cert_file is"),
            (None, None) if asks => return unfit("tls.cert_file", "set where tls.client_auth is not none"),
            (None, None) if self.client_ca_file.is_some() => {
                return unfit("tls.cert_file", "set where tls.client_ca_file is");
            }
            (Some(_), Some(_)) if server.allow_plaintext_off_loopback => {
                let wanted = "false where tls.cert_file is set: nothing would be plaintext";
                return unfit("server.allow_plaintext_off_loopback", wanted);
            }
            _ => {}
        }
        match &self.client_ca_file {
            None if asks => unfit("tls.client_ca_file", "set where tls.client_auth is not none"),
            Some(_) if !asks => unfit("tls.client_auth", "optional or required where tls.client_ca_file is set"),
            _ => Ok(()),
        }
    }
}
