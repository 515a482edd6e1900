//! The person behind an agent, where there is one. Implemented by whatever shows an agent to a
//! person: a terminal, a watcher on the control socket.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// One question; minted by the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuestionId(String);

impl QuestionId {
    /// A fresh id, ordered by time of creation (UUID version 7).
    pub fn mint() -> Self {
        Self(uuid::Uuid::now_v7().simple().to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QuestionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub id: QuestionId,
    pub text: String,
    /// Empty: free text; otherwise the answer is one of them.
    pub choices: Vec<String>,
    /// The tool call that it is about, by the id that the harness announced it with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
}

impl Question {
    /// With a fresh id.
    pub fn new(text: impl Into<String>, choices: impl Into<Vec<String>>) -> Self {
        Self { id: QuestionId::mint(), text: text.into(), choices: choices.into(), call: None }
    }
}

/// What a person said, and who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub text: String,
    /// For the audit log, e.g. `terminal`, `attach (pid 4711)`.
    pub by: String,
}

/// Answers questions.
#[async_trait]
pub trait User: Send + Sync {
    /// Puts a question; resolves when it is answered, or with `None` when nobody can answer.
    /// Dropping the future withdraws the question.
    async fn ask(&self, question: &Question) -> Option<Answer>;
}

/// Nobody is there: every question is refused at once.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

#[async_trait]
impl User for Nobody {
    async fn ask(&self, _question: &Question) -> Option<Answer> {
        None
    }
}
