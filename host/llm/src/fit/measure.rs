//! How many tokens a part of a request has, with the target's own tokenizer.
//!
//! Counting stops being exact where the answer is known: a text that cannot fit is not tokenized.

use domain::Part;
use domain::chat::{Request, ToolResult};
use domain::provider::Provider;

use super::RESULT_REMARK;
use super::history::{Step, Turn};
use crate::count::IMAGE_TOKENS;
use crate::price::{Piece, each_of_answer, each_of_part, each_piece};

/// What a chat template puts around a message or a tool: roles, separators, the frame of a call.
const FRAME_TOKENS: u64 = 8;
/// What a template says before a list of tools.
const TOOLS_TOKENS: u64 = 200;
/// Bytes of the longest token that any vocabulary has.
const TOKEN_MAX_BYTES: u64 = 128;

pub(super) struct Measure<'a> {
    provider: &'a dyn Provider,
    room: u64,
    remark: u64,
}

impl<'a> Measure<'a> {
    /// `room`: tokens that the whole request may have.
    pub fn new(provider: &'a dyn Provider, room: u64) -> Self {
        let remark = provider.count_tokens(RESULT_REMARK);
        Self { provider, room, remark }
    }

    pub fn room(&self) -> u64 {
        self.room
    }

    /// Of the content of a result that was left out.
    pub fn remark(&self) -> u64 {
        self.remark
    }

    /// More bytes than so many tokens can have.
    pub fn bytes_of(&self, tokens: u64) -> usize {
        usize::try_from(tokens.saturating_mul(TOKEN_MAX_BYTES)).unwrap_or(usize::MAX)
    }

    /// `tokens` when they fit, and as the error when not.
    pub fn within(&self, tokens: u64) -> Result<u64, u64> {
        if tokens <= self.room { Ok(tokens) } else { Err(tokens) }
    }

    /// A request whose messages were taken out of it.
    pub fn fixed(&self, request: &Request) -> u64 {
        let mut tokens = FRAME_TOKENS;
        each_piece(request, &mut |piece| tokens = tokens.saturating_add(self.piece(piece)));
        if !request.tools.is_empty() {
            let frames = (request.tools.len() as u64).saturating_mul(FRAME_TOKENS);
            tokens = tokens.saturating_add(frames).saturating_add(TOOLS_TOKENS);
        }
        tokens
    }

    pub fn user(&self, turn: &Turn) -> u64 {
        turn.user.as_ref().map_or(0, |parts| FRAME_TOKENS.saturating_add(self.content(parts)))
    }

    /// A step with remarks in place of its results.
    pub fn skeleton(&self, step: &Step) -> u64 {
        let mut tokens = FRAME_TOKENS;
        for part in &step.said {
            tokens = tokens.saturating_add(FRAME_TOKENS);
            each_of_answer(part, &mut |piece| tokens = tokens.saturating_add(self.piece(piece)));
        }
        for result in &step.results {
            let frame = FRAME_TOKENS.saturating_add(self.text(&result.call_id));
            tokens = tokens.saturating_add(frame).saturating_add(self.remark);
        }
        tokens
    }

    /// The content of a result.
    pub fn result(&self, result: &ToolResult) -> u64 {
        self.content(&result.content)
    }

    pub fn content(&self, parts: &[Part]) -> u64 {
        let mut tokens = 0u64;
        for part in parts {
            each_of_part(part, &mut |piece| tokens = tokens.saturating_add(self.piece(piece)));
        }
        tokens
    }

    fn piece(&self, piece: Piece<'_>) -> u64 {
        match piece {
            Piece::Text(text) => self.text(text),
            Piece::Json(json) => self.text(&json.to_string()),
            Piece::Blob(_) => IMAGE_TOKENS,
            // A provider that gets it back counts it as input of a kind of its own.
            Piece::Signature(text) => (text.len() as u64).div_ceil(4),
        }
    }

    fn text(&self, text: &str) -> u64 {
        if text.len() as u64 / TOKEN_MAX_BYTES > self.room {
            return text.len() as u64 / TOKEN_MAX_BYTES;
        }
        self.provider.count_tokens(text)
    }
}
