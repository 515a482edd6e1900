//! A call under way, in a task of its own, so that neither asking nor calling blocks the guest.

use std::sync::Arc;

use approvals::{Action, Approvals, Denial};
use bindings::convert::parts_out;
use bindings::tools::tools as wit;
use domain::wait::{Signal, Waitable};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use harness::Cancellation;
use mcp::{CallError, Output, Servers, Tool};
use serde_json::{Map, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Arguments of one call, as JSON text; the contract says so.
pub const ARGUMENTS_MAX_BYTES: usize = 1 << 20;
/// The model's id of a call; those of all providers have fewer than 100 bytes.
pub const CALL_ID_MAX_BYTES: usize = 256;
/// Open calls of one session; the contract says so.
pub const CALLS_MAX: usize = 64;

/// The room for open calls.
pub(crate) struct Slots(Arc<Semaphore>);

impl Default for Slots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CALLS_MAX)))
    }
}

impl Slots {
    pub fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

/// What a call is made of.
pub(crate) struct Request {
    pub tool: Tool,
    pub arguments: Map<String, Value>,
    /// The same, as the guest wrote it.
    pub text: String,
    pub call_id: String,
}

type Answer = Result<Output, Failure>;

/// Why a call gave no output, in a form that can be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Denied(String),
    TimedOut,
    Cancelled,
    Other(String),
}

/// See the module. Dropping it withdraws the question, or cancels the call at the server.
pub struct Invocation {
    answer: Shared<BoxFuture<'static, Answer>>,
    waitable: Waitable,
    _drop: oneshot::Sender<()>,
    /// Held until the guest drops its handle: the answer stays in memory as long.
    _slot: OwnedSemaphorePermit,
}

impl Invocation {
    /// Must run inside of the runtime.
    pub(crate) fn start(
        request: Request,
        servers: Servers,
        approvals: Approvals,
        cancellation: Cancellation,
        slot: OwnedSemaphorePermit,
    ) -> Self {
        let signal = Signal::default();
        let waitable = signal.waitable();
        let (keep, dropped) = oneshot::channel();
        let (answered, answer) = oneshot::channel();
        tokio::spawn(async move {
            let outcome = tokio::select! {
                biased;
                () = cancellation.cancelled() => Err(Failure::Cancelled),
                _ = dropped => return,
                outcome = run(request, &servers, &approvals) => outcome,
            };
            // The receiver may be gone: the guest dropped its handle.
            let _ = answered.send(outcome);
            signal.raise();
        });
        let lost = || Err(Failure::Other("the call was lost on the host".into()));
        let answer = answer.map(move |outcome| outcome.unwrap_or_else(|_| lost()));
        Self { answer: answer.boxed().shared(), waitable, _drop: keep, _slot: slot }
    }

    /// The answer; the same one again afterwards.
    pub(crate) fn answer(&self) -> impl Future<Output = Answer> + use<> {
        self.answer.clone()
    }

    /// Ready when `answer` would not block.
    pub(crate) fn waitable(&self) -> Waitable {
        self.waitable.clone()
    }
}

async fn run(request: Request, servers: &Servers, approvals: &Approvals) -> Answer {
    let Request { tool, arguments, text, call_id } = request;
    let subject = tool.subject();
    approvals.check(&Action::tool(&subject, &text, &call_id)).await.map_err(
        |denial| match denial {
            Denial::Cancelled => Failure::Cancelled,
            denial => Failure::Denied(denial.to_string()),
        },
    )?;
    servers.call(&tool, arguments).await.map_err(|error| match error {
        CallError::TimedOut => Failure::TimedOut,
        error => Failure::Other(format!("tool `{subject}`: {error}")),
    })
}

pub(crate) fn answer_out(answer: Answer) -> Result<wit::Output, wit::Error> {
    match answer {
        Ok(Output { parts, failed }) => Ok(wit::Output { content: parts_out(parts), failed }),
        Err(Failure::Denied(text)) => Err(wit::Error::Denied(text)),
        Err(Failure::TimedOut) => Err(wit::Error::TimedOut),
        Err(Failure::Cancelled) => Err(wit::Error::Cancelled),
        Err(Failure::Other(text)) => Err(wit::Error::Other(text)),
    }
}
