//! Logs and traces. Neither ever holds a patient's data: no code, no date, no
//! id of a patient or an encounter, no text of a record. Spans carry counts,
//! the decision's id and the digest of the package.
//!
//! Only W3C trace context is read from a call. Baggage is not: it would be
//! passed on in clear to whoever is called next.

pub mod semconv;

use std::fmt;
use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// Longest time that the last spans may take to leave at the end.
const FLUSH: Duration = Duration::from_secs(3);

/// What is logged and traced, and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// One JSON object a line, instead of text.
    pub json: bool,
    /// Filter in the syntax of `tracing-subscriber`: `info,concord=debug`.
    pub filter: String,
    /// OTLP endpoint over gRPC, `http://collector:4317`. None: no traces leave.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that are kept where the caller has not decided, 0 to 1.
    pub sample_ratio: f64,
    /// `service.name` of the traces.
    pub service_name: String,
}

/// Why telemetry can't be set up.
#[derive(Debug)]
pub struct TelemetryError(String);

impl fmt::Display for TelemetryError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for TelemetryError {}

/// Telemetry in force. [`Telemetry::flush`] sends what is left.
#[derive(Debug)]
pub struct Telemetry(Option<SdkTracerProvider>);

/// Sets up logs to standard error, and traces where an endpoint is set. Once a
/// process, inside the runtime that exports.
///
/// # Errors
/// [`TelemetryError`] where the filter or the endpoint can't be used, or where
/// it is set up already.
pub fn start(options: &Options) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_new(&options.filter)
        .map_err(|error| TelemetryError(format!("telemetry.log_filter: {error}")))?;
    let provider = options.otlp_endpoint.as_deref().map(|endpoint| provider(endpoint, options)).transpose()?;
    let traces = provider.as_ref().map(|provider| traces(provider.tracer(semconv::SCOPE)));
    let subscriber =
        Registry::default().with(traces).with(logs(options.json).with_filter(filter.and(filter_fn(is_fit))));
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| TelemetryError("telemetry is set up already".to_owned()))?;
    quiet_panics();
    Ok(Telemetry(provider))
}

/// Below info, the libraries quote frames and headers: whatever the filter
/// says, only what is written here is logged at those levels.
fn is_fit(event: &Metadata<'_>) -> bool {
    event.target().starts_with("concord") || *event.level() <= Level::INFO
}

fn logs<S>(json: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if json {
        Box::new(lines.json().flatten_event(true).with_span_list(false))
    } else {
        Box::new(lines.with_ansi(std::io::stderr().is_terminal()))
    }
}

/// Spans of ours alone: those of the libraries describe frames, and debug
/// events quote headers.
fn traces<S>(tracer: SdkTracer) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_filter(tracing_subscriber::filter::Targets::new().with_target("concord", Level::INFO))
}

fn provider(endpoint: &str, options: &Options) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .map_err(|error| TelemetryError(format!("telemetry.otlp_endpoint: {error}")))?;
    let ratio = Sampler::TraceIdRatioBased(options.sample_ratio);
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(ratio)))
        .with_resource(Resource::builder().with_service_name(options.service_name.clone()).build())
        .build())
}

/// A panic's message may quote what was being worked on: the place is enough.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}

impl Telemetry {
    /// Sends the spans that are left, and waits for it a few seconds at most.
    /// On a thread of its own: the exporter blocks, and on the only worker of a
    /// small machine it would wait for itself.
    pub async fn flush(self) {
        let Some(provider) = self.0 else { return };
        let work = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH));
        match tokio::time::timeout(FLUSH, work).await {
            Ok(Ok(Ok(()))) => {}
            _ => tracing::warn!("the last spans could not be sent"),
        }
    }
}
