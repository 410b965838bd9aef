//! Metrics of canary patients. Their names are of the binary, and so is what is
//! hashed: no patient is behind them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::metrics::Counter;
use opentelemetry::{KeyValue, global};

use super::semconv;

/// Counts what becomes of canary patients.
#[derive(Debug)]
pub struct CanaryMetrics {
    runs: Counter<u64>,
    changed: Counter<u64>,
    failed: Counter<u64>,
    /// Digest of the package and hash of the answer, by canary.
    answers: Arc<Mutex<BTreeMap<String, (String, String)>>>,
}

impl CanaryMetrics {
    /// The instruments of the process; each canary is told from zero on, so that
    /// the first change is one from zero to one.
    #[must_use]
    pub fn new<'a>(canaries: impl Iterator<Item = &'a str>) -> Self {
        let meter = global::meter(semconv::SCOPE);
        let counter = |name: &'static str, about: &'static str| {
            meter.u64_counter(name).with_description(about).with_unit("{evaluation}").build()
        };
        let answers: Arc<Mutex<BTreeMap<String, (String, String)>>> = Arc::default();
        let told = Arc::clone(&answers);
        meter
            .u64_observable_gauge(semconv::CANARY_ANSWER)
            .with_description("hash of the canary patient's last answer, as an attribute of the value 1")
            .with_callback(move |observer| {
                for (canary, (digest, answer)) in &*told.lock().unwrap_or_else(PoisonError::into_inner) {
                    let attributes = [("canary", canary), ("digest", digest), ("answer", answer)]
                        .map(|(key, value)| KeyValue::new(key, value.clone()));
                    observer.observe(1, &attributes);
                }
            })
            .build();
        let metrics = Self {
            runs: counter(semconv::CANARY_RUNS, "evaluations of canary patients"),
            changed: counter(
                semconv::CANARY_CHANGED,
                "evaluations of canary patients whose answer was not the first under the same package",
            ),
            failed: counter(semconv::CANARY_FAILED, "evaluations of canary patients that had no answer"),
            answers,
        };
        for canary in canaries {
            let named = [KeyValue::new("canary", canary.to_owned())];
            for counter in [&metrics.runs, &metrics.changed, &metrics.failed] {
                counter.add(0, &named);
            }
        }
        metrics
    }

    /// It had no answer.
    pub fn failed(&self, canary: &str) {
        let named = [KeyValue::new("canary", canary.to_owned())];
        self.runs.add(1, &named);
        self.failed.add(1, &named);
    }

    /// It had an answer, by its hash, under a package, by its digest.
    pub fn answered(&self, canary: &str, digest: &str, answer: &str, changed: bool) {
        let named = [KeyValue::new("canary", canary.to_owned())];
        self.runs.add(1, &named);
        if changed {
            self.changed.add(1, &named);
        }
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(canary.to_owned(), (digest.to_owned(), answer.to_owned()));
    }
}
