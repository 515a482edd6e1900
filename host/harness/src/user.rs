//! The person behind an agent, where there is one.

use async_trait::async_trait;

/// Answers questions. Implemented by the command line (a terminal) and by whatever else shows an
/// agent to a person.
#[async_trait]
pub trait User: Send + Sync {
    /// Puts a question; resolves when it is answered, or with `None` when nobody can answer.
    /// Dropping the future withdraws the question. `choices` empty: free text; otherwise the
    /// answer is one of them.
    async fn ask(&self, question: &str, choices: &[String]) -> Option<String>;
}

/// Nobody is there: every question is refused at once.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

#[async_trait]
impl User for Nobody {
    async fn ask(&self, _question: &str, _choices: &[String]) -> Option<String> {
        None
    }
}
