//! The answer: server-sent events in, deltas out, one at a time as they arrive.
//!
//! The stream ends with exactly one of `Delta::Finished` and an error, never with both, never
//! without either. Dropping it drops the connection.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use domain::chat::{Delta, Finish, Usage};
use domain::provider::{Call, Deltas, ProviderError};
use futures::{StreamExt as _, stream};
use reqwest::Response;
use serde_json::Value;
use tokio::time::Instant;

use super::event::{self, Block, Event, Piece, WireUsage};
use super::mark::Proof;
use crate::endpoint::{
    Events, Read, Refusals, TOKEN_MAX_BYTES, Timeouts, call_ids, is_name, unique_id,
};

/// `message_stop` follows the reason at once. A server that neither sends it nor closes is not waited
/// for: the answer is complete.
const AFTER_FINISH_TIMEOUT: Duration = Duration::from_secs(5);
/// Blocks of one answer: text, thinking and calls by turns; a server that opens more is broken.
const BLOCKS_MAX: usize = 1_024;
/// A signature, or what stands for hidden thinking: those seen are tens of KiB.
const PROOF_MAX_BYTES: usize = 1 << 20;

/// Streams the answer of an accepted call.
pub(super) fn deltas(
    response: Response,
    call: &Call,
    refusals: Refusals,
    timeouts: Timeouts,
) -> Deltas {
    let answer = Answer {
        events: Events::of(response),
        queue: VecDeque::new(),
        refusals,
        timeouts,
        model: call.model.clone(),
        room: TOKEN_MAX_BYTES.saturating_mul(call.max_output_tokens as usize),
        taken: call_ids(&call.request.messages),
        blocks: BTreeMap::new(),
        calls: 0,
        usage: WireUsage::default(),
        told: None,
        counted: false,
        stalled: Instant::now() + timeouts.stall,
        finish: None,
        ended: false,
    };
    stream::unfold(answer, |mut answer| async move {
        let item = answer.next().await?;
        Some((item, answer))
    })
    .boxed()
}

/// A block that is open.
enum Open {
    Text,
    /// The signature so far.
    Thinking(String),
    Tool {
        index: u32,
        /// The input that came with the block's start; `None` once a piece of it was streamed.
        whole: Option<Value>,
    },
    Other,
}

