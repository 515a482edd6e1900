//! Several answers at once: which are written, which wait, and what the next batch computes.
//!
//! Each step takes a token of every answer that is being written and a part of the prompts that are
//! being read, computes them in one batch, and lets each answer choose its next token. Calls
//! beyond [`Setup::parallel`] wait in the order of their arrival.
//!
//! All share the cells of one context window. When these run out, prefixes that nobody uses go
//! first; then the answer that began last is put off, with all it wrote, until another has ended.
//! So an answer that is alone always has the whole window, and none is lost to its neighbours.

use std::collections::VecDeque;

use domain::provider::ProviderError;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;

use crate::answer::Answer;
use crate::cache::{Cache, Decoded, Piece};
use crate::engine::Engine;
use crate::share::shares;
use crate::worker::{Job, Output, Setup};

/// Tokens that a waiting prompt must have in common with one that is being read, beyond what was
/// read of it, to wait for them: reading fewer twice costs less than a place that stays empty.
const AWAITED_MIN: usize = 64;

pub(crate) struct Schedule<'m> {
    setup: &'m Setup,
    model: &'m LlamaModel,
    cache: Cache<'m>,
    /// Those that have a place, in the order in which they got it.
    running: Vec<Answer<'m>>,
    waiting: VecDeque<Answer<'m>>,
    /// Places, at most. Fewer after an answer was put off, until another one has ended: otherwise
    /// it would come back at once and be put off again.
    places: usize,
}

impl<'m> Schedule<'m> {
    pub(crate) fn new(setup: &'m Setup, model: &'m LlamaModel, cache: Cache<'m>) -> Self {
        let places = setup.parallel();
        Self { setup, model, cache, running: Vec::new(), waiting: VecDeque::new(), places }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// Accepts a call, or refuses it before it has a stream.
    pub(crate) fn add(&mut self, job: Job, engine: &mut Engine<'_>) {
        if job.accepted.is_canceled() {
            return;
        }
        match engine.prepare(job.call) {
            Ok(prepared) => {
                let (output, deltas) = Output::new(self.setup);
                // Whoever gave up meanwhile is noticed as a reader that is gone.
                let _ = job.accepted.send(Ok(deltas));
                let template = &self.setup.template;
                self.waiting.push_back(Answer::new(self.model, template, prepared, output));
            }
            Err(error) => {
                let _ = job.accepted.send(Err(error));
            }
        }
    }

    /// Computes one batch, if there is anything to compute.
    pub(crate) fn step(&mut self) {
        self.drop_cancelled();
        self.admit();
        match self.compute() {
            Ok(Some(taken)) => self.advance(&taken),
            Ok(None) => self.make_room(),
            // Whatever it was, it may concern all of them, and none has a place any more.
            Err(error) => self.fail(&error),
        }
    }

    fn drop_cancelled(&mut self) {
        self.waiting.retain(|answer| !answer.is_cancelled());
        for mut answer in self.running.extract_if(.., |answer| answer.is_cancelled()) {
            if let Some(sequence) = answer.leave() {
                self.cache.end(sequence);
            }
            self.places = self.setup.parallel();
        }
    }

    /// Gives free places to those who waited longest.
    fn admit(&mut self) {
        while self.running.len() < self.places
            && self.waiting.front().is_some_and(|next| !self.is_being_read(next.prompt()))
            && let Some(mut next) = self.waiting.pop_front()
        {
            let (sequence, kept) = self.cache.begin(next.session(), next.tokens());
            next.place(sequence, kept);
            self.running.push(next);
        }
    }

    /// Whether another answer is about to read what this prompt begins with, so that it need not
    /// be read twice: agents of one kind are often started together.
    fn is_being_read(&self, prompt: &[LlamaToken]) -> bool {
        self.cache.can_share()
            && self.running.iter().any(|answer| {
                let common = answer.prompt().iter().zip(prompt).take_while(|(a, b)| a == b).count();
                common >= answer.computed() + AWAITED_MIN
            })
    }

    /// For each running answer how many tokens were computed, and where the last one stands in the
    /// batch. `None`: the cells do not suffice.
    fn compute(&mut self) -> Result<Option<Vec<(usize, i32)>>, ProviderError> {
        let wishes: Vec<_> = self.running.iter().map(Answer::wish).collect();
        let shares = shares(&wishes);
        let mut pieces = Vec::with_capacity(self.running.len());
        for (answer, share) in self.running.iter().zip(&shares) {
            let (tokens, predict) = answer.next(*share);
            if let Some(sequence) = answer.sequence() {
                pieces.push(Piece { sequence, tokens, predict });
            }
        }
        if pieces.is_empty() {
            return Ok(Some(Vec::new()));
        }
        match self.cache.decode(&pieces)? {
            Decoded::Computed(last) => Ok(Some(shares.into_iter().zip(last).collect())),
            Decoded::NoRoom => Ok(None),
        }
    }

    fn advance(&mut self, taken: &[(usize, i32)]) {
        let mut taken = taken.iter();
        for mut answer in std::mem::take(&mut self.running) {
            let Some((count, index)) = taken.next() else {
                self.running.push(answer);
                continue;
            };
            let ended = match answer.advance(*count, self.cache.context(), *index) {
                Ok(None) => {
                    self.running.push(answer);
                    continue;
                }
                Ok(Some(finish)) => Ok(finish),
                Err(error) => Err(error),
            };
            if let Some(sequence) = answer.leave() {
                self.cache.end(sequence);
            }
            self.places = self.setup.parallel();
            match ended {
                Ok(finish) => answer.finish(finish),
                Err(error) => answer.fail(error),
            }
        }
    }

    /// Puts the answer off that began last; one that is alone has filled the window.
    fn make_room(&mut self) {
        let Some(mut last) = self.running.pop() else { return };
        if let Some(sequence) = last.leave() {
            self.cache.end(sequence);
        }
        if self.running.is_empty() {
            last.cut();
            return;
        }
        self.places = self.running.len();
        self.waiting.push_front(last);
    }

    fn fail(&mut self, error: &ProviderError) {
        for mut answer in std::mem::take(&mut self.running) {
            if let Some(sequence) = answer.leave() {
                self.cache.end(sequence);
            }
            answer.fail(error.clone());
        }
        self.places = self.setup.parallel();
    }
}
