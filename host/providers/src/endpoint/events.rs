//! Server-sent events of an answer's body, bounded, one at a time as they arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::provider::{ProviderError, Sent};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use reqwest::Response;
use sse_stream::{Sse, SseByteStream};

use super::http::root_cause;
use super::refusals::Refusals;
use super::settings::Timeouts;

/// The longest event (and the longest line): servers that do not stream arguments send a written
/// file as one event; 4 MiB is more than any model's longest answer, escapes included.
const EVENT_MAX_BYTES: usize = 4 << 20;
/// After the last event only the end of the body is left; reading it lets the connection be used again.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the body could not be read on.
#[derive(Debug, thiserror::Error)]
enum BodyError {
    #[error("an event is longer than {EVENT_MAX_BYTES} bytes")]
    TooLong,
    #[error("the body broke off")]
    Read(#[source] reqwest::Error),
}

/// Counts the bytes since the last event (`pending`, reset by the reader) and stops at the limit:
/// the decoder would collect an endless line.
fn bounded(
    bytes: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
    pending: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static {
    bytes.map_err(BodyError::Read).and_then(move |chunk| {
        let before = pending.fetch_add(chunk.len(), Ordering::Relaxed);
        let fits = before.saturating_add(chunk.len()) <= EVENT_MAX_BYTES;
        std::future::ready(if fits { Ok(chunk) } else { Err(BodyError::TooLong) })
    })
}

/// The events of one body. Dropping it drops the connection.
pub(crate) struct Events {
    events: BoxStream<'static, Result<Sse, sse_stream::Error>>,
    pending: Arc<AtomicUsize>,
}

/// What reading came to.
pub(crate) enum Read {
    /// The data of an event that has some.
    Data(String),
    /// A comment, or an event without data: a keep-alive.
    Nothing,
    /// The body ended.
    End,
    /// Nothing but the time passed.
    Stalled,
    Failed(sse_stream::Error),
}

impl Events {
    pub fn of(response: Response) -> Self {
        let pending = Arc::new(AtomicUsize::new(0));
        let bytes = bounded(response.bytes_stream(), Arc::clone(&pending));
        Self { events: SseByteStream::new(bytes.boxed()).boxed(), pending }
    }

    /// The next event, waited for so long.
    pub async fn read(&mut self, wait: Duration) -> Read {
        match tokio::time::timeout(wait, self.events.next()).await {
            Ok(Some(Ok(event))) => {
                self.pending.store(0, Ordering::Relaxed);
                let data = event.data.map(|data| data.trim().to_owned());
                data.filter(|data| !data.is_empty()).map_or(Read::Nothing, Read::Data)
            }
            Ok(Some(Err(error))) => Read::Failed(error),
            Ok(None) => Read::End,
            Err(_) => Read::Stalled,
        }
    }

    /// Lets the connection be used again; the reader does not wait for that.
    pub fn drain(&mut self) {
        let mut events = std::mem::replace(&mut self.events, stream::empty().boxed());
        tokio::spawn(tokio::time::timeout(DRAIN_TIMEOUT, async move {
            while let Some(Ok(_)) = events.next().await {}
        }));
    }

    /// Gives the connection up, also when the reader keeps the stream.
    pub fn close(&mut self) {
        self.events = stream::empty().boxed();
    }
}

impl Read {
    /// Why the answer is not whole; for a reading that is no event.
    pub fn broken(self, refusals: &Refusals, timeouts: &Timeouts) -> ProviderError {
        let broke_off = |why: &str| {
            refusals.broken(format!("the answer broke off before its end: {why}"), Sent::Maybe)
        };
        let error = match self {
            Self::Failed(error) => error,
            Self::Stalled => {
                let reason = format!("only keep-alives for {:?}", timeouts.stall);
                return refusals.broken(reason, Sent::Maybe);
            }
            Self::End | Self::Data(_) | Self::Nothing => {
                return broke_off("the connection was closed");
            }
        };
        let sse_stream::Error::Body(source) = &error else {
            return refusals.malformed("an event is not UTF-8");
        };
        match source.downcast_ref::<BodyError>() {
            Some(BodyError::Read(error)) if error.is_timeout() => {
                let reason = format!("silent for {:?} in the middle of an answer", timeouts.idle);
                refusals.broken(reason, Sent::Maybe)
            }
            Some(BodyError::Read(error)) => broke_off(&root_cause(error)),
            Some(too_long @ BodyError::TooLong) => refusals.malformed(too_long.to_string()),
            None => refusals.malformed("the body cannot be decoded"),
        }
    }
}
