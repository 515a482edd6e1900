//! Marks on the opaque proofs that come with thinking.
//!
//! A history may hold thinking of several providers (after a downgrade, say), and Anthropic refuses
//! a request with a signature that is not its own. A redacted block, which has no text at all, is
//! told from one whose text is only left out.

const SIGNED: &str = "anthropic.thinking:";
const REDACTED: &str = "anthropic.redacted:";

/// What a block of thinking came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof<'a> {
    /// The signature of a `thinking` block.
    Signature(&'a str),
    /// The data of a `redacted_thinking` block.
    Redacted(&'a str),
}

impl<'a> Proof<'a> {
    /// As guests carry it.
    pub fn marked(self) -> String {
        match self {
            Self::Signature(signature) => format!("{SIGNED}{signature}"),
            Self::Redacted(data) => format!("{REDACTED}{data}"),
        }
    }

    /// What a guest gave back; `None` for another provider's.
    pub fn read(marked: &'a str) -> Option<Self> {
        let signature = marked.strip_prefix(SIGNED).map(Self::Signature);
        signature.or_else(|| marked.strip_prefix(REDACTED).map(Self::Redacted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_back_and_others_are_not() {
        for proof in [Proof::Signature("EqQB"), Proof::Redacted("EmwK"), Proof::Signature("")] {
            assert_eq!(Proof::read(&proof.marked()), Some(proof));
        }
        for foreign in ["", "EqQB", "google:abc"] {
            assert_eq!(Proof::read(foreign), None, "{foreign}");
        }
    }
}
