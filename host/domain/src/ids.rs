//! Identities. All are minted by the host; a guest only ever sees them as opaque strings.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest agent or session name in bytes: they become directory names, and 64 stays readable in
/// a table and far below every file system's limit.
pub const NAME_MAX_BYTES: usize = 64;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name must not be empty")]
    Empty,
    #[error("`{0}` is longer than {NAME_MAX_BYTES} bytes")]
    TooLong(String),
    #[error(
        "`{name}` holds `{character}`; use letters, digits, `-`, `_` and `.`, not starting with `.` or `-`"
    )]
    Character { name: String, character: char },
}

fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > NAME_MAX_BYTES {
        return Err(NameError::TooLong(name.to_owned()));
    }
    let bad = |(i, c): &(usize, char)| {
        !(c.is_ascii_alphanumeric() || *c == '_' || (*i > 0 && matches!(c, '-' | '.')))
    };
    match name.char_indices().find(bad) {
        Some((_, character)) => Err(NameError::Character { name: name.to_owned(), character }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Checks that the name is safe as a directory name on every platform.
            pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
                let name = name.into();
                check(&name)?;
                Ok(Self(name))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A configured identity. Directory-safe.
    AgentName
}
name! {
    /// A conversation; chosen by the user (`--session`) or minted. Directory-safe.
    SessionId
}

impl SessionId {
    /// A fresh id, ordered by time of creation (UUID version 7).
    pub fn mint() -> Self {
        Self(uuid::Uuid::now_v7().simple().to_string())
    }
}

/// One user message to its final answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TurnId(String);

impl TurnId {
    /// A fresh id, ordered by time of creation (UUID version 7).
    pub fn mint() -> Self {
        Self(uuid::Uuid::now_v7().simple().to_string())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TurnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_directory_safe() {
        for good in ["pi", "a", "_x", "my-agent.2", "A_b-c"] {
            assert!(AgentName::new(good).is_ok(), "{good}");
        }
        let long = "x".repeat(NAME_MAX_BYTES + 1);
        for bad in ["", ".", "..", "-rf", "a/b", "a\\b", "a b", "ä", "a\0", &long] {
            assert!(AgentName::new(bad).is_err(), "{bad}");
        }
    }
}
