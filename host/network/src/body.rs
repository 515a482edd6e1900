//! A response body that gives up when its server falls silent.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

use crate::http::from_hyper;

/// Counts the time-out only while somebody waits for the next frame: a guest that takes a minute
/// between two reads has not made the server slow.
pub(crate) struct TimedBody {
    incoming: Incoming,
    limit: Duration,
    // Made once, because a timer can only be made on the runtime and `poll_frame` may be called
    // from outside.
    timer: Pin<Box<Sleep>>,
    waiting: bool,
}

impl TimedBody {
    /// Must be called on the runtime.
    pub(crate) fn new(incoming: Incoming, limit: Duration) -> Self {
        let timer = Box::pin(tokio::time::sleep(limit));
        Self { incoming, limit, timer, waiting: false }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) {
            self.waiting = false;
            return Poll::Ready(frame.map(|frame| frame.map_err(from_hyper)));
        }
        if !self.waiting {
            self.waiting = true;
            // A time too far to represent is no time-out.
            if let Some(deadline) = Instant::now().checked_add(self.limit) {
                self.timer.as_mut().reset(deadline);
            }
        }
        self.timer.as_mut().poll(cx).map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
