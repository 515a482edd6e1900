//! One answer: chooses token after token and sends what they mean.
//!
//! Free text is watched for the opening of a tool call; a call is written under a grammar, its
//! markers are put in by us. So a call is valid whatever the model is like, and free text costs
//! nothing extra. `schedule` computes the tokens, of several answers in one batch; an answer holds
//! all of its own, so it can be put off and taken up again at any point. Never sends a control
//! token's text, never sends after the reader is gone.

use std::sync::Arc;

use domain::SessionId;
use domain::chat::{Delta, Finish, Usage};
use domain::provider::ProviderError;
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llguidance::Matcher;

use crate::calls::{CallPiece, CallReader};
use crate::course::{Calls, Course, Opening};
use crate::engine::Prepared;
use crate::grammar::consume_text;
use crate::pieces::{Piece, Splitter, Start, Watch};
use crate::sampler::Sampler;
use crate::share::Wish;
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

pub(crate) struct Answer<'m> {
    model: &'m LlamaModel,
    output: Output<'m>,
    session: SessionId,
    /// The prompt, then everything written.
    tokens: Vec<LlamaToken>,
    prompt: usize,
    /// Tokens that the cache holds, in `sequence`.
    computed: usize,
    /// Where it is being written; `None`: it waits.
    sequence: Option<usize>,
    max_output: usize,
    sampler: Sampler,
    course: Course,
    splitter: Splitter,
    phase: Phase,
    /// Calls begun.
    calls: u32,
    usage: Usage,
    reported: bool,
}

impl<'m> Answer<'m> {
    pub(crate) fn new(
        model: &'m LlamaModel,
        template: &Template,
        prepared: Prepared,
        output: Output<'m>,
    ) -> Self {
        let watch = Watch {
            stops: prepared.stops,
            calls: prepared.course.calls.is_some(),
            thinking: template.thinks,
        };
        let usage = Usage { input: prepared.prompt.len() as u64, ..Usage::default() };
        let mut answer = Self {
            model,
            output,
            session: prepared.session,
            prompt: prepared.prompt.len(),
            tokens: prepared.prompt,
            computed: 0,
            sequence: None,
            max_output: prepared.max_output,
            sampler: prepared.sampler,
            course: prepared.course,
            splitter: Splitter::new(watch, prepared.start),
            phase: Phase::Free,
            calls: 0,
            usage,
            reported: false,
        };
        if prepared.start == Start::Answer
            && let Step::Force(text) = answer.open("")
        {
            answer.force(&text);
        }
        answer
    }

    pub(crate) fn session(&self) -> &SessionId {
        &self.session
    }

    pub(crate) fn tokens(&self) -> &[LlamaToken] {
        &self.tokens
    }

    /// Tokens at the beginning that are in the cache, or will be before anything is written.
    pub(crate) fn prompt(&self) -> &[LlamaToken] {
        &self.tokens[..self.prompt]
    }

    pub(crate) fn computed(&self) -> usize {
        self.computed
    }

    pub(crate) fn sequence(&self) -> Option<usize> {
        self.sequence
    }

    /// The reader is gone or the provider is closing; asked before every batch.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.output.is_cancelled()
    }

    /// Its place in the cache, and how many of its tokens are there already.
    pub(crate) fn place(&mut self, sequence: usize, kept: usize) {
        self.sequence = Some(sequence);
        self.computed = kept;
        if !self.reported {
            self.usage.cached = kept.min(self.prompt) as u64;
        }
    }

    /// Gives its place up and returns it; what was written stays.
    pub(crate) fn leave(&mut self) -> Option<usize> {
        self.computed = 0;
        self.sequence.take()
    }

    pub(crate) fn wish(&self) -> Wish {
        Wish { tokens: self.tokens.len() - self.computed, writing: self.computed >= self.prompt }
    }

    /// The next `count` tokens to compute, and whether they are all.
    pub(crate) fn next(&self, count: usize) -> (&[LlamaToken], bool) {
        let end = self.tokens.len().min(self.computed + count);
        (&self.tokens[self.computed..end], end == self.tokens.len())
    }

    /// `count` tokens were computed. When they were all, chooses the next one by the prediction at
    /// `index` of the batch. `Some`: it ends so.
    pub(crate) fn advance(
        &mut self,
        count: usize,
        context: &LlamaContext<'_>,
        index: i32,
    ) -> Result<Option<Finish>, ProviderError> {
        self.computed += count;
        if self.computed < self.tokens.len() {
            return Ok(None);
        }
        if !self.reported {
            // So that a call which is cancelled later can be settled.
            self.output.send(Delta::Usage(self.usage));
            self.reported = true;
        }
        if self.usage.output >= self.max_output as u64 {
            self.flush();
            return Ok(Some(Finish::Length));
        }
        let token = self.choose(context, index)?;
        self.usage.output += 1;
        self.tokens.push(token);
        match self.take(token) {
            Step::Next => Ok(None),
            Step::Force(text) => {
                self.force(&text);
                Ok(None)
            }
            Step::Finish(finish) => Ok(Some(finish)),
        }
    }

    /// The window is full: no token follows.
    pub(crate) fn cut(mut self) {
        self.flush();
        self.finish(Finish::Length);
    }

    pub(crate) fn finish(self, finish: Finish) {
        self.output.send(Delta::Usage(self.usage));
        self.output.send(Delta::Finished(finish));
    }

    pub(crate) fn fail(self, error: ProviderError) {
        self.output.fail(error);
    }

    fn choose(
        &mut self,
        context: &LlamaContext<'_>,
        index: i32,
    ) -> Result<LlamaToken, ProviderError> {
        match &mut self.phase {
            Phase::Free => Ok(self.sampler.free(context, index)),
            Phase::Call { grammar, .. } | Phase::Schema { grammar, .. } => {
                self.sampler.within(context, index, grammar)
            }
        }
    }

    /// Sends what a token brings.
    fn take(&mut self, token: LlamaToken) -> Step {
        if self.model.vocab().is_eog(token) {
            self.flush();
            return Step::Finish(self.natural_end());
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
                Piece::Stopped => return Step::Finish(self.natural_end()),
            }
        }
        Step::Next
    }

    /// Enters the phase that the request demands at the beginning of the answer, once.
    fn open(&mut self, space: &str) -> Step {
        match std::mem::replace(&mut self.course.opening, Opening::Free) {
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
            && let Some(calls) = &self.course.calls
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
        let Calls { grammar, names, .. } = self.course.calls.as_ref()?;
        let reader = CallReader::new(Arc::clone(names));
        Some(Phase::Call { grammar: Box::new(grammar.deep_clone()), reader })
    }

    fn close_call(&mut self) -> Step {
        self.phase = Phase::Free;
        let max = self.course.calls.as_ref().map_or(0, |calls| calls.max);
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

    fn natural_end(&self) -> Finish {
        if self.calls > 0 { Finish::ToolCalls } else { Finish::Stop }
    }

    /// Puts words into the model's mouth; they count as its output, so the limit cuts them too.
    fn force(&mut self, text: &str) {
        let mut tokens = self.model.vocab().tokenize(text.as_bytes(), false, true);
        let used = usize::try_from(self.usage.output).unwrap_or(usize::MAX);
        tokens.truncate(self.max_output.saturating_sub(used));
        self.usage.output += tokens.len() as u64;
        self.tokens.extend(tokens);
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