struct Answer {
    events: Events,
    queue: VecDeque<Result<Delta, ProviderError>>,
    refusals: Refusals,
    timeouts: Timeouts,
    /// The model's name at the provider, as asked for.
    model: String,
    /// Bytes that the answer may still have.
    room: usize,
    /// Ids that the conversation already has.
    taken: HashSet<String>,
    blocks: BTreeMap<u32, Open>,
    /// Calls begun so far.
    calls: u32,
    usage: WireUsage,
    /// The usage that was told last.
    told: Option<Usage>,
    /// Whether the whole answer was counted: the count at its start knows no output.
    counted: bool,
    /// When the silence of a server ends that only sends signs of life.
    stalled: Instant,
    /// Set by the reason.
    finish: Option<Finish>,
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
                self.queue.push_back(Err(error));
                self.close();
            }
        }
    }

    /// Reads one event into the queue.
    async fn read(&mut self) -> Result<(), ProviderError> {
        let wait = match self.finish {
            Some(_) => AFTER_FINISH_TIMEOUT,
            None => self.stalled.saturating_duration_since(Instant::now()),
        };
        // Signs of life that are always there would win against a wait that is over.
        let read = if wait.is_zero() { Read::Stalled } else { self.events.read(wait).await };
        match (read, self.finish) {
            (Read::Data(data), _) => self.event(&data),
            (Read::Nothing, _) => Ok(()),
            // The answer is complete; only formalities are missing.
            (_, Some(finish)) => self.end(finish),
            (broken, None) => Err(broken.broken(&self.refusals, &self.timeouts)),
        }
    }

    fn event(&mut self, data: &str) -> Result<(), ProviderError> {
        let event: Event = serde_json::from_str(data).map_err(|error| {
            let column = error.column();
            self.malformed(format!("an event is none of the Messages API (column {column})"))
        })?;
        if !matches!(event, Event::Other) {
            self.stalled = Instant::now() + self.timeouts.stall;
        }
        match event {
            Event::MessageStart { message } => {
                if let Some(model) = message.model.filter(|m| is_name(m) && *m != self.model) {
                    self.queue.push_back(Ok(Delta::Model(model)));
                }
                self.count(message.usage);
            }
            Event::ContentBlockStart { index, content_block } => self.open(index, content_block)?,
            Event::ContentBlockDelta { index, delta } => self.piece(index, delta)?,
            Event::ContentBlockStop { index } => self.stop(index)?,
            Event::MessageDelta { delta, usage } => {
                self.counted |= usage.is_some_and(|usage| usage.output_tokens.is_some());
                self.count(usage);
                self.finish = delta.stop_reason.as_deref().map(event::finish).or(self.finish);
            }
            Event::MessageStop => {
                let finish = self.finish;
                let finish = finish.ok_or_else(|| self.malformed("it gave no reason to stop"))?;
                self.events.drain();
                self.end(finish)?;
            }
            Event::Error { error } => match self.finish {
                Some(finish) => self.end(finish)?,
                None => return Err(self.refusals.in_stream(&error)),
            },
            Event::Other => {}
        }
        Ok(())
    }

    fn count(&mut self, usage: Option<WireUsage>) {
        self.usage = self.usage.then(usage.unwrap_or_default());
        if let Some(usage) = self.usage.counted().filter(|usage| self.told != Some(*usage)) {
            self.told = Some(usage);
            self.queue.push_back(Ok(Delta::Usage(usage)));
        }
    }

    fn open(&mut self, index: u32, block: Block) -> Result<(), ProviderError> {
        if self.blocks.len() == BLOCKS_MAX {
            return Err(self.malformed(format!("more than {BLOCKS_MAX} open blocks")));
        }
        let open = match block {
            Block::Text { text } => {
                self.say(text.len(), Delta::Text(text))?;
                Open::Text
            }
            Block::Thinking { thinking, signature } => {
                self.say(thinking.len(), Delta::Thinking(thinking))?;
                Open::Thinking(signature)
            }
            Block::RedactedThinking { data } => {
                self.prove(Proof::Redacted(&data))?;
                Open::Other
            }
            Block::ToolUse { id, name, input } => {
                if !is_name(&name) {
                    return Err(self.malformed("a tool call without a name"));
                }
                let call = self.calls;
                self.calls += 1;
                let wire = Some(id.as_str()).filter(|id| is_name(id));
                let id = unique_id(wire, &mut self.taken);
                self.say(name.len(), Delta::ToolCallStart { index: call, id, name })?;
                Open::Tool { index: call, whole: Some(input) }
            }
            Block::Other => Open::Other,
        };
        self.blocks.insert(index, open);
        Ok(())
    }

    fn piece(&mut self, index: u32, piece: Piece) -> Result<(), ProviderError> {
        let delta = match (self.blocks.get_mut(&index), piece) {
            (Some(Open::Text), Piece::TextDelta { text }) => Delta::Text(text),
            (Some(Open::Thinking(_)), Piece::ThinkingDelta { thinking }) => {
                Delta::Thinking(thinking)
            }
            (Some(Open::Thinking(proof)), Piece::SignatureDelta { signature }) => {
                if proof.len() + signature.len() > PROOF_MAX_BYTES {
                    return Err(self.malformed("a signature without end"));
                }
                proof.push_str(&signature);
                return Ok(());
            }
            (Some(Open::Tool { index, whole }), Piece::InputJsonDelta { partial_json }) => {
                if partial_json.is_empty() {
                    return Ok(());
                }
                *whole = None;
                Delta::ToolCallArguments { index: *index, fragment: partial_json }
            }
            (Some(_), Piece::OtherDelta) | (Some(Open::Other), _) => return Ok(()),
            (Some(_), _) => return Err(self.malformed("a piece of another kind than its block")),
            (None, _) => return Err(self.malformed("a piece of a block that is not open")),
        };
        let size = match &delta {
            Delta::Text(text) | Delta::Thinking(text) => text.len(),
            Delta::ToolCallArguments { fragment, .. } => fragment.len(),
            _ => 0,
        };
        self.say(size, delta)
    }

    fn stop(&mut self, index: u32) -> Result<(), ProviderError> {
        match self.blocks.remove(&index) {
            Some(Open::Thinking(signature)) if !signature.is_empty() => {
                self.prove(Proof::Signature(&signature))
            }
            Some(Open::Tool { index, whole: Some(input) }) => {
                let fragment = match input {
                    Value::Object(object) if !object.is_empty() => {
                        Value::Object(object).to_string()
                    }
                    // A call without arguments.
                    _ => "{}".to_owned(),
                };
                self.say(fragment.len(), Delta::ToolCallArguments { index, fragment })
            }
            _ => Ok(()),
        }
    }

    fn prove(&mut self, proof: Proof<'_>) -> Result<(), ProviderError> {
        let marked = proof.marked();
        if marked.len() > PROOF_MAX_BYTES {
            return Err(self.malformed("a signature without end"));
        }
        self.queue.push_back(Ok(Delta::ThinkingSignature(marked)));
        Ok(())
    }

    fn say(&mut self, size: usize, delta: Delta) -> Result<(), ProviderError> {
        if size == 0 {
            return Ok(());
        }
        let Some(room) = self.room.checked_sub(size) else {
            return Err(self.malformed("the answer does not stop at the output limit"));
        };
        self.room = room;
        self.queue.push_back(Ok(delta));
        Ok(())
    }

    fn end(&mut self, finish: Finish) -> Result<(), ProviderError> {
        let finish = match (finish, self.calls) {
            // Servers disagree on the reason of an answer with calls; the calls decide.
            (Finish::ToolCalls, 0) => Finish::Stop,
            (Finish::Stop, 1..) => Finish::ToolCalls,
            (finish, _) => finish,
        };
        // A call whose block was never closed may lack half of its arguments.
        if self.blocks.values().any(|open| matches!(open, Open::Tool { .. }))
            && finish == Finish::ToolCalls
        {
            return Err(self.malformed("it ended in the middle of a tool call"));
        }
        if !self.counted && self.told.is_some() {
            // What was told is of the start; a report of nothing leaves the count to the host.
            self.queue.push_back(Ok(Delta::Usage(Usage::default())));
        }
        self.queue.push_back(Ok(Delta::Finished(finish)));
        self.close();
        Ok(())
    }

    /// Gives the connection up, also when the reader keeps the stream.
    fn close(&mut self) {
        self.ended = true;
        self.events.close();
    }

    fn malformed(&self, reason: impl Into<String>) -> ProviderError {
        self.refusals.malformed(reason)
    }
}
