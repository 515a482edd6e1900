//! The door for guests: `Host` implementations of `xpressclaw:llm`.

use std::sync::Arc;

use bindings::convert::{outcome_out, request_in};
use bindings::llm::{chat, models, types as wit};
use domain::chat::Delta;
use domain::limits::COMPLETIONS_MAX;
use domain::wait::Waitable;
use harness::Cancellation;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{HasData, Resource, ResourceTable};

use crate::completion::{Completion, Item};
use crate::error::LlmError;
use crate::pipeline::{Caller, Context, Observer, Pipeline};
use crate::steps::Steps;

/// Bytes in one answer of `next`, as the contract has it: large enough that a fast model costs
/// few calls.
const BATCH_MAX_BYTES: usize = 1 << 20;

/// What this door keeps per session.
pub struct LlmCtx {
    pub pipeline: Pipeline,
    pub caller: Caller,
    pub observer: Arc<dyn Observer>,
    /// Of the current turn.
    pub cancellation: Cancellation,
    /// Of the current turn. Whoever ends the turn must [`Steps::finish`] them.
    pub steps: Arc<Steps>,
    /// One for each completion that has not ended.
    open: Arc<Semaphore>,
}

impl LlmCtx {
    pub fn new(pipeline: Pipeline, caller: Caller, observer: Arc<dyn Observer>) -> Self {
        Self {
            pipeline,
            caller,
            observer,
            cancellation: Cancellation::default(),
            steps: Arc::default(),
            open: Arc::new(Semaphore::new(COMPLETIONS_MAX)),
        }
    }
}

/// This door's state together with the store's resource table, borrowed for one call.
pub struct LlmView<'a> {
    pub ctx: &'a mut LlmCtx,
    pub table: &'a mut ResourceTable,
}

/// For `add_to_linker`.
pub struct HasLlm;

impl HasData for HasLlm {
    type Data<'a> = LlmView<'a>;
}

/// A guest's completion.
struct Entry {
    /// Until its end.
    running: Option<(Completion, OwnedSemaphorePermit)>,
    ready: Waitable,
    /// Of the turn that it began in.
    cancellation: Cancellation,
}

impl LlmView<'_> {
    fn entry(&mut self, this: &Resource<chat::Completion>) -> wasmtime::Result<&mut Entry> {
        Ok(self.table.get_mut(&Resource::<Entry>::new_borrow(this.rep()))?)
    }
}

impl wit::Host for LlmView<'_> {}

impl chat::HostCompletion for LlmView<'_> {
    async fn next(
        &mut self,
        this: Resource<chat::Completion>,
    ) -> wasmtime::Result<Result<Vec<wit::Event>, wit::Error>> {
        let entry = self.entry(&this)?;
        let Some((completion, _)) = &entry.running else { return Ok(Ok(Vec::new())) };
        // The driver ends a cancelled completion, too; this does not wait for its settlement.
        let items = tokio::select! {
            biased;
            () = entry.ready.ready() => completion.take(BATCH_MAX_BYTES),
            () = entry.cancellation.cancelled() => vec![Item::Failed(LlmError::Cancelled)],
        };
        if items.last().is_some_and(Item::is_last) {
            entry.running = None;
        }
        Ok(items.into_iter().filter_map(item_out).collect())
    }

    async fn ready(
        &mut self,
        this: Resource<chat::Completion>,
    ) -> wasmtime::Result<Resource<Waitable>> {
        let ready = self.entry(&this)?.ready.clone();
        Ok(self.table.push(ready)?)
    }

    async fn drop(&mut self, this: Resource<chat::Completion>) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Entry>::new_own(this.rep()))?;
        Ok(())
    }
}

