//! Metrics of connections and of what the edge refuses.

use opentelemetry::metrics::{Counter, UpDownCounter};
use opentelemetry::{KeyValue, global};

use super::semconv;

/// Certificates.
#[derive(Debug)]
pub struct TlsMetrics {
    reloads: Counter<u64>,
}

impl Default for TlsMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl TlsMetrics {
    /// The instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        let reloads = global::meter(semconv::SCOPE)
            .u64_counter(semconv::TLS_RELOADS)
            .with_description("certificates that were replaced or could not be, by outcome")
            .with_unit("{attempt}")
            .build();
        Self { reloads }
    }

    /// Counts an attempt: `activated` or `refused`.
    pub fn count(&self, outcome: &'static str) {
        self.reloads.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}

/// Connections.
#[derive(Clone, Debug)]
pub struct ConnectionMetrics {
    open: UpDownCounter<i64>,
    ended: Counter<u64>,
}

impl Default for ConnectionMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl ConnectionMetrics {
    /// The instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        let meter = global::meter(semconv::SCOPE);
        Self {
            open: meter
                .i64_up_down_counter(semconv::CONNECTIONS)
                .with_description("connections that are open")
                .with_unit("{connection}")
                .build(),
            ended: meter
                .u64_counter(semconv::CONNECTIONS_ENDED)
                .with_description("connections that ended, by reason")
                .with_unit("{connection}")
                .build(),
        }
    }

    /// One more.
    pub fn opened(&self) {
        self.open.add(1, &[]);
    }

    /// One less.
    pub fn closed(&self, reason: &'static str) {
        self.open.add(-1, &[]);
        self.turned_away(reason);
    }

    /// One that never was.
    pub fn turned_away(&self, reason: &'static str) {
        self.ended.add(1, &[KeyValue::new("reason", reason)]);
    }
}

/// Calls, as admission sees them.
#[derive(Debug)]
pub struct CallMetrics {
    shed: Counter<u64>,
}

impl Default for CallMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl CallMetrics {
    /// The instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        let shed = global::meter(semconv::SCOPE)
            .u64_counter(semconv::CALLS_SHED)
            .with_description("calls that were refused because there was as much work as may be")
            .with_unit("{call}")
            .build();
        // There from the start, so that a rate sees the first one too.
        shed.add(0, &[]);
        Self { shed }
    }

    /// One more.
    pub fn shed(&self) {
        self.shed.add(1, &[]);
    }
}
