//! One call as the edge sees it: its name, its deadline, its span, and the one
//! record that is made of it, however it ends.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Request};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceState};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tokio::time::Instant;
use tonic::Code;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::calls::Open;
use crate::api::recording::CallFacts;
use crate::api::status::code_word;
use crate::identity::Peer;
use crate::telemetry::{calls, semconv};

/// Methods by path, and whether they stream. Whatever else is called goes by
/// one name, so that a caller can't fill telemetry with names.
pub(super) const METHODS: &[(&str, bool)] = &[
    ("concord.v1.DecisionService/Evaluate", false),
    ("concord.v1.DecisionService/EvaluateStream", true),
    ("concord.v1.RulesetService/GetRuleset", false),
    ("concord.v1.RulesetService/ListRules", false),
    ("concord.v1.RulesetService/GetRule", false),
    ("concord.v1.RulesetService/CheckRuleset", false),
    ("concord.v1.AuditService/GetDecision", false),
    ("concord.v1.AuditService/ListDecisions", false),
    ("concord.v1.AuditService/ReplayDecision", false),
    ("concord.v1.AuditService/RecordFeedback", false),
    ("concord.v1.AuditService/GetCheckpoint", false),
    ("concord.v1.AuditService/GetInclusionProof", false),
    ("concord.v1.AuditService/GetConsistencyProof", false),
    ("grpc.health.v1.Health/Check", false),
    ("grpc.health.v1.Health/Watch", true),
    ("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", true),
    ("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", true),
];

const OTHER: &str = "_OTHER";

/// What a call costs, to admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Health and reflection.
    Exempt,
    /// An answer.
    Unary,
    /// Answers until one side ends it.
    Stream,
}

/// The name of a method and its class, by its path. What is no method counts as
/// one of ours: it is not to cost less.
pub(super) fn class(path: &str) -> (&'static str, Class) {
    match named(path) {
        (name, _) if exempt(name) => (name, Class::Exempt),
        (name, true) => (name, Class::Stream),
        (name, false) => (name, Class::Unary),
    }
}

fn exempt(name: &str) -> bool {
    name.starts_with("grpc.")
}

/// Does the caller leave less time than `floor`? Then the call is not begun.
pub(super) fn hopeless(headers: &HeaderMap, floor: Duration) -> bool {
    timeout(headers).is_some_and(|wanted| wanted < floor)
}

/// A call in progress. Dropping it makes the record.
pub(super) struct Call {
    pub(super) span: Span,
    /// None: a stream whose caller set no deadline.
    pub(super) deadline: Option<Instant>,
    /// As the record names it.
    pub(super) facts: CallFacts,
    method: &'static str,
    begun: Instant,
    status: Option<Code>,
    /// Keeps the connection from being idle.
    open: Option<Arc<Open>>,
}

impl Call {
    pub(super) fn begin<B>(request: &mut Request<B>, longest: Duration) -> Self {
        let begun = Instant::now();
        // The path alone: what follows a question mark is routed all the same.
        let (method, streams) = named(request.uri().path());
        let wanted = timeout(request.headers());
        let budget = match (wanted, streams) {
            (Some(wanted), true) => Some(wanted),
            (Some(wanted), false) => Some(wanted.min(longest)),
            (None, true) => None,
            (None, false) => Some(longest),
        };
        let span = tracing::info_span!(
            "rpc",
            otel.name = method,
            otel.kind = "server",
            { semconv::RPC_SYSTEM } = "grpc",
            { semconv::RPC_METHOD } = method,
            { semconv::RPC_STATUS } = tracing::field::Empty,
            { semconv::DECISION_ID } = tracing::field::Empty,
            trace_id = tracing::field::Empty,
        );
        let asked = caller_span(request.headers());
        // A context with no valid span would count as one that is not sampled.
        let parent =
            if asked.is_valid() { Context::new().with_remote_span_context(asked.clone()) } else { Context::new() };
        // Fails only where no trace exporter is set up; the caller's trace is
        // then still named in the log.
        let traced = span.set_parent(parent).is_ok().then(|| span.context().span().span_context().clone());
        let trace = traced.into_iter().chain([asked]).find(SpanContext::is_valid).map(|trace| trace.trace_id());
        if let Some(trace) = trace {
            span.record("trace_id", tracing::field::display(trace));
        }
        let peer = request.extensions().get::<Peer>().and_then(|peer| peer.address);
        let facts = CallFacts {
            recorded: Arc::default(),
            caller: peer.map_or_else(|| "anonymous".to_owned(), |peer| format!("anonymous@{}", peer.ip())),
            name: Arc::default(),
            method: method.to_owned(),
            trace: trace.map(|trace| trace.to_string()),
            received: jiff::Timestamp::now(),
            place: None,
            turns: request.extensions_mut().remove().unwrap_or_default(),
        };
        calls::begun(method);
        Self {
            span,
            facts,
            deadline: budget.and_then(|budget| begun.checked_add(budget)),
            method,
            begun,
            status: None,
            open: request.extensions_mut().remove(),
        }
    }

