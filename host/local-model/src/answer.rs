//! One answer: the loop that predicts, chooses, sends and computes tokens.
//!
//! Free text is watched for the opening of a tool call; a call is written under a grammar, its
//! markers are put in by us. So a call is valid whatever the model is like, and free text costs
//! nothing extra. Never sends a control token's text, never sends after the reader is gone.

use std::sync::Arc;

use domain::chat::{Delta, Finish, Usage};
use domain::provider::ProviderError;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llguidance::Matcher;

use crate::cache::{Cache, Computed};
use crate::calls::{CallPiece, CallReader};
use crate::course::{Calls, Opening};
use crate::engine::Prepared;
use crate::grammar::consume_text;
use crate::pieces::{Piece, Splitter, Start, Watch};
use crate::template::Template;
use crate::utf8::Utf8;
use crate::wire::{MARKERS, TOOL_CALL_CLOSE, TOOL_CALL_OPEN};
use crate::worker::Output;

/// What is being written.
enum Phase {
    Free,
    Call { grammar: Box<Matcher>, reader: CallReader },
    Schema { grammar: Box<Matcher>, utf8: Utf8 },
}

/// What follows a token.
enum Step {
    Next,
    /// The model's next words are these.
    Force(String),
    Finish(Finish),
}

pub(crate) struct Answer<'a, 'm> {
    model: &'m LlamaModel,
    cache: &'a mut Cache<'m>,
    output: &'a Output<'a>,
    prepared: Prepared,
    splitter: Splitter,
    phase: Phase,
    /// Calls begun.
    calls: u32,
    usage: Usage,
    sequence: usize,
}

impl<'a, 'm> Answer<'a, 'm> {
    pub(crate) fn new(
        model: &'m LlamaModel,
        cache: &'a mut Cache<'m>,
        template: &Template,
        prepared: Prepared,
        output: &'a Output<'a>,
    ) -> Self {
        let watch = Watch {
            stops: prepared.call.request.stop.clone(),
            calls: prepared.course.calls.is_some(),
            thinking: template.thinks,
        };
        let splitter = Splitter::new(watch, prepared.start);
        let usage = Usage { input: prepared.prompt.len() as u64, ..Usage::default() };
        Self {
            model,
            cache,
            output,
            prepared,
            splitter,
            phase: Phase::Free,
            calls: 0,
            usage,
            sequence: 0,
        }
    }

    pub(crate) fn run(mut self) -> Result<(), ProviderError> {
        let Some(finish) = self.generate()? else { return Ok(()) };
        self.output.send(Delta::Usage(self.usage));
        self.output.send(Delta::Finished(finish));
        Ok(())
    }

    /// `None`: cancelled.
    fn generate(&mut self) -> Result<Option<Finish>, ProviderError> {
        let prompt = std::mem::take(&mut self.prepared.prompt);
        let (sequence, kept) = self.cache.begin(&self.prepared.call.session, &prompt);
        self.sequence = sequence;
        self.usage.cached = kept as u64;
        let mut tokens = prompt[kept..].to_vec();
        if self.prepared.start == Start::Answer
            && let Step::Force(text) = self.open("")
        {
            tokens.extend(self.forced(&text));
        }
        let mut reported = false;
        loop {
            match self.compute(&tokens)? {
                Computed::All => {}
                Computed::Cancelled => return Ok(None),
                Computed::Full => return Ok(Some(Finish::Length)),
            }
            if !reported {
                // So that a call which is cancelled later can be settled.
                self.output.send(Delta::Usage(self.usage));
                reported = true;
            }
            if self.output.is_cancelled() {
                return Ok(None);
            }
            if self.usage.output >= self.prepared.max_output as u64 {
                self.flush();
                return Ok(Some(Finish::Length));
            }
            let token = self.choose()?;
            self.usage.output += 1;
            tokens.clear();
            tokens.push(token);
            match self.take(token) {
                Step::Next => {}
                Step::Force(text) => tokens.extend(self.forced(&text)),
                Step::Finish(finish) => return Ok(Some(finish)),
            }
        }
    }

    fn compute(&mut self, tokens: &[LlamaToken]) -> Result<Computed, ProviderError> {
        let output = self.output;
        self.cache.compute(self.sequence, tokens, || output.is_cancelled())
    }

    fn choose(&mut self) -> Result<LlamaToken, ProviderError> {
        let context = self.cache.context();
        let sampler = &mut self.prepared.sampler;
        match &mut self.phase {
            Phase::Free => Ok(sampler.free(context)),
            Phase::Call { grammar, .. } | Phase::Schema { grammar, .. } => {
                sampler.within(context, grammar)
            }
        }
    }

    /// Sends what a token brings.
    fn take(&mut self, token: LlamaToken) -> Step {
        if self.model.vocab().is_eog(token) {
            self.flush();
            return Step::Finish(self.finish());
        }
        let bytes = self.bytes(token);
        match &mut self.phase {
            Phase::Free => self.take_free(&bytes),
            Phase::Schema { grammar, utf8 } => {
                let text = utf8.push(&bytes);
                if !text.is_empty() {
                    self.output.send(Delta::Text(text));
                }
                if grammar.is_stopped() { Step::Finish(Finish::Stop) } else { Step::Next }
            }
            Phase::Call { grammar, reader } => {
                let pieces = reader.push(&bytes);
                let over = grammar.is_stopped();
                self.send_call(pieces);
                if over { self.close_call() } else { Step::Next }
            }
        }
    }

