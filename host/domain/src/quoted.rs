//! A value of a guest's or a peer's, repeated in a message.

use std::fmt;

/// Bytes that are repeated: a name that somebody mistyped is far shorter, and one of megabytes must
/// not come back in every error, event and log line that tells of it.
const QUOTED_MAX_BYTES: usize = 200;

/// Shows a text in backticks, as much of it as helps to recognise it.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.floor_char_boundary(QUOTED_MAX_BYTES)];
        let more = if shown.len() < self.0.len() { "…" } else { "" };
        write!(f, "`{shown}{more}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(Quoted("gpt-5").to_string(), "`gpt-5`");
        let long = Quoted(&"ä€".repeat(1_000)).to_string();
        assert!(long.starts_with("`ä€ä€") && long.ends_with("…`"), "{long}");
        assert!(long.len() <= QUOTED_MAX_BYTES + 5, "{}", long.len());
    }
}
