//! What a request lost on its way to a model that it was not written for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Counts of what was left out, of one request. The history that a harness keeps is untouched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftOut {
    /// Results of tools, each replaced by a short remark.
    pub tool_results: u64,
    /// Results, and arguments of calls, of which only a part is left.
    pub shortened: u64,
    /// Whole messages, the oldest first.
    pub messages: u64,
    /// Images, each replaced by a short remark.
    pub images: u64,
    /// Reasoning that only the provider which signed it can take.
    pub thoughts: u64,
}

impl LeftOut {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for LeftOut {
    /// `2 tool results, 1 image`; empty when nothing was left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for (count, one, many) in [
            (self.messages, "message", "messages"),
            (self.tool_results, "tool result", "tool results"),
            (self.images, "image", "images"),
            (self.thoughts, "thought", "thoughts"),
        ] {
            if count > 0 {
                write!(f, "{gap}{count} {}", if count == 1 { one } else { many })?;
                gap = ", ";
            }
        }
        if self.shortened > 0 {
            write!(f, "{gap}parts of {} more", self.shortened)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_reads_as_a_list() {
        let some = LeftOut { tool_results: 1, messages: 2, shortened: 3, ..LeftOut::default() };
        assert_eq!(some.to_string(), "2 messages, 1 tool result, parts of 3 more");
        assert_eq!(LeftOut::default().to_string(), "");
    }
}
