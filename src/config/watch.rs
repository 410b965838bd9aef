//! Settings of what watches the service: the listener for probes and metrics,
//! and the canary patients.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use super::settings::length;

/// Probes and metrics over HTTP.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct AdminSettings {
    /// Address of the listener; none: there is none.
    pub addr: Option<SocketAddr>,
}

/// Canary patients.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct CanarySettings {
    /// Time between two evaluations of them; nothing: there are none.
    #[serde(deserialize_with = "length")]
    pub interval: Duration,
}
