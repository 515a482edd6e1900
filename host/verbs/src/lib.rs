//! The `xclaw` verbs: memory, task, budget, log, ask, version.
//!
//! Every verb acts for the agent whose session this is: the identity is in the context that the
//! host made, never in an argument. What they write is not covered by rollback.

mod ask;
mod budget;
pub mod log;
mod memory;
pub mod socket;
mod task;
mod version;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use approvals::{Action, Approvals, Denial};
use bindings::xclaw::types::Error;
use domain::{AgentName, Event, SessionId, User};
use harness::{Cancellation, Events};
use store::Store;
use store::ledger::Cap;
use wasmtime::component::HasData;

pub use log::{GuestOutput, Lines};
pub use version::CONTRACT;

/// What the verbs keep per session.
#[derive(Clone)]
pub struct VerbsCtx {
    pub store: Store,
    pub agent: AgentName,
    pub session: SessionId,
    /// The key that per-task caps count by.
    pub task: String,
    pub caps: Vec<Cap>,
    pub events: Events,
    pub user: Arc<dyn User>,
    pub approvals: Approvals,
    /// Of the current turn.
    pub cancellation: Cancellation,
    pub lines: log::Lines,
}

/// For `add_to_linker`.
pub struct HasVerbs;

/// The context, borrowed for one call.
pub struct VerbsView<'a>(pub &'a mut VerbsCtx);

impl HasData for HasVerbs {
    type Data<'a> = VerbsView<'a>;
}

impl VerbsCtx {
    /// Comes first in every verb that can be refused; `detail` is what a person is shown of it.
    pub(crate) async fn allow(&self, verb: &'static str, detail: &str) -> Result<(), Error> {
        self.approvals.check(&Action::verb(verb, detail)).await.map_err(|denial| match denial {
            Denial::Cancelled => Error::Cancelled,
            denial => Error::Denied(denial.to_string()),
        })
    }

    /// Tells the user that a verb changed something. The guest waits while too much is unread.
    pub(crate) async fn changed(&self, verb: &str, summary: impl Into<String>) {
        tracing::debug!(verb, "a verb changed something");
        let summary = summary.into();
        let bytes = summary.len();
        let event = Event::Verb { verb: verb.into(), summary };
        self.events.caused(event, bytes, &self.cancellation).await;
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A failure of the store that a guest can do nothing about: logged in full, told in short.
pub(crate) fn broken(error: &dyn std::error::Error) -> Error {
    tracing::error!(%error, "the store failed a verb");
    Error::Other("the host's store failed; nothing was changed".into())
}

impl bindings::xclaw::types::Host for VerbsView<'_> {}
