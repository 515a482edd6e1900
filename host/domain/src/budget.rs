//! Budgets: scopes, windows, and what happens when one is spent.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::money::NanoDollars;

/// Whose spend a cap bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All agents of a data directory together.
    System,
    Agent,
    /// One task, or one `run`.
    Task,
}

/// Over which time a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    Task,
    Daily,
    Weekly,
    Monthly,
    Total,
}

/// What to do when a request does not fit any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExceeded {
    /// Answer from the fallback model.
    #[default]
    Degrade,
    /// Wait until the window resets or the cap is raised.
    Pause,
    /// Refuse.
    Stop,
    /// Answer all the same and say so.
    Alert,
}

/// One cap and how far it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetLine {
    pub scope: Scope,
    pub window: Window,
    pub cap: NanoDollars,
    pub settled: NanoDollars,
    pub reserved: NanoDollars,
    /// Milliseconds since the Unix epoch; `None`: never by itself.
    pub resets_at: Option<u64>,
    pub on_exceeded: OnExceeded,
}

impl BudgetLine {
    /// What is left to reserve.
    pub fn available(&self) -> NanoDollars {
        let used = self.settled.saturating_add(self.reserved);
        NanoDollars(self.cap.0.saturating_sub(used.0))
    }
}

macro_rules! names {
    ($type:ident { $($variant:ident => $name:literal),* $(,)? }) => {
        impl $type {
            /// The name in configuration, SQL, JSON and WIT.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The reverse of `as_str`.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names!(Scope { System => "system", Agent => "agent", Task => "task" });
names!(Window { Task => "task", Daily => "daily", Weekly => "weekly", Monthly => "monthly", Total => "total" });
names!(OnExceeded { Degrade => "degrade", Pause => "pause", Stop => "stop", Alert => "alert" });
