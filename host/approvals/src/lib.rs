//! Allow, ask or deny: the rules for what crosses the sandbox, and who is asked.
//!
//! The session makes one [`Approvals`] per session and gives a clone to every crate that lets a
//! call through: verbs, tools, machine, network, files, and `permit` of the harness. Each describes
//! what it is about to do as an [`Action`] and calls [`Approvals::check`] first. The configuration
//! reads [`Rule`]s.
//!
//! This crate must never do the thing itself, never know a WIT interface, and never let an error
//! allow anything: what cannot be asked, recorded or understood is denied.

mod action;
mod approvals;
mod denial;
mod fix;
mod glob;
mod permits;
mod rule;
mod rules;
mod script;
mod turn;
mod unasked;
mod watchers;

pub use action::{Access, Action, WORKSPACE};
pub use approvals::{Approvals, Parts, choices};
pub use denial::{ASKED_MAX_BYTES, Denial};
pub use glob::PATTERN_MAX_BYTES;
pub use rule::{Rule, RuleError, VERBS};
pub use rules::{Decision, Rules};
pub use watchers::Watchers;