    /// Is it one of which the record says how it ended? Those of health and
    /// reflection say nothing of patients, and names that are no methods are
    /// anyone's to make up.
    pub(super) fn is_recorded(&self) -> bool {
        self.method.starts_with("concord.")
    }

    /// Health and reflection.
    pub(super) fn is_exempt(&self) -> bool {
        exempt(self.method)
    }

    /// Something of the answer is ready, and waits for the caller to take it.
    pub(super) fn ready(&self) {
        if let Some(open) = &self.open {
            open.ready();
        }
    }

    /// The caller has taken it.
    pub(super) fn taken(&self) {
        if let Some(open) = &self.open {
            open.taken();
        }
    }

    /// Notes how the call ends. The first word counts.
    pub(super) fn ends(&mut self, code: Code) {
        self.status.get_or_insert(code);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Without a status the caller left before the end.
        let code = code_word(self.status.unwrap_or(Code::Cancelled));
        self.span.record(semconv::RPC_STATUS, code);
        let took = self.begun.elapsed();
        calls::ended(self.method, code, took);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let _inside = self.span.enter();
        if self.method.starts_with("grpc.health") {
            tracing::debug!(method = self.method, status = code, elapsed_us = micros, "call");
        } else {
            tracing::info!(method = self.method, status = code, elapsed_us = micros, "call");
        }
    }
}

fn named(path: &str) -> (&'static str, bool) {
    let path = path.strip_prefix('/').unwrap_or(path);
    METHODS.iter().copied().find(|(method, _)| *method == path).unwrap_or((OTHER, false))
}

/// Reads `grpc-timeout`: at most eight digits and a unit. A header that is not
/// one binds nothing.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let plain = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = digits.parse().ok().filter(|_| plain)?;
    match unit {
        "H" => Some(Duration::from_secs(count.saturating_mul(3600))),
        "M" => Some(Duration::from_secs(count.saturating_mul(60))),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// The caller's span, by `traceparent` alone: `tracestate` is text of anyone's,
/// and would leave with every span.
fn caller_span(headers: &HeaderMap) -> SpanContext {
    let context = TraceContextPropagator::new().extract(&Headers(headers));
    let said = context.span().span_context().clone();
    SpanContext::new(said.trace_id(), said.span_id(), said.trace_flags(), said.is_remote(), TraceState::NONE)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", http::HeaderValue::from_static(text));
        timeout(&headers)
    }

    #[test]
    fn timeouts_are_eight_digits_and_a_unit() {
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("99999999H"), Some(Duration::from_hours(99_999_999)));
        for text in ["", "m", "+5S", "123456789S", "5", "5s", "5 S"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn unknown_methods_share_a_name() {
        assert_eq!(named("/concord.v1.DecisionService/Evaluate"), ("concord.v1.DecisionService/Evaluate", false));
        assert_eq!(named("/patient-4711"), ("_OTHER", false));
    }

    #[test]
    fn a_stream_without_a_deadline_has_none() {
        let call = |path: &str| {
            let mut request = Request::builder().uri(path).body(()).unwrap();
            Call::begin(&mut request, Duration::from_secs(10)).deadline.is_some()
        };
        assert!(call("/concord.v1.DecisionService/Evaluate"));
        assert!(!call("/grpc.health.v1.Health/Watch"));
    }
}
