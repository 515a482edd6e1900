//! Reads a tool call while it is written, so that its arguments stream.
//!
//! The grammar allows exactly the head that [`crate::wire::call_head`] writes, then arguments,
//! then the tail. So nothing is parsed here: the head tells the tool, and everything but the tail
//! is arguments.

use std::sync::Arc;

use crate::utf8::Utf8;
use crate::wire::{CALL_TAIL, call_head};

/// What a fragment of a call brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallPiece {
    /// The tool's name is known.
    Named(String),
    Arguments(String),
}

/// One call that is being written.
#[derive(Debug)]
pub(crate) struct CallReader {
    names: Arc<[String]>,
    utf8: Utf8,
    pending: String,
    named: bool,
}

impl CallReader {
    /// `names`: the tools that the grammar allows.
    pub(crate) fn new(names: Arc<[String]>) -> Self {
        Self { names, utf8: Utf8::default(), pending: String::new(), named: false }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<CallPiece> {
        let text = self.utf8.push(bytes);
        self.pending.push_str(&text);
        let mut pieces = Vec::new();
        if !self.named {
            let head = |name: &&String| self.pending.starts_with(&call_head(name));
            let Some(name) = self.names.iter().find(head) else { return pieces };
            self.pending.drain(..call_head(name).len());
            self.named = true;
            pieces.push(CallPiece::Named(name.clone()));
        }
        // The tail is known to be the tail only when the call is over, so its length is held back.
        let mut safe = self.pending.len().saturating_sub(CALL_TAIL.len());
        while !self.pending.is_char_boundary(safe) {
            safe -= 1;
        }
        if safe > 0 {
            pieces.push(CallPiece::Arguments(self.pending.drain(..safe).collect()));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stream_without_the_tail() {
        let names: Arc<[String]> = ["get", "get_weather", "q\""].map(str::to_owned).into();
        for (name, arguments) in [
            ("get", "{}"),
            ("get_weather", r#"{"city": "Zürich", "n": {"a": "}"}}"#),
            ("q\"", r#"{"a": "€"}"#),
        ] {
            let call = format!("{}{arguments}{CALL_TAIL}", call_head(name));
            for size in 1..=call.len() {
                let mut reader = CallReader::new(Arc::clone(&names));
                let pieces: Vec<_> =
                    call.as_bytes().chunks(size).flat_map(|bytes| reader.push(bytes)).collect();
                assert_eq!(pieces[0], CallPiece::Named(name.to_owned()));
                let joined: String = pieces[1..]
                    .iter()
                    .map(|piece| match piece {
                        CallPiece::Arguments(text) => text.as_str(),
                        CallPiece::Named(_) => panic!("named twice"),
                    })
                    .collect();
                assert_eq!(joined, arguments, "in fragments of {size}");
            }
        }
    }
}
