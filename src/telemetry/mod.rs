//! Logs, traces and metrics. None ever holds a patient's data: no code, no date, no
//! id of a patient or an encounter, no text of a record. Spans carry counts,
//! the decision's id and the digest of the package.
//!
//! Only W3C trace context is read from a call. Baggage is not: it would be
//! passed on in clear to whoever is called next.

pub mod metrics;
pub mod semconv;
pub mod server;

use std::fmt;
use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// Longest time that the last spans and metrics may take to leave at the end.
const FLUSH: Duration = Duration::from_secs(3);

/// What is logged and traced, and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// One JSON object a line, instead of text.
    pub json: bool,
    /// Filter in the syntax of `tracing-subscriber`: `info,concord=debug`.
    pub filter: String,
    /// OTLP endpoint over gRPC, `http://collector:4317`. None: no traces and
    /// metrics leave.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that are kept where the caller has not decided, 0 to 1.
    pub sample_ratio: f64,
    /// `service.name` of the traces and metrics.
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
pub struct Telemetry(Option<(SdkTracerProvider, SdkMeterProvider)>);

/// Sets up logs to standard error, and traces and metrics where an endpoint is set. Once a
/// process, inside the runtime that exports.
///
/// # Errors
/// [`TelemetryError`] where the filter or the endpoint can't be used, or where
/// it is set up already.
pub fn start(options: &Options) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_new(&options.filter)
        .map_err(|error| TelemetryError(format!("telemetry.log_filter: {error}")))?;
    let providers = options.otlp_endpoint.as_deref().map(|endpoint| providers(endpoint, options)).transpose()?;
    let traces = providers.as_ref().map(|(spans, _)| traces(spans.tracer(semconv::SCOPE)));
    let subscriber =
        Registry::default().with(traces).with(logs(options.json).with_filter(filter.and(filter_fn(is_fit))));
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| TelemetryError("telemetry is set up already".to_owned()))?;
    if let Some((_, metrics)) = &providers {
        opentelemetry::global::set_meter_provider(metrics.clone());
    }
    quiet_panics();
    Ok(Telemetry(providers))
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

fn providers(endpoint: &str, options: &Options) -> Result<(SdkTracerProvider, SdkMeterProvider), TelemetryError> {
    let failed = |error| TelemetryError(format!("telemetry.otlp_endpoint: {error}"));
    let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build().map_err(failed)?;
    let metrics = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build().map_err(failed)?;
    let resource = Resource::builder().with_service_name(options.service_name.clone()).build();
    let ratio = Sampler::TraceIdRatioBased(options.sample_ratio);
    let spans = SdkTracerProvider::builder()
        .with_batch_exporter(spans)
        .with_sampler(Sampler::ParentBased(Box::new(ratio)))
        .with_resource(resource.clone())
        .build();
    let metrics = SdkMeterProvider::builder().with_periodic_exporter(metrics).with_resource(resource).build();
    Ok((spans, metrics))
}

/// A panic's message may quote what was being worked on: the place is enough.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}

impl Telemetry {
    /// Sends the spans and metrics that are left, and waits for it a few seconds at most.
    /// On a thread of its own: the exporter blocks, and on the only worker of a
    /// small machine it would wait for itself.
    pub async fn flush(self) {
        let Some((spans, metrics)) = self.0 else { return };
        let spans = tokio::task::spawn_blocking(move || spans.shutdown_with_timeout(FLUSH));
        let metrics = tokio::task::spawn_blocking(move || metrics.shutdown_with_timeout(FLUSH));
        let both = async { (spans.await, metrics.await) };
        match tokio::time::timeout(FLUSH, both).await {
            Ok((Ok(Ok(())), Ok(Ok(())))) => {}
            _ => tracing::warn!("the last spans or metrics could not be sent"),
        }
    }
}
