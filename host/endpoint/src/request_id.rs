//! What a request is called: in its answer, in the headers, in the log, and in the ledger, where it is the
//! task.
//!
//! One name for all of them, so that a client's report leads to the bill. And one alone: each costs a
//! call of the system for random numbers.

use std::fmt;

#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

impl RequestId {
    const PREFIX: &str = "request-";

    pub fn mint() -> Self {
        Self(format!("{}{}", Self::PREFIX, uuid::Uuid::now_v7().simple()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part that no other has, for names in a family's dress.
    pub fn unique(&self) -> &str {
        self.0.strip_prefix(Self::PREFIX).unwrap_or(&self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
