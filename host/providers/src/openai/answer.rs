//! The answer: server-sent events in, deltas out, one at a time as they arrive.
//!
//! The stream ends with exactly one of `Delta::Finished` and an error, never with both, never
//! without either. Dropping it drops the connection.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::chat::{AssistantPart, Delta, Finish, Message, Usage};
use domain::provider::{Call, Deltas, ProviderError, Sent};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use reqwest::Response;
use sse_stream::{Sse, SseByteStream};

use super::calls::Calls;
use super::chunk::{self, Choice, Chunk, Fragment};
use super::config::Timeouts;
use super::error::Refusals;
use super::http::root_cause;

/// The longest event (and the longest line): servers that do not stream arguments send a written
/// file as one event; 4 MiB is more than any model's longest answer, escapes included.
pub(super) const EVENT_MAX_BYTES: usize = 4 << 20;
/// Usage follows the finish reason at once. A server that neither sends it nor closes is not
/// waited for: the answer is complete.
const AFTER_FINISH_TIMEOUT: Duration = Duration::from_secs(5);
/// After `[DONE]` only the end of the body is left; reading it lets the connection be used again.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// No vocabulary has longer tokens than 128 bytes; twice that, so that a server which counts its
/// own way is not cut, but one that never stops is.
const TOKEN_MAX_BYTES: usize = 256;
/// Names of models are short; a longer one is not worth telling.
const MODEL_NAME_MAX_BYTES: usize = 256;

/// What is known about the call when its answer is read.
pub(super) struct Context {
    refusals: Refusals,
    /// The model's name at the provider, as asked for.
    model: String,
    calls: Calls,
    room: usize,
}

impl Context {
    pub fn new(call: &Call, refusals: Refusals) -> Self {
        Self {
            refusals,
            model: call.model.clone(),
            calls: Calls::new(call_ids(&call.request.messages)),
            room: TOKEN_MAX_BYTES.saturating_mul(call.max_output_tokens as usize),
        }
    }
}

fn call_ids(history: &[Message]) -> HashSet<String> {
    let parts = history.iter().flat_map(|message| match message {
        Message::Assistant(parts) => parts.as_slice(),
        Message::User(_) | Message::Tool(_) => &[],
    });
    parts
        .filter_map(|part| match part {
            AssistantPart::ToolCall(call) => Some(call.id.clone()),
            AssistantPart::Text(_) | AssistantPart::Thinking(_) => None,
        })
        .collect()
}

/// Streams the answer of an accepted call.
pub(super) fn deltas(response: Response, context: Context, timeouts: Timeouts) -> Deltas {
    let pending = Arc::new(AtomicUsize::new(0));
    let bytes = bounded(response.bytes_stream(), Arc::clone(&pending));
    let answer = Answer {
        events: SseByteStream::new(bytes.boxed()).boxed(),
        pending,
        queue: VecDeque::new(),
        context,
        timeouts,
        finish: None,
        usage: None,
        said: false,
        refused: false,
        told_model: false,
        ended: false,
    };
    stream::unfold(answer, |mut answer| async move {
        let item = answer.next().await?;
        Some((item, answer))
    })
    .boxed()
}

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

struct Answer {
    events: BoxStream<'static, Result<Sse, sse_stream::Error>>,
    pending: Arc<AtomicUsize>,
    queue: VecDeque<Result<Delta, ProviderError>>,
    context: Context,
    timeouts: Timeouts,
    /// Set by the finish reason.
    finish: Option<Finish>,
    usage: Option<Usage>,
    /// Whether there was text, thinking or a call.
    said: bool,
    refused: bool,
    told_model: bool,
    ended: bool,
}

