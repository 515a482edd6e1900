//! A question for approval under way: asked in a task of its own, so that asking never blocks.

use std::sync::Arc;

use approvals::{Action, Approvals, Denial};
use bindings::session::turn::Refusal;
use domain::event::Call;
use domain::wait::{Signal, Waitable};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::cancel::Cancellation;
use crate::cut::call_size;

/// A call shown for approval: title and input of a command fit many times.
const PERMIT_MAX_BYTES: usize = 1 << 20;

/// Questions of a session that wait for their answers: a person reads one at a time, and each holds
/// a call of up to a mebibyte.
const QUESTIONS_MAX: usize = 64;

/// The room for them.
pub(crate) struct Questions(Arc<Semaphore>);

impl Default for Questions {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(QUESTIONS_MAX)))
    }
}

impl Questions {
    /// Until the question is over.
    pub fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

/// See the module. Dropping it withdraws the question.
pub(crate) struct Permission {
    answer: Shared<BoxFuture<'static, Result<(), Refusal>>>,
    waitable: Waitable,
    _withdraw: oneshot::Sender<()>,
}

impl Permission {
    /// Must run inside of the runtime.
    pub fn ask(
        call: Call,
        approvals: Approvals,
        cancellation: Cancellation,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let signal = Signal::default();
        let waitable = signal.waitable();
        let (withdraw, withdrawn) = oneshot::channel();
        let (answered, answer) = oneshot::channel();
        let Some(slot) = slot else {
            let _ = answered.send(too_many());
            signal.raise();
            return Self::of(answer, waitable, withdraw);
        };
        // Of this turn: the task may run for the first time when the next one has begun.
        let ended = approvals.ended();
        tokio::spawn(async move {
            let _open = slot;
            let verdict = tokio::select! {
                biased;
                () = cancellation.cancelled() => Err(Refusal::Cancelled),
                () = ended => Err(Refusal::Cancelled),
                _ = withdrawn => return,
                verdict = decide(&call, &approvals) => verdict,
            };
            // The receiver may be gone: the guest dropped its question.
            let _ = answered.send(verdict);
            signal.raise();
        });
        Self::of(answer, waitable, withdraw)
    }

    fn of(
        answer: oneshot::Receiver<Result<(), Refusal>>,
        waitable: Waitable,
        withdraw: oneshot::Sender<()>,
    ) -> Self {
        // No answer at all: the user's side broke.
        let lost = || denied("nobody could be asked for approval");
        let answer = answer.map(move |verdict| verdict.unwrap_or_else(|_| lost()));
        Self { answer: answer.boxed().shared(), waitable, _withdraw: withdraw }
    }

    /// The user's answer; the same one again afterwards.
    pub fn answer(&self) -> impl Future<Output = Result<(), Refusal>> + use<> {
        self.answer.clone()
    }

    /// Ready when `answer` would not block.
    pub fn waitable(&self) -> Waitable {
        self.waitable.clone()
    }
}

async fn decide(call: &Call, approvals: &Approvals) -> Result<(), Refusal> {
    if call_size(call) > PERMIT_MAX_BYTES {
        return denied("the call is too large to be shown for approval");
    }
    approvals.check(&Action::permit(call)).await.map_err(|denial| match denial {
        Denial::Cancelled => Refusal::Cancelled,
        denial => Refusal::Denied(denial.to_string()),
    })
}

fn too_many() -> Result<(), Refusal> {
    Err(Refusal::Denied(format!(
        "{QUESTIONS_MAX} questions wait for the user already; ask again when they are answered"
    )))
}

fn denied(text: &str) -> Result<(), Refusal> {
    Err(Refusal::Denied(text.into()))
}
