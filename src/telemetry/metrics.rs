//! Metrics of the rules package, the audit log and the process. Where nothing
//! collects them they go nowhere, and cost next to nothing.

use std::sync::OnceLock;

use opentelemetry::metrics::{Counter, Meter};
use opentelemetry::{KeyValue, global};

use super::semconv;

/// Counts an attempt to read the keys of tokens.
pub fn count_key_load(fine: bool) {
    static LOADS: OnceLock<Counter<u64>> = OnceLock::new();
    let loads = LOADS.get_or_init(|| {
        global::meter(semconv::SCOPE)
            .u64_counter(semconv::KEY_LOADS)
            .with_description("attempts to read the keys that tokens are verified with, by outcome")
            .with_unit("{attempt}")
            .build()
    });
    loads.add(1, &[KeyValue::new("outcome", if fine { "loaded" } else { "failed" })]);
}

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

/// What the audit log has done since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AuditFigures {
    /// Entries that became durable.
    pub entries: u64,
    /// Commits that made them so.
    pub commits: u64,
    /// Seconds that these took.
    pub commit_seconds: f64,
    /// Entries that could not be written, because the store does not work.
    pub failed: u64,
    /// Entries that found no place in the queue in time.
    pub busy: u64,
    /// Entries that wait to be durable.
    pub waiting: u64,
    /// Seconds that the oldest of them has waited.
    pub lag_seconds: f64,
}

/// Tells the figures of the audit log whenever metrics are collected.
pub fn observe_audit(figures: impl Fn() -> AuditFigures + Clone + Send + Sync + 'static) {
    let meter = global::meter(semconv::SCOPE);
    let count = |name: &'static str, about: &'static str, unit: &'static str| {
        meter.u64_observable_counter(name).with_description(about).with_unit(unit)
    };
    let read = figures.clone();
    count(semconv::AUDIT_ENTRIES, "audit entries that became durable", "{entry}")
        .with_callback(move |observer| observer.observe(read().entries, &[]))
        .build();
    let read = figures.clone();
    count(semconv::AUDIT_COMMITS, "commits of the audit log", "{commit}")
        .with_callback(move |observer| observer.observe(read().commits, &[]))
        .build();
    let read = figures.clone();
    count(semconv::AUDIT_NOT_RECORDED, "audit entries that were not written: their calls got no answer", "{entry}")
        .with_callback(move |observer| {
            observer.observe(read().failed, &[KeyValue::new("reason", "store")]);
            observer.observe(read().busy, &[KeyValue::new("reason", "busy")]);
        })
        .build();
    let read = figures.clone();
    meter
        .f64_observable_counter(semconv::AUDIT_COMMIT_TIME)
        .with_description("time that commits of the audit log took")
        .with_unit("s")
        .with_callback(move |observer| observer.observe(read().commit_seconds, &[]))
        .build();
    let read = figures.clone();
    meter
        .u64_observable_gauge(semconv::AUDIT_WAITING)
        .with_description("audit entries that wait to be durable")
        .with_unit("{entry}")
        .with_callback(move |observer| observer.observe(read().waiting, &[]))
        .build();
    meter
        .f64_observable_gauge(semconv::AUDIT_LAG)
        .with_description("time that the oldest audit entry has waited to be durable")
        .with_unit("s")
        .with_callback(move |observer| observer.observe(figures().lag_seconds, &[]))
        .build();
}

/// Tells what the process uses. Where the system does not say, nothing is told.
pub fn observe_process() {
    let meter = global::meter(semconv::SCOPE);
    meter
        .u64_observable_gauge(semconv::PROCESS_MEMORY)
        .with_description("memory of the process that is in use")
        .with_unit("By")
        .with_callback(|observer| {
            if let Some(bytes) = memory() {
                observer.observe(bytes, &[]);
            }
        })
        .build();
    meter
        .u64_observable_gauge(semconv::PROCESS_DESCRIPTORS)
        .with_description("file descriptors that are open")
        .with_unit("{file_descriptor}")
        .with_callback(|observer| {
            if let Some(count) = descriptors() {
                observer.observe(count, &[]);
            }
        })
        .build();
    meter
        .u64_observable_gauge(semconv::DESCRIPTOR_LIMIT)
        .with_description("file descriptors that may be open")
        .with_unit("{file_descriptor}")
        .with_callback(|observer| {
            let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
            if let Some(limit) = limit {
                observer.observe(limit, &[]);
            }
        })
        .build();
}

fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn descriptors() -> Option<u64> {
    u64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}
