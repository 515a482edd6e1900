//! Guests' text on a terminal: no escape sequence of theirs may reach it.

use anstream::adapter::{StripBytes, strip_str};

/// Text without escape sequences and control characters, but for line breaks and tabs.
pub fn plain(text: &str) -> String {
    let stripped = strip_str(text).to_string();
    stripped.chars().filter(|c| is_harmless(*c)).collect()
}

/// Whether a character only shows itself: no control character, and none of those that reorder
/// what is read (Unicode bidirectional controls).
pub(super) fn is_harmless(c: char) -> bool {
    match c {
        '\n' | '\t' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => false,
        c => !c.is_control(),
    }
}

/// The same for text that comes in pieces: a sequence may be cut anywhere.
#[derive(Default)]
pub struct Filter(StripBytes);

impl Filter {
    pub fn next(&mut self, piece: &str) -> String {
        let mut kept = Vec::with_capacity(piece.len());
        for bytes in self.0.strip_next(piece.as_bytes()) {
            kept.extend_from_slice(bytes);
        }
        // The pieces are whole characters, so what is kept is.
        String::from_utf8_lossy(&kept).chars().filter(|c| is_harmless(*c)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_text_passes() {
        for (dirty, clean) in [
            ("a\x1b[31mred\x1b[0m b", "ared b"),
            ("\x1b]0;title\x07x", "x"),
            ("\x1b]52;c;aGk=\x1b\\x", "x"),
            ("tab\tline\nbell\x07", "tab\tline\nbell"),
            ("back\x08space\rreturn", "backspacereturn"),
            ("\u{202e}evil", "evil"),
            ("\u{9b}31mc1", "31mc1"),
            ("grün 🦀", "grün 🦀"),
        ] {
            assert_eq!(plain(dirty), clean, "{dirty:?}");
            let mut filter = Filter::default();
            let mut pieces = String::new();
            for c in dirty.chars() {
                pieces.push_str(&filter.next(&c.to_string()));
            }
            assert_eq!(pieces, clean, "{dirty:?} in pieces");
        }
    }
}
