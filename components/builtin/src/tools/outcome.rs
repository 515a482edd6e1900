//! What became of a call, for the model and for the user.

use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::harness::types::{Diff, Status};
use crate::xpressclaw::llm::types::ToolResult;
use crate::xpressclaw::xclaw::types::Error as VerbError;

/// The end of a call.
pub struct Outcome {
    pub status: Status,
    pub content: Vec<Part>,
    pub diff: Option<Diff>,
    /// JSON for programs that read the events.
    pub output: Option<String>,
}

impl Outcome {
    pub fn text(text: impl Into<String>) -> Self {
        let content = vec![Part::Text(text.into())];
        Self { status: Status::Completed, content, diff: None, output: None }
    }

    pub fn failed(failure: Failure) -> Self {
        let status = if failure.denied { Status::Denied } else { Status::Failed };
        Self { status, ..Self::text(failure.text) }
    }

    /// For the history. Providers refuse a result without content.
    pub fn result(self, call_id: String) -> ToolResult {
        let failed = self.status != Status::Completed;
        let mut content = self.content;
        if content.is_empty() {
            content.push(Part::Text("(no output)".to_owned()));
        }
        ToolResult { call_id, content, failed }
    }
}

/// Why a call did not do what it was for, in words for the model.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub text: String,
    /// By policy or by the user.
    pub denied: bool,
}

impl Failure {
    pub fn denied(text: String) -> Self {
        Self { text, denied: true }
    }

    pub fn cancelled() -> Self {
        Self::from("cancelled by the user")
    }

    /// A file operation: `what` names it and the path.
    pub fn io(what: impl std::fmt::Display, error: &std::io::Error) -> Self {
        let text = error.to_string();
        // The number behind the text is WASI's and tells nobody anything.
        let text = text.split(" (os error").next().unwrap_or_default();
        Self::from(format!("cannot {what}: {text}"))
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self { text, denied: false }
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<VerbError> for Failure {
    fn from(error: VerbError) -> Self {
        match error {
            VerbError::Denied(text) => Self::denied(text),
            VerbError::Cancelled => Self::cancelled(),
            VerbError::Invalid(text) => format!("invalid: {text}").into(),
            VerbError::NotFound(text) => format!("not found: {text}").into(),
            VerbError::Other(text) => text.into(),
        }
    }
}