impl Answer {
    async fn next(&mut self) -> Option<Result<Delta, ProviderError>> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Some(item);
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.read().await {
                self.fail(error);
            }
        }
    }

    /// Reads one event into the queue.
    async fn read(&mut self) -> Result<(), ProviderError> {
        let wait = match self.finish {
            Some(_) => AFTER_FINISH_TIMEOUT,
            None => self.timeouts.stall,
        };
        let event = tokio::time::timeout(wait, self.events.next()).await;
        match (event, self.finish) {
            (Ok(Some(Ok(event))), _) => {
                self.pending.store(0, Ordering::Relaxed);
                match event.data.as_deref().map(str::trim) {
                    None | Some("") => Ok(()),
                    Some("[DONE]") => self.done(),
                    Some(data) => self.event(data),
                }
            }
            // The answer is complete; only formalities are missing.
            (_, Some(finish)) => self.end(finish),
            (Err(_), None) => {
                let reason = format!("only keep-alives for {wait:?}");
                Err(self.context.refusals.broken(reason, Sent::Maybe))
            }
            (Ok(None), None) => Err(self.broke_off("the connection was closed")),
            (Ok(Some(Err(error))), None) => Err(self.body_error(&error)),
        }
    }

    fn event(&mut self, data: &str) -> Result<(), ProviderError> {
        let chunk: Chunk = serde_json::from_str(data).map_err(|error| {
            let column = error.column();
            let reason = format!("an event is no chunk of a chat completion (column {column})");
            self.context.refusals.malformed(reason)
        })?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return match self.finish {
                Some(finish) => self.end(finish),
                None => Err(self.context.refusals.in_stream(&error)),
            };
        }
        if let Some(model) = chunk.model {
            self.model(model);
        }
        let mut usage = chunk.usage;
        for choice in chunk.choices.unwrap_or_default() {
            // One answer was asked for.
            if choice.index == 0 {
                usage = usage.or(self.choice(choice)?);
            }
        }
        if let Some(usage) = usage.as_ref().and_then(chunk::usage)
            && self.usage != Some(usage)
        {
            self.usage = Some(usage);
            self.queue.push_back(Ok(Delta::Usage(usage)));
        }
        Ok(())
    }

    fn model(&mut self, model: String) {
        let is_name = !model.is_empty()
            && model.len() <= MODEL_NAME_MAX_BYTES
            && !model.chars().any(char::is_control);
        if !self.told_model && is_name && model != self.context.model {
            self.queue.push_back(Ok(Delta::Model(model)));
        }
        self.told_model = true;
    }

    /// Takes the choice's content and gives back the usage that a few servers put there.
    fn choice(&mut self, choice: Choice) -> Result<Option<serde_json::Value>, ProviderError> {
        if let Some(fragment) = choice.delta {
            self.fragment(fragment)?;
        }
        if let Some(reason) = choice.finish_reason.as_deref() {
            if reason == "error" {
                return Err(self.context.refusals.malformed("it ended with an unnamed error"));
            }
            self.finish = chunk::finish(reason).or(self.finish);
        }
        Ok(choice.usage)
    }

    fn fragment(&mut self, fragment: Fragment) -> Result<(), ProviderError> {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(text) = some(fragment.reasoning_content).or(some(fragment.reasoning)) {
            self.say(text.len(), Delta::Thinking(text))?;
        }
        if let Some(text) = some(fragment.content) {
            self.say(text.len(), Delta::Text(text))?;
        }
        if let Some(text) = some(fragment.refusal) {
            self.refused = true;
            self.say(text.len(), Delta::Text(text))?;
        }
        for call in fragment.tool_calls.unwrap_or_default() {
            let deltas = self.context.calls.take(call);
            for delta in deltas.map_err(|reason| self.context.refusals.malformed(reason))? {
                let size = match &delta {
                    Delta::ToolCallArguments { fragment, .. } => fragment.len(),
                    _ => 0,
                };
                self.say(size, delta)?;
            }
        }
        Ok(())
    }

    fn say(&mut self, size: usize, delta: Delta) -> Result<(), ProviderError> {
        let Some(room) = self.context.room.checked_sub(size) else {
            let reason = "the answer does not stop at the output limit";
            return Err(self.context.refusals.malformed(reason));
        };
        self.context.room = room;
        self.said = true;
        self.queue.push_back(Ok(delta));
        Ok(())
    }

    /// `[DONE]`. A few servers send no finish reason before it.
    fn done(&mut self) -> Result<(), ProviderError> {
        let finish = match self.finish {
            Some(finish) => finish,
            None if self.said => Finish::Stop,
            None => return Err(self.context.refusals.malformed("the stream holds no answer")),
        };
        self.drain();
        self.end(finish)
    }

    /// Lets the connection be used again; the reader does not wait for that.
    fn drain(&mut self) {
        let mut events = std::mem::replace(&mut self.events, stream::empty().boxed());
        tokio::spawn(tokio::time::timeout(DRAIN_TIMEOUT, async move {
            while let Some(Ok(_)) = events.next().await {}
        }));
    }

    fn end(&mut self, finish: Finish) -> Result<(), ProviderError> {
        let calls = &self.context.calls;
        calls.finish().map_err(|reason| self.context.refusals.malformed(reason))?;
        // Servers disagree on the reason of an answer with calls; the calls decide. A refusal's
        // text comes with `stop`.
        let finish = match (finish, calls.is_empty()) {
            (Finish::Stop, true) if self.refused => Finish::Refusal,
            (Finish::Stop, false) => Finish::ToolCalls,
            (Finish::ToolCalls, true) => Finish::Stop,
            (finish, _) => finish,
        };
        self.queue.push_back(Ok(Delta::Finished(finish)));
        self.close();
        Ok(())
    }

    fn fail(&mut self, error: ProviderError) {
        self.queue.push_back(Err(error));
        self.close();
    }

    /// Gives the connection up, also when the reader keeps the stream.
    fn close(&mut self) {
        self.ended = true;
        self.events = stream::empty().boxed();
    }

    fn body_error(&self, error: &sse_stream::Error) -> ProviderError {
        let refusals = &self.context.refusals;
        let sse_stream::Error::Body(source) = error else {
            return refusals.malformed("an event is not UTF-8");
        };
        match source.downcast_ref::<BodyError>() {
            Some(BodyError::Read(error)) if error.is_timeout() => {
                let reason =
                    format!("silent for {:?} in the middle of an answer", self.timeouts.idle);
                refusals.broken(reason, Sent::Maybe)
            }
            Some(BodyError::Read(error)) => self.broke_off(&root_cause(error)),
            Some(too_long @ BodyError::TooLong) => refusals.malformed(too_long.to_string()),
            None => refusals.malformed("the body cannot be decoded"),
        }
    }

    fn broke_off(&self, why: &str) -> ProviderError {
        let reason = format!("the answer broke off before its end: {why}");
        self.context.refusals.broken(reason, Sent::Maybe)
    }
}
