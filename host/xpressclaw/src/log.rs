//! The program's own log on stderr, and spans to a collector: set up once, before anything else.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use anstream::eprintln;
use telemetry::{Pipe, Target};

use crate::cli::{Global, LogFormat};
use crate::environment;
use crate::exit::Failure;
use crate::render::plain;

/// What is logged when nobody says: what broke.
const LEVEL: &str = "error";
/// What the program is called at the collector when nobody says.
const SERVICE: &str = "xpressclaw";
/// The crates whose spans are sent. Those of libraries are theirs: an HTTP client's would hold
/// addresses, and the collector's own would never end.
const OURS: [&str; 7] = ["engine", "harness", "llm", "network", "session", "tools", "verbs"];

/// What has to be ended with the process.
#[must_use]
pub struct Log {
    pipe: Option<Pipe>,
}

/// Sets the log up. Without a collector no span is made, and a call that would make one costs a
/// comparison.
pub fn init(global: &Global) -> Result<Log, Failure> {
    let written = global.log_level.clone().or_else(|| environment::LOG.text());
    let filter = EnvFilter::try_new(written.as_deref().unwrap_or(LEVEL)).map_err(|error| {
        Failure::usage("the log's level cannot be used")
            .hint("write one of error, warn, info, debug, trace, or `crate=level`")
            .because(error)
    })?;
    let format = match global.log_format {
        Some(format) => format,
        None => match environment::LOG_FORMAT.text().as_deref() {
            None | Some("text") => LogFormat::Text,
            Some("json") => LogFormat::Json,
            Some(_) => {
                let name = environment::LOG_FORMAT.name;
                return Err(Failure::usage(format!("{name} is neither `text` nor `json`")));
            }
        },
    };
    let lines = match format {
        LogFormat::Text => {
            fmt::layer().with_writer(std::io::stderr).with_target(false).without_time().boxed()
        }
        LogFormat::Json => {
            fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed()
        }
    };
    let pipe = pipe()?;
    let spans = pipe.as_ref().map(|pipe| {
        let ours = OURS.iter().map(|name| (*name, LevelFilter::DEBUG));
        tracing_opentelemetry::layer()
            .with_tracer(pipe.tracer())
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_targets(ours))
    });
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).init();
    Ok(Log { pipe })
}

/// A way to the collector that the standard variables name; off unless one does.
fn pipe() -> Result<Option<Pipe>, Failure> {
    let Some(endpoint) = environment::OTLP_ENDPOINT.text() else { return Ok(None) };
    let headers = environment::OTLP_HEADERS.text().unwrap_or_default();
    let service = environment::OTEL_SERVICE.text().unwrap_or_else(|| SERVICE.into());
    let made = Target::new(&endpoint, &headers, &service).and_then(|target| Pipe::new(&target));
    made.map(Some).map_err(|error| {
        Failure::usage("spans cannot be sent")
            .hint("unset OTEL_EXPORTER_OTLP_ENDPOINT, or see docs/observability.md")
            .because(error)
    })
}

impl Log {
    /// Sends the last spans, for at most two seconds, and says once if some were lost.
    pub fn close(self) {
        let Some(reason) = self.pipe.and_then(Pipe::close) else { return };
        #[allow(clippy::print_stderr)]
        {
            eprintln!("warning: spans were lost: {}", plain(&reason));
        }
    }
}
