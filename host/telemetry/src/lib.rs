//! Sends spans to an OpenTelemetry collector, over OTLP/HTTP in its JSON form.
//!
//! The binary makes a [`Pipe`] from the standard variables, hands its tracer to the subscriber and
//! closes it at the end. Spans wait in a bounded queue and are sent by a thread of their own, so a
//! collector that is slow, dead or hostile costs spans and never a run. Attributes pass by name
//! only: what is not on the list does not leave, whoever put it into a span.

mod encode;
mod export;
mod target;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider,
};

pub use target::{Target, TargetError};

/// Spans that wait to be sent: a long turn of pi has a few hundred; further ones are dropped.
const QUEUE_MAX_SPANS: usize = 2_048;
/// Spans of one request, about 500 bytes each.
const BATCH_MAX_SPANS: usize = 256;
/// Between two requests while there is something to send.
const DELAY: Duration = Duration::from_secs(2);
/// How long the end of the process may wait for the last spans.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A way to a collector.
pub struct Pipe {
    provider: SdkTracerProvider,
    failure: Arc<OnceLock<String>>,
}

impl Pipe {
    /// Connects to nothing before the first span ends.
    pub fn new(target: &Target) -> Result<Self, TargetError> {
        let failure = Arc::<OnceLock<String>>::default();
        let exporter = export::Exporter::new(target, failure.clone())?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_MAX_SPANS)
            .with_max_export_batch_size(BATCH_MAX_SPANS)
            .with_scheduled_delay(DELAY)
            .build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(batches).build();
        let resource = Resource::builder_empty().with_service_name(target.service.clone()).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_resource(resource)
            .build();
        Ok(Self { provider, failure })
    }

    pub fn tracer(&self) -> SdkTracer {
        self.provider.tracer("xpressclaw")
    }

    /// Sends what is left, for at most two seconds. Returns why spans were lost, if any were: the
    /// first reason.
    pub fn close(self) -> Option<String> {
        let closed = self.provider.shutdown_with_timeout(CLOSE_TIMEOUT);
        let failure = self.failure.get().cloned();
        failure.or_else(|| closed.err().map(|error| error.to_string()))
    }
}
