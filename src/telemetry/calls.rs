//! Metrics of calls: rate, errors and duration by the conventions for RPC.

use std::sync::LazyLock;
use std::time::Duration;

use opentelemetry::metrics::{Histogram, UpDownCounter};
use opentelemetry::{KeyValue, global};

use super::semconv;

/// Upper bounds of the buckets of durations, in seconds: an evaluation takes
/// less than a millisecond, a deadline seconds.
const BUCKETS: [f64; 17] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Instruments of the process. Made by the first call, which comes after
/// [`super::start`].
static CALLS: LazyLock<Calls> = LazyLock::new(Calls::new);

struct Calls {
    duration: Histogram<f64>,
    in_flight: UpDownCounter<i64>,
}

impl Calls {
    fn new() -> Self {
        let meter = global::meter(semconv::SCOPE);
        Self {
            duration: meter
                .f64_histogram(semconv::RPC_DURATION)
                .with_description("duration of calls, by method and status")
                .with_unit("s")
                .with_boundaries(BUCKETS.to_vec())
                .build(),
            in_flight: meter
                .i64_up_down_counter(semconv::CALLS_IN_FLIGHT)
                .with_description("calls that have begun and not ended, by method")
                .with_unit("{call}")
                .build(),
        }
    }
}

/// A call has begun. `method` is one that is matched, or `_OTHER`: a caller
/// must not be able to make names.
pub fn begun(method: &'static str) {
    CALLS.in_flight.add(1, &[KeyValue::new(semconv::RPC_METHOD, method)]);
}

/// It has ended, with the word of its status.
pub fn ended(method: &'static str, status: &'static str, took: Duration) {
    CALLS.in_flight.add(-1, &[KeyValue::new(semconv::RPC_METHOD, method)]);
    refused(method, status, took);
}

/// A call was answered that never was in flight.
pub fn refused(method: &'static str, status: &'static str, took: Duration) {
    let attributes = [
        KeyValue::new(semconv::RPC_SYSTEM, "grpc"),
        KeyValue::new(semconv::RPC_METHOD, method),
        KeyValue::new(semconv::RPC_STATUS, status),
    ];
    CALLS.duration.record(took.as_secs_f64(), &attributes);
}
