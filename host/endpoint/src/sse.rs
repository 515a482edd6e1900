//! Server-sent events: an answer as it comes, to its family's end.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use domain::chat::{Delta, Outcome};
use futures::{FutureExt as _, stream};
use llm::Item;
use tokio::time::timeout;

use crate::call::{Pending, Started};
use crate::error::Refusal;
use crate::limits::SIGN_OF_LIFE;
use crate::ticket::Ticket;

/// Bytes of items that are written together when they wait: few packets, and no long pause.
const TOGETHER_BYTES: usize = 64 << 10;

/// Writes one answer in the events of a family.
pub(crate) trait Writer: Send + 'static {
    /// What comes before the first delta.
    fn begin(&mut self, started: &Started, out: &mut String);
    fn delta(&mut self, delta: Delta, out: &mut String);
    fn finished(&mut self, outcome: &Outcome, out: &mut String);
    /// An error and a proper end: a stream that is cut is asked for again, and billed again.
    fn failed(&mut self, refusal: &Refusal, out: &mut String);
    /// Says that the stream is alive and nothing else.
    fn alive(&self) -> &'static str;
}

enum State {
    Paused(Pending),
    Running(Started),
    Ended,
}

struct Answering<W> {
    state: State,
    writer: W,
    ticket: Arc<Ticket>,
}

/// The events of an answer that was granted.
pub(crate) fn running<W: Writer>(started: Started, mut writer: W, ticket: Arc<Ticket>) -> Response {
    let mut begin = String::new();
    writer.begin(&started, &mut begin);
    response(begin, Answering { state: State::Running(started), writer, ticket })
}

/// The same of one whose agent is paused: signs of life until it goes on or is given up.
pub(crate) fn paused<W: Writer>(pending: Pending, writer: W, ticket: Arc<Ticket>) -> Response {
    let alive = writer.alive().to_owned();
    response(alive, Answering { state: State::Paused(pending), writer, ticket })
}

fn response<W: Writer>(begin: String, answering: Answering<W>) -> Response {
    let first = (!begin.is_empty()).then_some(begin);
    let events = stream::unfold((first, answering), |(first, mut answering)| async move {
        let text = match first {
            Some(first) => first,
            None => answering.next().await?,
        };
        Some((Ok::<_, Infallible>(Bytes::from(text)), (None, answering)))
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, Body::from_stream(events)).into_response()
}

impl<W: Writer> Answering<W> {
    async fn next(&mut self) -> Option<String> {
        // A mistake of ours ends this stream, properly, and no other.
        match AssertUnwindSafe(self.step()).catch_unwind().await {
            Ok(step) => step,
            Err(_) => Some(self.fail(&Refusal::Broken)),
        }
    }

    async fn step(&mut self) -> Option<String> {
        let mut out = String::new();
        match &mut self.state {
            State::Ended => return None,
            State::Paused(pending) => match timeout(SIGN_OF_LIFE, pending.wait()).await {
                Err(_) => out.push_str(self.writer.alive()),
                Ok(Err(refusal)) => return Some(self.fail(&refusal)),
                Ok(Ok(started)) => {
                    self.writer.begin(&started, &mut out);
                    self.state = State::Running(started);
                    if out.is_empty() {
                        out.push_str(self.writer.alive());
                    }
                }
            },
            State::Running(started) => {
                let mut items = Vec::new();
                while out.is_empty() {
                    match timeout(SIGN_OF_LIFE, started.completion.next()).await {
                        Err(_) => {
                            out.push_str(self.writer.alive());
                            break;
                        }
                        Ok(None) => return Some(self.fail(&Refusal::Broken)),
                        Ok(Some(item)) => {
                            items.push(item);
                            if !items.last().is_some_and(Item::is_last) {
                                items.append(&mut started.completion.take(TOGETHER_BYTES));
                            }
                        }
                    }
                    for item in items.drain(..) {
                        match item {
                            Item::Delta(delta) => {
                                self.ticket.first_byte();
                                self.writer.delta(delta, &mut out);
                            }
                            Item::Finished(outcome) => {
                                self.ticket.finished();
                                self.writer.finished(&outcome, &mut out);
                                self.state = State::Ended;
                                return Some(out);
                            }
                            Item::Failed(error) => {
                                out.push_str(&self.fail(&Refusal::Model(error)));
                                return Some(out);
                            }
                        }
                    }
                }
            }
        }
        Some(out)
    }

    fn fail(&mut self, refusal: &Refusal) -> String {
        self.state = State::Ended;
        self.ticket.failed(refusal);
        let mut out = String::new();
        self.writer.failed(refusal, &mut out);
        out
    }
}
