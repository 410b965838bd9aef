//! Which traces are kept. A caller that has sampled its trace is followed, but
//! only so often a second: the flag is anyone's to set, and each span that is
//! kept costs the collector. Beyond that the service's own ratio decides.
//!
//! The ratio is over a keyed hash of the trace id, and not over the id itself:
//! that too is anyone's to choose, and could be chosen to be always kept.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

/// Follows callers up to a rate, and else a ratio.
#[derive(Clone, Debug)]
pub(super) struct Capped {
    ratio: f64,
    key: RandomState,
    followed: Arc<Rate>,
    begun: Instant,
}

impl Capped {
    pub(super) fn new(ratio: f64, per_second: u32) -> Self {
        Self { ratio, key: RandomState::new(), followed: Arc::new(Rate::new(per_second)), begun: Instant::now() }
    }

    fn by_ratio(&self, trace: TraceId) -> bool {
        // 53 bits are what a number between 0 and 1 holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let share = (self.key.hash_one(trace.to_bytes()) >> 11) as f64 / (1_u64 << 53) as f64;
        share < self.ratio
    }

    fn keeps(&self, parent: Option<&Context>, trace: TraceId) -> bool {
        let span = parent.filter(|parent| parent.has_active_span()).map(|parent| parent.span().span_context().clone());
        match span {
            None => self.by_ratio(trace),
            // Parts of a call share its fate.
            Some(span) if !span.is_remote() => span.is_sampled(),
            Some(span) => {
                span.is_sampled() && (self.followed.take(self.begun.elapsed().as_secs()) || self.by_ratio(trace))
            }
        }
    }
}

impl ShouldSample for Capped {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        _name: &str,
        _kind: &SpanKind,
        _attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let decision =
            if self.keeps(parent, trace) { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::NONE }
    }
}

/// So many in each second.
#[derive(Debug)]
struct Rate {
    most: u32,
    /// The second in the upper half, what was taken in it in the lower.
    state: AtomicU64,
}

impl Rate {
    fn new(most: u32) -> Self {
        Self { most, state: AtomicU64::new(0) }
    }

    fn take(&self, second: u64) -> bool {
        let second = second & u64::from(u32::MAX);
        let step = |state: u64| {
            let taken = if state >> 32 == second { state & u64::from(u32::MAX) } else { 0 };
            (taken < u64::from(self.most)).then(|| (second << 32) | (taken + 1))
        };
        self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};

    use super::*;

    fn caller(trace: u128, flags: TraceFlags) -> Context {
        let span = SpanContext::new(trace.into(), SpanId::from(1), flags, true, TraceState::NONE);
        Context::new().with_remote_span_context(span)
    }

    fn kept(sampler: &Capped, traces: impl Iterator<Item = u128>, flags: TraceFlags) -> usize {
        traces.filter(|trace| sampler.keeps(Some(&caller(*trace, flags)), (*trace).into())).count()
    }

    #[test]
    fn each_second_has_so_many_and_no_more() {
        let rate = Rate::new(3);
        let taken = |second| (0..10).filter(|_| rate.take(second)).count();
        assert_eq!([taken(0), taken(0), taken(1), taken(7)], [3, 0, 3, 3]);
        assert_eq!((0..10).filter(|_| Rate::new(0).take(0)).count(), 0);
    }

    #[test]
    fn callers_that_sample_everything_are_followed_up_to_the_rate() {
        // So slow a machine that this takes 40 seconds would fail it.
        let sampler = Capped::new(0.0, 50);
        let kept = kept(&sampler, 1..=2_000, TraceFlags::SAMPLED);
        assert!((50..2_000).contains(&kept), "{kept}");
        assert!(!sampler.keeps(None, 7.into()));
    }

    #[test]
    fn beyond_the_rate_the_ratio_decides_whatever_ids_are_chosen() {
        let sampler = Capped::new(0.25, 0);
        // Ids that a ratio over the id itself would keep, every one.
        let kept = kept(&sampler, 1..=4_000, TraceFlags::SAMPLED);
        assert!((700..1_300).contains(&kept), "{kept}");
    }

    #[test]
    fn a_caller_that_does_not_sample_is_followed_and_parts_share_the_fate_of_the_call() {
        let sampler = Capped::new(1.0, 10);
        assert_eq!(kept(&sampler, 1..=20, TraceFlags::default()), 0);
        assert!(sampler.keeps(None, 7.into()));
        let inside = SpanContext::new(7.into(), SpanId::from(1), TraceFlags::SAMPLED, false, TraceState::NONE);
        let inside = Context::new().with_remote_span_context(inside);
        assert!(Capped::new(0.0, 0).keeps(Some(&inside), 7.into()));
    }
}
