//! The answer: server-sent events in, deltas out, one at a time as they arrive.
//!
//! The stream ends with exactly one of `Delta::Finished` and an error, never with both, never
//! without either. Dropping it drops the connection.

use std::collections::VecDeque;
use std::time::Duration;

use domain::chat::{Delta, Finish, Usage};
use domain::provider::{Call, Deltas, ProviderError};
use futures::{StreamExt as _, stream};
use reqwest::Response;

use super::calls::Calls;
use super::chunk::{self, CallFragment, Choice, Chunk, Fragment};
use crate::endpoint::{Events, Read, Refusals, TOKEN_MAX_BYTES, Timeouts, call_ids, is_name};

/// Usage follows the finish reason at once. A server that neither sends it nor closes is not
/// waited for: the answer is complete.
const AFTER_FINISH_TIMEOUT: Duration = Duration::from_secs(5);

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

/// Streams the answer of an accepted call.
pub(super) fn deltas(response: Response, context: Context, timeouts: Timeouts) -> Deltas {
    let answer = Answer {
        events: Events::of(response),
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

struct Answer {
    events: Events,
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
        match (self.events.read(wait).await, self.finish) {
            (Read::Data(data), _) if data == "[DONE]" => self.done(),
            (Read::Data(data), _) => self.event(&data),
            (Read::Nothing, _) => Ok(()),
            // The answer is complete; only formalities are missing.
            (_, Some(finish)) => self.end(finish),
            (broken, None) => Err(broken.broken(&self.context.refusals, &self.timeouts)),
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
        if !self.told_model && is_name(&model) && model != self.context.model {
            self.queue.push_back(Ok(Delta::Model(model)));
        }
        self.told_model = true;
    }

    /// Takes the choice's content and gives back the usage that a few servers put there.
    fn choice(&mut self, choice: Choice) -> Result<Option<serde_json::Value>, ProviderError> {
        if let Some(error) = choice.error.filter(|error| !error.is_null()) {
            return Err(self.context.refusals.in_stream(&error));
        }
        if let Some(fragment) = choice.delta.or(choice.message) {
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
        let content = fragment.content.map(chunk::Content::split).unwrap_or_default();
        let details = fragment.reasoning_details.as_ref().map(chunk::details_text);
        let thinking = some(fragment.reasoning_content)
            .or(some(fragment.reasoning))
            .or(some(details))
            .or(some(Some(content.thinking)));
        if let Some(text) = thinking {
            self.say(text.len(), Delta::Thinking(text))?;
        }
        if let Some(text) = some(Some(content.text)) {
            self.say(text.len(), Delta::Text(text))?;
        }
        if let Some(text) = some(fragment.refusal) {
            self.refused = true;
            self.say(text.len(), Delta::Text(text))?;
        }
        // The older form is of one call, which goes on without a name.
        let older = fragment.function_call.map(CallFragment::from);
        for call in fragment.tool_calls.unwrap_or_default().into_iter().chain(older) {
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
        self.events.drain();
        self.end(finish)
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
        self.events.close();
    }
}