    fn take_free(&mut self, bytes: &[u8]) -> Step {
        if self.splitter.is_thinking() {
            self.usage.reasoning += 1;
        }
        for piece in self.splitter.push(bytes) {
            match piece {
                // Text after a call would only describe results that are not there yet.
                Piece::Text(_) if self.calls > 0 => return Step::Finish(Finish::ToolCalls),
                Piece::Text(text) => self.output.send(Delta::Text(text)),
                Piece::Thinking(text) => self.output.send(Delta::Thinking(text)),
                Piece::ThinkingEnded => {
                    if let step @ Step::Force(_) = self.open("\n\n") {
                        return step;
                    }
                }
                Piece::CallOpened { rest } => return self.open_call(&rest),
                Piece::Stopped => return Step::Finish(self.finish()),
            }
        }
        Step::Next
    }

    /// Enters the phase that the request demands at the beginning of the answer, once.
    fn open(&mut self, space: &str) -> Step {
        match std::mem::replace(&mut self.prepared.course.opening, Opening::Free) {
            Opening::Free => Step::Next,
            Opening::Call => match self.start_call() {
                Some(phase) => {
                    self.phase = phase;
                    Step::Force(format!("{space}{TOOL_CALL_OPEN}\n"))
                }
                None => Step::Next,
            },
            Opening::Schema(grammar) => {
                self.phase = Phase::Schema { grammar, utf8: Utf8::default() };
                Step::Force(space.to_owned())
            }
        }
    }

    /// The model opened a call by itself; `rest` came with the marker.
    fn open_call(&mut self, rest: &str) -> Step {
        let Some(mut phase) = self.start_call() else { return Step::Next };
        let begun = rest.trim_start();
        if let Phase::Call { grammar, reader } = &mut phase
            && let Some(calls) = &self.prepared.course.calls
            && !begun.is_empty()
        {
            // When the beginning is not a call's, the call is written as if it were not there:
            // the model has seen it, the caller has not.
            if consume_text(grammar, begun) {
                let pieces = reader.push(begun.as_bytes());
                self.send_call(pieces);
            } else {
                **grammar = calls.grammar.deep_clone();
            }
        }
        self.phase = phase;
        if rest.is_empty() { Step::Force("\n".to_owned()) } else { Step::Next }
    }

    fn start_call(&self) -> Option<Phase> {
        let Calls { grammar, names, .. } = self.prepared.course.calls.as_ref()?;
        let reader = CallReader::new(Arc::clone(names));
        Some(Phase::Call { grammar: Box::new(grammar.deep_clone()), reader })
    }

    fn close_call(&mut self) -> Step {
        self.phase = Phase::Free;
        let max = self.prepared.course.calls.as_ref().map_or(0, |calls| calls.max);
        if self.calls >= max {
            return Step::Finish(Finish::ToolCalls);
        }
        Step::Force(format!("\n{TOOL_CALL_CLOSE}"))
    }

    fn send_call(&mut self, pieces: Vec<CallPiece>) {
        for piece in pieces {
            let delta = match piece {
                CallPiece::Named(name) => {
                    self.calls += 1;
                    let id = format!("call_{}", uuid::Uuid::now_v7().simple());
                    Delta::ToolCallStart { index: self.calls - 1, id, name }
                }
                CallPiece::Arguments(fragment) => {
                    Delta::ToolCallArguments { index: self.calls.saturating_sub(1), fragment }
                }
            };
            self.output.send(delta);
        }
    }

    /// Sends what the splitter held back.
    fn flush(&mut self) {
        if !matches!(self.phase, Phase::Free) {
            return;
        }
        for piece in self.splitter.finish() {
            match piece {
                Piece::Text(text) if self.calls == 0 => self.output.send(Delta::Text(text)),
                Piece::Thinking(text) => self.output.send(Delta::Thinking(text)),
                _ => {}
            }
        }
    }

    fn finish(&self) -> Finish {
        if self.calls > 0 { Finish::ToolCalls } else { Finish::Stop }
    }

    /// Tokens of words that we put into the model's mouth; they count as its output, so the limit
    /// cuts them too.
    fn forced(&mut self, text: &str) -> Vec<LlamaToken> {
        let mut tokens = self.model.vocab().tokenize(text.as_bytes(), false, true);
        let used = usize::try_from(self.usage.output).unwrap_or(usize::MAX);
        tokens.truncate(self.prepared.max_output.saturating_sub(used));
        self.usage.output += tokens.len() as u64;
        tokens
    }

    /// The text of a token; nothing for a control token, except the markers that we read.
    fn bytes(&self, token: LlamaToken) -> Vec<u8> {
        let vocab = self.model.vocab();
        let bytes = vocab.token_to_piece(token, false, None);
        if !bytes.is_empty() {
            return bytes;
        }
        let text = vocab.token_to_piece(token, true, None);
        if MARKERS.iter().any(|marker| marker.as_bytes() == text) { text } else { Vec::new() }
    }
}
