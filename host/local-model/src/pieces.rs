//! Splits the model's text into answer, reasoning and the openings of tool calls.
//!
//! A marker or a stop string may arrive in any number of fragments, so text that could be the
//! beginning of one is held back until it is decided. Called by the generation loop for every
//! token outside a grammar; knows nothing of tokens.

use crate::utf8::Utf8;
use crate::wire::{THINK_CLOSE, THINK_OPEN, TOOL_CALL_OPEN};

/// What a fragment turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Thinking(String),
    /// `</think>` was read.
    ThinkingEnded,
    /// `<tool_call>` was read; `rest` followed it in the same fragment.
    CallOpened {
        rest: String,
    },
    /// A stop string was read; it and everything after it is dropped.
    Stopped,
}

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    pub stops: Vec<String>,
    pub calls: bool,
    pub thinking: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Before the answer's first visible character: white space is dropped, `<think>` counts.
    Leading,
    Thinking,
    Text,
}

#[derive(Debug)]
pub(crate) struct Splitter {
    watch: Watch,
    mode: Mode,
    utf8: Utf8,
    pending: String,
}

impl Splitter {
    /// `inside_thinking`: the prompt already opened the reasoning.
    pub(crate) fn new(watch: Watch, start: Start) -> Self {
        let stops = watch.stops.into_iter().filter(|stop| !stop.is_empty()).collect();
        let mode = match start {
            Start::Answer => Mode::Leading,
            Start::Thinking => Mode::Thinking,
        };
        Self {
            watch: Watch { stops, ..watch },
            mode,
            utf8: Utf8::default(),
            pending: String::new(),
        }
    }

    pub(crate) fn is_thinking(&self) -> bool {
        self.mode == Mode::Thinking
    }

    /// Takes the bytes of one token. After `CallOpened` the splitter starts over as before an
    /// answer; after `Stopped` it must not be used.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let text = self.utf8.push(bytes);
        self.pending.push_str(&text);
        let mut pieces = Vec::new();
        while self.step(&mut pieces) {}
        pieces
    }

    /// Gives out what was held back, at the end of the answer.
    pub(crate) fn finish(&mut self) -> Vec<Piece> {
        let rest = std::mem::take(&mut self.pending);
        if rest.is_empty() {
            return Vec::new();
        }
        match self.mode {
            Mode::Thinking => vec![Piece::Thinking(rest)],
            Mode::Leading | Mode::Text => vec![Piece::Text(rest)],
        }
    }

    /// One decision; false when more text is needed.
    fn step(&mut self, pieces: &mut Vec<Piece>) -> bool {
        match self.mode {
            Mode::Leading => self.step_leading(),
            Mode::Thinking => self.step_thinking(pieces),
            Mode::Text => self.step_text(pieces),
        }
    }

    fn step_leading(&mut self) -> bool {
        let visible = self.pending.trim_start();
        if visible.len() < self.pending.len() {
            self.pending = visible.to_owned();
        }
        if self.pending.is_empty() {
            return false;
        }
        if self.watch.thinking {
            if let Some(rest) = self.pending.strip_prefix(THINK_OPEN) {
                self.pending = rest.to_owned();
                self.mode = Mode::Thinking;
                return true;
            }
            if THINK_OPEN.starts_with(self.pending.as_str()) {
                return false;
            }
        }
        self.mode = Mode::Text;
        true
    }

    fn step_thinking(&mut self, pieces: &mut Vec<Piece>) -> bool {
        if let Some(at) = self.pending.find(THINK_CLOSE) {
            emit(pieces, Piece::Thinking, &self.pending[..at]);
            pieces.push(Piece::ThinkingEnded);
            self.pending.drain(..at + THINK_CLOSE.len());
            self.mode = Mode::Leading;
            return true;
        }
        let safe = self.pending.len() - held_back(&self.pending, &[THINK_CLOSE]);
        emit(pieces, Piece::Thinking, &self.pending[..safe]);
        self.pending.drain(..safe);
        false
    }

    fn step_text(&mut self, pieces: &mut Vec<Piece>) -> bool {
        let call = self.watch.calls.then_some(TOOL_CALL_OPEN);
        let patterns: Vec<&str> = self.watch.stops.iter().map(String::as_str).chain(call).collect();
        let found = patterns
            .iter()
            .filter_map(|pattern| self.pending.find(pattern).map(|at| (at, *pattern)))
            .min_by_key(|(at, _)| *at);
        let Some((at, pattern)) = found else {
            let safe = self.pending.len() - held_back(&self.pending, &patterns);
            emit(pieces, Piece::Text, &self.pending[..safe]);
            self.pending.drain(..safe);
            return false;
        };
        emit(pieces, Piece::Text, &self.pending[..at]);
        if Some(pattern) == call {
            let rest = self.pending[at + pattern.len()..].to_owned();
            pieces.push(Piece::CallOpened { rest });
            self.mode = Mode::Leading;
        } else {
            pieces.push(Piece::Stopped);
        }
        self.pending.clear();
        false
    }
}

