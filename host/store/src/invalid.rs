//! Limits on arguments, and the one shape in which a broken limit is reported.
//!
//! Called by every module that takes text from a guest or a user. The numbers are in
//! `domain::limits` or beside the code that needs them, never here.

use std::fmt;

/// An argument that breaks a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{argument}` must be {limit}")]
pub struct Invalid {
    pub argument: &'static str,
    pub limit: Limit,
}

/// The limit that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// A text of so many bytes.
    Bytes { min: usize, max: usize },
    /// A text without line breaks, of so many bytes.
    Line { min: usize, max: usize },
    /// At most so many items.
    Items { max: usize },
    /// A number in this range.
    Range { min: u64, max: u64 },
    /// An id that an earlier answer held.
    KnownId,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes { min, max } => write!(f, "{min} to {max} bytes"),
            Self::Line { min, max } => write!(f, "one line of {min} to {max} bytes"),
            Self::Items { max } => write!(f, "at most {max} items"),
            Self::Range { min, max } => write!(f, "{min} to {max}"),
            Self::KnownId => write!(f, "an id from an earlier answer"),
        }
    }
}

pub(crate) fn bytes(
    argument: &'static str,
    text: &str,
    min: usize,
    max: usize,
) -> Result<(), Invalid> {
    if (min..=max).contains(&text.len()) {
        return Ok(());
    }
    Err(Invalid { argument, limit: Limit::Bytes { min, max } })
}

pub(crate) fn line(
    argument: &'static str,
    text: &str,
    min: usize,
    max: usize,
) -> Result<(), Invalid> {
    if (min..=max).contains(&text.len()) && !text.contains(['\n', '\r']) {
        return Ok(());
    }
    Err(Invalid { argument, limit: Limit::Line { min, max } })
}

pub(crate) fn items(argument: &'static str, count: usize, max: usize) -> Result<(), Invalid> {
    if count <= max {
        return Ok(());
    }
    Err(Invalid { argument, limit: Limit::Items { max } })
}

/// Checks a row limit against `domain::limits::PAGE_MAX` or a wider `max`.
pub(crate) fn page(limit: u32, max: u32) -> Result<(), Invalid> {
    if (1..=max).contains(&limit) {
        return Ok(());
    }
    let limit = Limit::Range { min: 1, max: u64::from(max) };
    Err(Invalid { argument: "limit", limit })
}
