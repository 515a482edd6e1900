//! Why something was not allowed, in words for the model and the user.

/// What can be shown for approval: a command's longest script fits many times.
pub const ASKED_MAX_BYTES: usize = 1 << 20;

/// A call that does not cross. Displayed, it is a sentence for the model; where a line of the
/// configuration would help, it names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    #[error(
        "{what} is denied by the rule `{rule}`; only the user can change that, by removing it from \
         `approvals: deny` in xpressclaw.yaml"
    )]
    Rule { what: String, rule: String },
    #[error("{what} was denied by the user")]
    User { what: String },
    #[error("{what} needs approval, and no user is there to give it; to allow it, {fix}")]
    Nobody { what: String, fix: String },
    #[error(
        "{what} needs approval and is too large to be shown for it: more than {ASKED_MAX_BYTES} bytes"
    )]
    TooLarge { what: String },
    #[error("{count} paths of it need approval, one by one; do it in smaller parts")]
    TooMany { count: usize },
    #[error("{what} could not be recorded in the host's store, and what is not recorded is denied")]
    Unrecorded { what: String },
    /// The turn was cancelled while the user was asked.
    #[error("cancelled")]
    Cancelled,
}