/// Where the answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Answer,
    /// The prompt already opened the reasoning.
    Thinking,
}

fn emit(pieces: &mut Vec<Piece>, kind: fn(String) -> Piece, text: &str) {
    if !text.is_empty() {
        pieces.push(kind(text.to_owned()));
    }
}

/// Bytes at the end of `text` that may be the beginning of a pattern.
fn held_back(text: &str, patterns: &[&str]) -> usize {
    let longest = |pattern: &&str| {
        (1..pattern.len())
            .rev()
            .filter(|n| pattern.is_char_boundary(*n))
            .find(|n| text.ends_with(&pattern[..*n]))
            .unwrap_or(0)
    };
    patterns.iter().map(longest).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits `text` cut into fragments of `size` bytes, with equal neighbours joined.
    fn split(watch: &Watch, start: Start, text: &str, size: usize) -> Vec<Piece> {
        let mut splitter = Splitter::new(watch.clone(), start);
        let mut pieces: Vec<Piece> = Vec::new();
        let mut add = |piece: Piece| match (pieces.last_mut(), piece) {
            (Some(Piece::Text(a)), Piece::Text(b)) => a.push_str(&b),
            (Some(Piece::Thinking(a)), Piece::Thinking(b)) => a.push_str(&b),
            (_, piece) => pieces.push(piece),
        };
        for fragment in text.as_bytes().chunks(size) {
            for piece in splitter.push(fragment) {
                let over = matches!(piece, Piece::Stopped | Piece::CallOpened { .. });
                add(piece);
                if over {
                    return pieces;
                }
            }
        }
        splitter.finish().into_iter().for_each(add);
        pieces
    }

    fn check(watch: &Watch, start: Start, text: &str, expected: &[Piece]) {
        for size in 1..=text.len() {
            let mut pieces = split(watch, start, text, size);
            for piece in &mut pieces {
                // How much of the rest arrives with the marker depends on the cut.
                if let Piece::CallOpened { rest } = piece {
                    rest.clear();
                }
            }
            assert_eq!(pieces, expected, "{text:?} in fragments of {size}");
        }
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn thinking(text: &str) -> Piece {
        Piece::Thinking(text.to_owned())
    }

    #[test]
    fn plain_text_loses_only_its_leading_space() {
        let watch =
            Watch { stops: vec!["STOP".to_owned(), String::new()], calls: true, thinking: true };
        check(&watch, Start::Answer, " \nHällo <b> ST", &[text("Hällo <b> ST")]);
        check(&watch, Start::Answer, "<thin", &[text("<thin")]);
        check(&watch, Start::Answer, "a <think> b", &[text("a <think> b")]);
    }

    #[test]
    fn a_stop_string_ends_the_text_wherever_it_is_cut() {
        let watch =
            Watch { stops: vec!["\nUser:".to_owned(), "é€".to_owned()], ..Watch::default() };
        check(&watch, Start::Answer, "Hi\nUse\nUser: x", &[text("Hi\nUse"), Piece::Stopped]);
        check(&watch, Start::Answer, "aéé€b", &[text("aé"), Piece::Stopped]);
    }

    #[test]
    fn a_call_is_announced_after_the_text_before_it() {
        let watch = Watch { calls: true, ..Watch::default() };
        let opened = Piece::CallOpened { rest: String::new() };
        check(
            &watch,
            Start::Answer,
            "Let me see.<tool_call>\n{",
            &[text("Let me see."), opened.clone()],
        );
        check(&watch, Start::Answer, "\n<tool_call>", &[opened]);
        let off = Watch::default();
        check(&off, Start::Answer, "<tool_call>", &[text("<tool_call>")]);
        let whole = split(&watch, Start::Answer, "<tool_call>{\"", 64);
        assert_eq!(whole, [Piece::CallOpened { rest: "{\"".to_owned() }]);
    }

    #[test]
    fn reasoning_is_apart_and_may_be_opened_by_the_prompt() {
        let watch = Watch { thinking: true, calls: true, stops: vec!["b".to_owned()] };
        let expected = [thinking("\nab < /"), Piece::ThinkingEnded, text("c")];
        check(&watch, Start::Answer, "<think>\nab < /</think>\n\nc", &expected);
        check(&watch, Start::Thinking, "\nab < /</think>\n\nc", &expected);
        check(&watch, Start::Thinking, "open", &[thinking("open")]);
    }
}
