//! The stream of events of a session: what `--format json` prints, one object a line.
//!
//! `Event::Harness` wraps what a guest emitted; every other variant is the host's own, and a guest
//! has no way to produce it: that is how usage and budget events cannot be forged.

use serde::{Deserialize, Serialize};

use crate::approval::{ActionKind, Verdict};
use crate::budget::{Scope, Window};
use crate::chat::{Finish, Usage};
use crate::content::Part;
use crate::ids::{AgentName, SessionId, TurnId};
use crate::left_out::LeftOut;
use crate::money::NanoDollars;
use crate::user::QuestionId;

/// One step of a session as the user sees it. JSON: an object with a `type`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    TurnStarted {
        session: SessionId,
        turn: TurnId,
        agent: AgentName,
        harness: String,
        model: String,
    },
    /// A model call began: the reservation is committed.
    StepStarted { step: u32, model: String, reserved: NanoDollars },
    /// A model call was settled.
    StepFinished {
        step: u32,
        /// The model that really answered.
        model: String,
        finish: Option<Finish>,
        usage: Usage,
        cost: NanoDollars,
    },
    /// A model call failed for good; whatever it used is in its `StepFinished`.
    StepFailed { step: u32, message: String },
    /// A call is tried again before its first byte.
    Retry { step: u32, attempt: u32, reason: String, delay_ms: u64 },
    /// A budget or an outage routed the request to another model.
    Downgrade {
        from: String,
        to: String,
        reason: String,
        /// What the other model cannot take.
        #[serde(default, skip_serializing_if = "LeftOut::is_nothing")]
        left_out: LeftOut,
    },
    /// A cap passed a warning percentage.
    Budget { scope: Scope, window: Window, cap: NanoDollars, used: NanoDollars, message: String },
    /// A provider charged more than was reserved; it is booked in full. The only way past a cap.
    Overshoot { model: String, reserved: NanoDollars, cost: NanoDollars },
    /// A state was restored.
    Rollback { reason: String },
    /// The sandbox refused something; `hint` is what would allow it.
    Refused { what: String, hint: String },
    /// An MCP server is not there, or not all that it lists is offered; `hint` is where to look.
    Server { server: String, message: String, hint: String },
    /// A verb changed something: `memory.add`, `task.update`, …
    Verb { verb: String, summary: String },
    /// A question waits for the user.
    Ask {
        id: QuestionId,
        question: String,
        choices: Vec<String>,
        /// The tool call that it is about, by the harness's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<String>,
    },
    /// A call that rules or a person decided on: what was asked for, and every denial.
    Approval {
        kind: ActionKind,
        /// The verb, tool, script, path or host; cut when it is long.
        subject: String,
        verdict: Verdict,
        /// `terminal`, `rule deny path:**/.env`, `remembered for good`, `nobody`, …
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<String>,
    },
    /// A question of `Ask` is over. Without `by` nobody answered it.
    Answered { id: QuestionId, by: Option<String>, answer: Option<String> },
    TurnFinished {
        turn: TurnId,
        stop: Stop,
        /// Served models, in order of first use.
        models: Vec<String>,
        usage: Usage,
        cost: NanoDollars,
        /// Milliseconds.
        elapsed_ms: u64,
    },
    TurnFailed {
        turn: TurnId,
        fault: Fault,
        message: String,
        usage: Usage,
        cost: NanoDollars,
        elapsed_ms: u64,
    },
    /// What the harness reports.
    #[serde(untagged)]
    Harness(HarnessEvent),
}

/// `xpressclaw:harness/types.event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HarnessEvent {
    Message { part: Part },
    Thought { text: String },
    Call(Call),
    CallUpdate(CallUpdate),
    CallOutput { id: String, text: String },
    Plan { entries: Vec<PlanEntry> },
    Commands { commands: Vec<Command> },
    Title { title: String },
    Notice { text: String },
    Other { name: String, json: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Read,
    Edit,
    Delete,
    Move,
    Search,
    Execute,
    Think,
    Fetch,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub id: String,
    pub tool: String,
    pub kind: Kind,
    pub title: String,
    /// JSON text.
    pub input: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    pub path: String,
    pub old: Option<String>,
    pub new: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallContent {
    Part(Part),
    Diff(Diff),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pending,
    InProgress,
    Completed,
    Failed,
    Denied,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallUpdate {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Vec<CallContent>>,
    /// The structured result, JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    Pending,
    InProgress,
    Completed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanEntry {
    pub text: String,
    pub status: PlanStatus,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub name: String,
    pub description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Why a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    EndTurn,
    MaxTokens,
    MaxSteps,
    Refusal,
    Cancelled,
}

/// Whose failure it was that a turn did not come to its end; each is an exit code of `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The prompt could not be taken.
    Request,
    /// The model or its provider.
    Model,
    /// Nothing is left to spend.
    Budget,
    /// The harness crashed or was stopped.
    Harness,
    /// The host's own, as of its store.
    Host,
}
