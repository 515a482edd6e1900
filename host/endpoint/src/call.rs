//! One request on its way through the pipeline, whichever family asked.

use std::sync::{Arc, Mutex, PoisonError};

use domain::chat::Request;
use domain::{BudgetLine, Event};
use futures::future::BoxFuture;
use harness::Cancellation;
use llm::{Caller, Completion, Context, LlmError, Observer, Pipeline, Steps};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::error::Refusal;
use crate::limits::PAUSE_MAX;
use crate::ticket::Account;

/// A completion that was granted.
pub(crate) struct Started {
    pub completion: Completion,
    /// The model that answers, by the name that it is asked for.
    pub model: String,
    pub downgraded_from: Option<String>,
}

/// One that is not granted yet.
pub(crate) struct Pending {
    granted: BoxFuture<'static, Result<Completion, LlmError>>,
    watch: Arc<Watch>,
    requested: String,
    until: Instant,
}

/// Hears what the pipeline says of a request.
struct Watch {
    account: Arc<Account>,
    seen: Mutex<Seen>,
    paused: Notify,
}

#[derive(Default)]
struct Seen {
    downgrade: Option<(String, String)>,
    pause: Option<(String, Option<u64>)>,
}

impl Observer for Watch {
    fn event(&self, event: Event) {
        match event {
            Event::Downgrade { from, to, reason, .. } => {
                tracing::info!(%from, %to, %reason, "a request was downgraded");
                self.account.downgraded();
                self.seen().downgrade = Some((from, to));
            }
            Event::StepFinished { usage, cost, .. } => self.account.settled(&usage, cost),
            Event::Budget { message, .. } => tracing::warn!("{message}"),
            _ => {}
        }
    }

    fn paused(&self, line: &BudgetLine) {
        let message = format!(
            "the {} {} budget of {} is spent, and the agent is paused until it resets or is raised",
            line.scope, line.window, line.cap
        );
        self.seen().pause = Some((message, line.resets_at));
        self.paused.notify_one();
    }
}

impl Watch {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    pub fn new(
        pipeline: Pipeline,
        caller: Caller,
        request: Request,
        account: Arc<Account>,
    ) -> Self {
        let (seen, paused) = Default::default();
        let watch = Arc::new(Watch { account, seen, paused });
        let requested = request.model.clone().unwrap_or_else(|| caller.model.clone());
        let context = Context {
            cancellation: Cancellation::default(),
            steps: Arc::<Steps>::default(),
            observer: watch.clone(),
        };
        let granted = async move { pipeline.complete(&caller, request, &context).await };
        Self { granted: Box::pin(granted), watch, requested, until: Instant::now() + PAUSE_MAX }
    }

    /// Waits until it is granted or refused; gives itself back when the agent is paused.
    pub async fn unless_paused(mut self) -> Result<Result<Started, Refusal>, Self> {
        let granted = tokio::select! {
            biased;
            granted = &mut self.granted => granted,
            () = self.watch.paused.notified() => return Err(self),
        };
        Ok(self.started(granted))
    }

    /// Waits through a pause, for [`PAUSE_MAX`] at most.
    pub async fn wait(&mut self) -> Result<Started, Refusal> {
        match timeout_at(self.until, &mut self.granted).await {
            Ok(granted) => self.started(granted),
            Err(_) => {
                let paused = self.watch.seen().pause.clone();
                let (message, resets_at) = paused.unwrap_or_default();
                Err(Refusal::Paused { message, resets_at })
            }
        }
    }

    fn started(&self, granted: Result<Completion, LlmError>) -> Result<Started, Refusal> {
        let completion = granted?;
        let (downgraded_from, model) = match self.watch.seen().downgrade.take() {
            Some((from, to)) => (Some(from), to),
            None => (None, self.requested.clone()),
        };
        Ok(Started { completion, model, downgraded_from })
    }
}
