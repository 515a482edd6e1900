//! Takes control strings out of what a machine shows.
//!
//! A program in the machine may write anything. What moves the cursor, colours or clears is what a
//! terminal is for; but a control string (OSC, DCS, APC, PM, SOS of ECMA-48) can set this terminal's
//! clipboard and title, open links or make it answer with text, and nothing that the machine's tmux draws
//! needs one.

/// A filter that remembers where it is between pieces.
#[derive(Debug, Default)]
pub struct Strings(State);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// After ESC: it is not known yet what begins.
    Escape,
    /// After 0xC2: the second byte of a C1 control in UTF-8, or of another character.
    C1,
    /// In a string, which is thrown away.
    String,
    /// In a string after ESC: `\` ends it.
    StringEscape,
    /// In a string after 0xC2: 0x9C ends it.
    StringC1,
}

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// CAN and SUB end a string, too.
const CANCEL: [u8; 2] = [0x18, 0x1a];
/// The first byte of U+0080 to U+00BF in UTF-8.
const C1: u8 = 0xc2;
/// The second byte of ST, the string terminator, in UTF-8.
const C1_ST: u8 = 0x9c;

/// Whether a string begins with ESC and this byte; as a C1 control its second byte is 0x40 more.
fn begins(byte: u8) -> bool {
    matches!(byte, b'P' | b'X' | b']' | b'^' | b'_')
}

impl Strings {
    /// The same without control strings. What may begin one is kept back until that is known.
    pub fn without(&mut self, data: &[u8]) -> Vec<u8> {
        let mut kept = Vec::with_capacity(data.len());
        for &byte in data {
            self.0 = match (self.0, byte) {
                (State::Ground, ESC) => State::Escape,
                (State::Ground, C1) => State::C1,
                (State::Ground, _) => {
                    kept.push(byte);
                    State::Ground
                }
                (State::Escape, byte) if begins(byte) => State::String,
                (State::Escape, ESC) => {
                    kept.push(ESC);
                    State::Escape
                }
                (State::Escape, _) => {
                    kept.extend([ESC, byte]);
                    State::Ground
                }
                (State::C1, byte) if byte.checked_sub(0x40).is_some_and(begins) => State::String,
                (State::C1, ESC) => {
                    kept.push(C1);
                    State::Escape
                }
                (State::C1, _) => {
                    kept.extend([C1, byte]);
                    State::Ground
                }
                (State::String, BEL) => State::Ground,
                (State::String, byte) if CANCEL.contains(&byte) => State::Ground,
                (State::String | State::StringEscape, ESC) => State::StringEscape,
                (State::String | State::StringC1, C1) => State::StringC1,
                (State::String, _) => State::String,
                (State::StringEscape, b'\\') => State::Ground,
                // Another escape sequence ends a string, as xterm has it.
                (State::StringEscape, byte) if begins(byte) => State::String,
                (State::StringEscape, _) => {
                    kept.extend([ESC, byte]);
                    State::Ground
                }
                (State::StringC1, C1_ST) => State::Ground,
                (State::StringC1, ESC) => State::StringEscape,
                (State::StringC1, _) => State::String,
            };
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_go_and_everything_else_stays() {
        for (data, expected) in [
            (&b"plain \x1b[31mred\x1b[m\r\n"[..], &b"plain \x1b[31mred\x1b[m\r\n"[..]),
            (b"\x1b]52;c;aGk=\x07after", b"after"),
            (b"\x1b]0;title\x1b\\after", b"after"),
            (b"\x1bP$q m\x1b\\a\x1b_x\x1b\\b\x1b^y\x1b\\c\x1bXz\x1b\\d", b"abcd"),
            ("\u{9d}52;c;aGk=\u{9c}after".as_bytes(), b"after"),
            ("\u{90}q\u{9c}caf\u{e9} \u{b0}".as_bytes(), "caf\u{e9} \u{b0}".as_bytes()),
            (b"\x1b]8;;http://x\x18after", b"after"),
            (b"\x1b]0;never ended \x1b[2Jafter", b"\x1b[2Jafter"),
            (b"\x1b\x1b]0;x\x07after", b"\x1bafter"),
            (b"\x1b]0;x\x1b]0;y\x07after", b"after"),
            (b"\x1b(B\x1b=\x1b7", b"\x1b(B\x1b=\x1b7"),
            (b"\xc2\x1b]0;x\x07after", b"\xc2after"),
        ] {
            let whole = Strings::default().without(data);
            assert_eq!(whole, expected, "{}", data.escape_ascii());
            let mut strings = Strings::default();
            let pieces: Vec<u8> = data.iter().flat_map(|&byte| strings.without(&[byte])).collect();
            assert_eq!(pieces, expected, "in pieces: {}", data.escape_ascii());
        }
    }
}
