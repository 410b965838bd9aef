//! Logs, traces and metrics. None ever holds a patient's data: no code, no date, no
//! id of a patient or an encounter, no text of a record. Spans carry counts,
//! the decision's id and the digest of the package.
//!
//! Only W3C trace context is read from a call. Baggage is not: it would be
//! passed on in clear to whoever is called next.

pub mod calls;
pub mod canaries;
pub mod decisions;
pub mod metrics;
pub mod page;
mod sampler;
pub mod semconv;
pub mod server;

use std::fmt;
use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::task::spawn_blocking;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};
use uuid::Uuid;

use self::page::Page;
use self::sampler::Capped;

/// Longest time that the last spans, metrics and logs may take to leave at the end.
const FLUSH: Duration = Duration::from_secs(3);

/// What is logged and traced, and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// One JSON object a line, instead of text.
    pub json: bool,
    /// Filter in the syntax of `tracing-subscriber`: `info,concord=debug`.
    pub filter: String,
    /// OTLP endpoint over gRPC, `http://collector:4317`. None: no traces,
    /// metrics and logs leave.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that are kept where no caller is followed, 0 to 1.
    pub sample_ratio: f64,
    /// Callers' sampled traces that are followed in a second.
    pub sampled_per_second: u32,
    /// `service.name` of all that leaves.
    pub service_name: String,
    /// Collect metrics for a page of them too.
    pub page: bool,
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
pub struct Telemetry {
    spans: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
    metrics: Option<SdkMeterProvider>,
    page: Option<Page>,
}

/// Sets up logs to standard error, traces, metrics and logs to where an endpoint is
/// set, and the page of metrics. Once a process, inside the runtime that exports.
///
/// # Errors
/// [`TelemetryError`] where the filter or the endpoint can't be used, or where
/// it is set up already.
pub fn start(options: &Options) -> Result<Telemetry, TelemetryError> {
    let telemetry = Telemetry::new(options)?;
    let subscriber = Registry::default().with(telemetry.layers(options)?);
    // Before there is anyone to whom the library would say so.
    if let Some(metrics) = &telemetry.metrics {
        opentelemetry::global::set_meter_provider(metrics.clone());
        metrics::observe_process();
    }
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| TelemetryError("telemetry is set up already".to_owned()))?;
    quiet_panics();
    Ok(telemetry)
}

/// Lets through what the settings ask for, as far as it is fit.
fn filtered<S>(
    layer: impl Layer<S> + Send + Sync,
    filter: &str,
) -> Result<Box<dyn Layer<S> + Send + Sync>, TelemetryError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let wanted =
        EnvFilter::try_new(filter).map_err(|error| TelemetryError(format!("telemetry.log_filter: {error}")))?;
    // Its own level is no bound: then the filter's is.
    let fit = filter_fn(is_fit).with_max_level_hint(Level::TRACE);
    Ok(layer.with_filter(wanted.and(fit)).boxed())
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
fn traces<S>(tracer: SdkTracer) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_filter(tracing_subscriber::filter::Targets::new().with_target("concord", Level::INFO))
        .boxed()
}

/// A panic's message may quote what was being worked on: the place is enough.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}

impl Telemetry {
    /// Those that there are, and no place for one that is not: beside an absent
    /// layer the filters of the others are asked again for every span and event
    /// of the libraries, which took more than a quarter of the time of a refused call.
    fn layers(&self, options: &Options) -> Result<Vec<Box<dyn Layer<Registry> + Send + Sync>>, TelemetryError> {
        let mut layers = vec![filtered(logs(options.json), &options.filter)?];
        if let Some(spans) = &self.spans {
            layers.push(traces(spans.tracer(semconv::SCOPE)));
        }
        if let Some(sent) = &self.logs {
            // The same lines as on standard error, and no others.
            layers.push(filtered(OpenTelemetryTracingBridge::new(sent), &options.filter)?);
        }
        Ok(layers)
    }