impl chat::Host for LlmView<'_> {
    async fn complete(
        &mut self,
        request: wit::Request,
    ) -> wasmtime::Result<Result<Resource<chat::Completion>, wit::Error>> {
        if self.ctx.cancellation.is_cancelled() {
            return Ok(Err(wit::Error::Cancelled));
        }
        let Ok(slot) = self.ctx.open.clone().try_acquire_owned() else {
            return Ok(Err(wit::Error::InvalidRequest(format!(
                "{COMPLETIONS_MAX} completions are open; read one to its end or drop it first"
            ))));
        };
        let request = match request_in(request) {
            Ok(request) => request,
            Err(bad) => return Ok(Err(wit::Error::InvalidRequest(bad.to_string()))),
        };
        let ctx = &*self.ctx;
        let cancellation = ctx.cancellation.clone();
        let context = Context {
            cancellation: cancellation.clone(),
            steps: ctx.steps.clone(),
            observer: ctx.observer.clone(),
        };
        let begin = async {
            ctx.observer.room().await;
            ctx.pipeline.complete(&ctx.caller, request, &context).await
        };
        let started = tokio::select! {
            biased;
            () = cancellation.cancelled() => Err(LlmError::Cancelled),
            started = begin => started,
        };
        let completion = match started {
            Ok(completion) => completion,
            Err(error) => return Ok(Err(error_out(error))),
        };
        let ready = completion.ready();
        let entry = Entry { running: Some((completion, slot)), ready, cancellation };
        let entry = self.table.push(entry)?;
        Ok(Ok(Resource::new_own(entry.rep())))
    }
}

impl models::Host for LlmView<'_> {
    async fn list_models(&mut self) -> wasmtime::Result<Vec<models::Model>> {
        let LlmCtx { caller, pipeline, .. } = &*self.ctx;
        let others = caller.models.iter().filter(|name| **name != caller.model);
        let names = std::iter::once(&caller.model).chain(others);
        // What has no price is refused when it is asked for, so it is not offered.
        Ok(names
            .filter_map(|name| pipeline.model(name).ok())
            .filter_map(|info| Some((info.price?, info)))
            .map(|(price, info)| models::Model {
                name: info.name,
                context_window: info.context_window,
                max_output_tokens: info.max_output_tokens,
                images: info.images,
                reasoning: info.reasoning,
                price: models::Price {
                    input: price.input,
                    cached: price.cached,
                    cache_write: price.cache_write,
                    output: price.output,
                },
            })
            .collect())
    }
}

/// `None` for what only the host sees.
fn item_out(item: Item) -> Option<Result<wit::Event, wit::Error>> {
    let delta = match item {
        Item::Delta(delta) => delta,
        Item::Finished(outcome) => return Some(Ok(wit::Event::Finished(outcome_out(outcome)))),
        Item::Failed(error) => return Some(Err(error_out(error))),
    };
    Some(Ok(match delta {
        Delta::Text(text) => wit::Event::Text(text),
        Delta::Thinking(text) => wit::Event::Thinking(text),
        Delta::ThinkingSignature(signature) => wit::Event::ThinkingSignature(signature),
        Delta::ToolCallStart { index, id, name } => {
            wit::Event::ToolCallStart(wit::ToolCallStart { index, id, name })
        }
        Delta::ToolCallArguments { index, fragment } => {
            wit::Event::ToolCallArguments(wit::ToolCallArguments { index, fragment })
        }
        Delta::ToolCallSignature { index, signature } => {
            wit::Event::ToolCallSignature(wit::ToolCallSignature { index, signature })
        }
        Delta::Usage(_) | Delta::Model(_) | Delta::Finished(_) => return None,
    }))
}

fn error_out(error: LlmError) -> wit::Error {
    let text = error.to_string();
    match error {
        LlmError::BudgetExhausted { scope, resets_at, message } => {
            wit::Error::BudgetExhausted(wit::BudgetExhausted {
                scope: scope.as_str().into(),
                resets_at,
                message,
            })
        }
        LlmError::RateLimited { after_ms } => wit::Error::RateLimited(after_ms),
        LlmError::UnknownModel { .. } => wit::Error::UnknownModel(text),
        LlmError::UnknownPrice { .. } | LlmError::InvalidRequest(_) => {
            wit::Error::InvalidRequest(text)
        }
        LlmError::ContextExceeded { window } => wit::Error::ContextExceeded(window),
        LlmError::ProviderFailed { status, message, retriable } => {
            wit::Error::ProviderFailed(wit::ProviderFailure { status, message, retriable })
        }
        LlmError::Cancelled => wit::Error::Cancelled,
        LlmError::Other(text) => wit::Error::Other(text),
    }
}
