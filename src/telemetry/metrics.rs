//! Metrics. Where no endpoint is set they go nowhere, and cost next to nothing.

use opentelemetry::metrics::{Counter, Meter};
use opentelemetry::{KeyValue, global};

use super::semconv;

/// Metrics of the rules package.
#[derive(Debug)]
pub struct RulesetMetrics {
    meter: Meter,
    reloads: Counter<u64>,
}

/// Age of the active package in seconds, its name, version and digest.
pub type Age = (f64, String, String, String);

impl Default for RulesetMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl RulesetMetrics {
    /// The instruments of the process.
    #[must_use]
    pub fn new() -> Self {
        let meter = global::meter(semconv::SCOPE);
        let reloads = meter
            .u64_counter(semconv::RULESET_RELOADS)
            .with_description("attempts to load the rules package, by outcome and reason")
            .with_unit("{attempt}")
            .build();
        Self { meter, reloads }
    }

    /// Counts an attempt.
    pub fn count(&self, outcome: &'static str, reason: Option<&'static str>) {
        let mut attributes = vec![KeyValue::new("outcome", outcome)];
        attributes.extend(reason.map(|reason| KeyValue::new("reason", reason)));
        self.reloads.add(1, &attributes);
    }

    /// Tells the age of the active package, which carries its name, version and
    /// digest, whenever metrics are collected.
    pub fn observe_age(&self, age: impl Fn() -> Option<Age> + Send + Sync + 'static) {
        self.meter
            .f64_observable_gauge(semconv::RULESET_AGE)
            .with_description("time since the active rules package became active")
            .with_unit("s")
            .with_callback(move |observer| {
                if let Some((seconds, name, version, digest)) = age() {
                    let attributes = [("name", name), ("version", version), ("digest", digest)]
                        .map(|(key, value)| KeyValue::new(key, value));
                    observer.observe(seconds, &attributes);
                }
            })
            .build();
    }
}
