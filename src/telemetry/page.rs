//! The metrics as Prometheus reads them.

use opentelemetry_prometheus::PrometheusExporter;
use opentelemetry_sdk::error::OTelSdkError;
use prometheus::{Registry, TextEncoder};

/// Content type of the page: the text format of Prometheus.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every metric of the process, collected when it is asked for.
#[derive(Clone, Debug)]
pub struct Page(Registry);

impl Page {
    /// The page, and the reader that fills it. One scope is all there is, so no
    /// series names it.
    pub(super) fn new() -> Result<(Self, PrometheusExporter), OTelSdkError> {
        let registry = Registry::new();
        let exporter =
            opentelemetry_prometheus::exporter().with_registry(registry.clone()).scope_info_enabled(false).build()?;
        Ok((Self(registry), exporter))
    }

    /// The text; none where it can't be written.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        TextEncoder::new().encode_to_string(&self.0.gather()).ok()
    }
}
