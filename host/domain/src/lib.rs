//! Core types of xpressclaw, shared by every crate of the host.
//!
//! No I/O, no clock, no environment, no wasm: what is here can be tested with values alone. The
//! names are those of the WIT contract, of SQL and of the JSON that users see.

pub mod approval;
pub mod budget;
pub mod chat;
pub mod content;
pub mod event;
pub mod ids;
pub mod input;
mod left_out;
pub mod limits;
pub mod money;
pub mod namespace;
pub mod provider;
mod quoted;
pub mod terminal;
pub mod user;
pub mod wait;

pub use approval::{ActionKind, Verdict};
pub use budget::{BudgetLine, OnExceeded, Scope, Window};
pub use content::{Blob, Link, Part};
pub use event::{Event, Fault, HarnessEvent};
pub use ids::{AgentName, SessionId, TurnId};
pub use input::TurnInput;
pub use left_out::LeftOut;
pub use money::{NanoDollars, Price, Tier};
pub use quoted::Quoted;
pub use user::{Answer, Nobody, Question, QuestionId, User};
