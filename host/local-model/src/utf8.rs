//! Bytes of tokens as text: a token may end inside a character.

/// Collects bytes and gives out whole characters.
#[derive(Debug, Default)]
pub(crate) struct Utf8(Vec<u8>);

impl Utf8 {
    /// The text that is complete now; an unfinished character waits for the next bytes. Bytes that
    /// can never become a character turn into U+FFFD.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let mut text = String::new();
        let mut kept = 0;
        let mut chunks = self.0.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && is_prefix_of_character(invalid) {
                kept = invalid.len();
            } else if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.0.drain(..self.0.len() - kept);
        text
    }
}

/// Whether more bytes could complete a character; `utf8_chunks` only cuts where the bytes so far
/// are a valid beginning, or a single wrong byte.
fn is_prefix_of_character(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|e| e.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_cut_of_a_text_comes_out_whole() {
        let text = "aé€𝄞 z";
        for cut in 0..=text.len() {
            let mut utf8 = Utf8::default();
            let mut out = utf8.push(&text.as_bytes()[..cut]);
            out += &utf8.push(&text.as_bytes()[cut..]);
            assert_eq!(out, text, "{cut}");
        }
        let mut utf8 = Utf8::default();
        let out: String = text.as_bytes().iter().map(|b| utf8.push(&[*b])).collect();
        assert_eq!(out, text);
    }

    #[test]
    fn wrong_bytes_are_replaced_and_never_stall_the_stream() {
        let mut utf8 = Utf8::default();
        assert_eq!(utf8.push(b"a\xff"), "a\u{fffd}");
        assert_eq!(utf8.push(b"\xe2\x82"), "");
        assert_eq!(utf8.push(b"b"), "\u{fffd}b");
    }
}