    fn new(options: &Options) -> Result<Self, TelemetryError> {
        let failed = |error: &dyn fmt::Display| TelemetryError(format!("telemetry.otlp_endpoint: {error}"));
        // Several processes send to one collector: without a name each, their
        // sums would be one series.
        let resource = Resource::builder()
            .with_service_name(options.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", Uuid::now_v7().to_string()))
            .build();
        let mut metrics = SdkMeterProvider::builder().with_resource(resource.clone());
        let mut telemetry = Self { spans: None, logs: None, metrics: None, page: None };
        if let Some(endpoint) = &options.otlp_endpoint {
            let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
            let spans = SdkTracerProvider::builder()
                .with_batch_exporter(spans.map_err(|error| failed(&error))?)
                .with_sampler(Capped::new(options.sample_ratio, options.sampled_per_second))
                .with_resource(resource.clone());
            let logs = LogExporter::builder().with_tonic().with_endpoint(endpoint).build();
            let logs = SdkLoggerProvider::builder()
                .with_batch_exporter(logs.map_err(|error| failed(&error))?)
                .with_resource(resource);
            let sent = MetricExporter::builder().with_tonic().with_endpoint(endpoint).build();
            metrics = metrics.with_periodic_exporter(sent.map_err(|error| failed(&error))?);
            telemetry = Self { spans: Some(spans.build()), logs: Some(logs.build()), ..telemetry };
        }
        if options.page {
            let (page, reader) = Page::new().map_err(|error| TelemetryError(format!("metrics: {error}")))?;
            metrics = metrics.with_reader(reader);
            telemetry.page = Some(page);
        }
        if options.page || options.otlp_endpoint.is_some() {
            telemetry.metrics = Some(metrics.build());
        }
        Ok(telemetry)
    }

    /// The page of metrics, where the options ask for one.
    #[must_use]
    pub fn page(&self) -> Option<&Page> {
        self.page.as_ref()
    }

    /// Sends what is left, and waits for it a few seconds at most. On threads of
    /// their own: the exporters block, and on the only worker of a small machine
    /// they would wait for themselves.
    pub async fn flush(self) {
        let Self { spans, logs, metrics, page: _ } = self;
        let parts = [
            spans.map(|spans| spawn_blocking(move || spans.shutdown_with_timeout(FLUSH))),
            metrics.map(|metrics| spawn_blocking(move || metrics.shutdown_with_timeout(FLUSH))),
            logs.map(|logs| spawn_blocking(move || logs.shutdown_with_timeout(FLUSH))),
        ];
        let all = async {
            let mut sent = true;
            for part in parts.into_iter().flatten() {
                sent &= matches!(part.await, Ok(Ok(())));
            }
            sent
        };
        if !matches!(tokio::time::timeout(FLUSH, all).await, Ok(true)) {
            tracing::warn!("the last spans, metrics or logs could not be sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::callsite;
    use tracing::callsite::Callsite;
    use tracing::metadata::Kind;

    use super::*;

    #[tokio::test]
    async fn what_the_libraries_do_costs_no_span_and_no_event() {
        for otlp_endpoint in [None, Some("http://127.0.0.1:1".to_owned())] {
            let options = Options {
                json: true,
                filter: "info,h2=trace".to_owned(),
                otlp_endpoint,
                sample_ratio: 1.0,
                sampled_per_second: 100,
                service_name: "concord".to_owned(),
                page: true,
            };
            let telemetry = Telemetry::new(&options).unwrap();
            let subscriber = Registry::default().with(telemetry.layers(&options).unwrap());
            // Asked as a callsite is asked once and for all: whatever other tests listen to has no part in it.
            let asked = |callsite: &'static dyn Callsite| subscriber.register_callsite(callsite.metadata());
            let own = callsite!(name: "own", kind: Kind::SPAN, target: "concord::server", level: Level::INFO, fields: );
            assert!(!asked(own).is_never());
            let told = callsite!(name: "told", kind: Kind::EVENT, target: "h2", level: Level::INFO, fields: );
            assert!(!asked(told).is_never());
            // Whatever is asked for.
            let frame = callsite!(name: "frame", kind: Kind::SPAN, target: "h2", level: Level::TRACE, fields: );
            assert!(asked(frame).is_never());
            let quoted = callsite!(name: "quoted", kind: Kind::EVENT, target: "h2", level: Level::DEBUG, fields: );
            assert!(asked(quoted).is_never());
        }
    }
}
