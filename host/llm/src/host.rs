//! The door for guests: `Host` implementations of `xpressclaw:llm`.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use bindings::convert::{outcome_out, request_in};
use bindings::llm::{chat, models, types as wit};
use domain::chat::Delta;
use domain::limits::COMPLETIONS_MAX;
use domain::wait::Waitable;
use harness::Cancellation;
use wasmtime::component::{HasData, Resource, ResourceTable};

use crate::completion::{Completion, Item};
use crate::error::LlmError;
use crate::pipeline::{Caller, Observer, Pipeline};

/// Bytes in one answer of `next`: large enough that a fast model costs few calls.
const BATCH_MAX_BYTES: usize = 1 << 20;

/// What this door keeps per session.
pub struct LlmCtx {
    pub pipeline: Pipeline,
    pub caller: Caller,
    pub observer: Arc<dyn Observer>,
    /// Of the current turn.
    pub cancellation: Cancellation,
    /// Model calls of the current turn.
    pub steps: Arc<AtomicU32>,
    open: usize,
}

impl LlmCtx {
    pub fn new(pipeline: Pipeline, caller: Caller, observer: Arc<dyn Observer>) -> Self {
        Self {
            pipeline,
            caller,
            observer,
            cancellation: Cancellation::default(),
            steps: Arc::default(),
            open: 0,
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

/// A guest's completion: ends with `cancelled` when its turn does.
struct Entry {
    completion: Option<Completion>,
    ready: Waitable,
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
        let Some(completion) = &entry.completion else { return Ok(Ok(Vec::new())) };
        let mut ready = entry.ready.clone();
        let cancelled = tokio::select! {
            biased;
            () = ready.ready() => false,
            () = entry.cancellation.cancelled() => true,
        };
        if cancelled {
            entry.completion = None;
            return Ok(Err(wit::Error::Cancelled));
        }
        let mut events = Vec::new();
        let mut items = completion.take(BATCH_MAX_BYTES);
        // A failure after other items waits for the next call: those items stay valid.
        if items.len() > 1 && matches!(items.last(), Some(Item::Failed(_))) {
            let failure = items.pop();
            let rest = items.into_iter().filter_map(event_out).collect();
            if let Some(failure) = failure {
                completion.put_back(failure);
            }
            return Ok(Ok(rest));
        }
        for item in items {
            let last = item.is_last();
            match item {
                Item::Failed(error) => {
                    entry.completion = None;
                    return Ok(Err(error_out(error)));
                }
                item => events.extend(event_out(item)),
            }
            if last {
                entry.completion = None;
            }
        }
        Ok(Ok(events))
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
        self.ctx.open = self.ctx.open.saturating_sub(1);
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
        if self.ctx.open >= COMPLETIONS_MAX {
            return Ok(Err(wit::Error::InvalidRequest(format!(
                "{COMPLETIONS_MAX} completions are open; finish or drop one first"
            ))));
        }
        let request = match request_in(request) {
            Ok(request) => request,
            Err(bad) => return Ok(Err(wit::Error::InvalidRequest(bad.to_string()))),
        };
        let ctx = &*self.ctx;
        let started = tokio::select! {
            biased;
            () = ctx.cancellation.cancelled() => Err(LlmError::Cancelled),
            started = ctx.pipeline.complete(&ctx.caller, request, &ctx.steps, ctx.observer.clone()) => started,
        };
        let completion = match started {
            Ok(completion) => completion,
            Err(error) => return Ok(Err(error_out(error))),
        };
        let entry = Entry {
            ready: completion.ready(),
            completion: Some(completion),
            cancellation: self.ctx.cancellation.clone(),
        };
        let entry = self.table.push(entry)?;
        self.ctx.open += 1;
        Ok(Ok(Resource::new_own(entry.rep())))
    }
}

impl models::Host for LlmView<'_> {
    async fn list_models(&mut self) -> wasmtime::Result<Vec<models::Model>> {
        let caller = &self.ctx.caller;
        let names = std::iter::once(&caller.model).chain(&caller.models);
        Ok(names
            .filter_map(|name| self.ctx.pipeline.model(name).ok())
            .map(|info| {
                let price = info.price.unwrap_or_default();
                models::Model {
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
                }
            })
            .collect())
    }
}

fn event_out(item: Item) -> Option<wit::Event> {
    Some(match item {
        Item::Delta(Delta::Text(text)) => wit::Event::Text(text),
        Item::Delta(Delta::Thinking(text)) => wit::Event::Thinking(text),
        Item::Delta(Delta::ThinkingSignature(s)) => wit::Event::ThinkingSignature(s),
        Item::Delta(Delta::ToolCallStart { index, id, name }) => {
            wit::Event::ToolCallStart(wit::ToolCallStart { index, id, name })
        }
        Item::Delta(Delta::ToolCallArguments { index, fragment }) => {
            wit::Event::ToolCallArguments(wit::ToolCallArguments { index, fragment })
        }
        Item::Delta(Delta::ToolCallSignature { index, signature }) => {
            wit::Event::ToolCallSignature(wit::ToolCallSignature { index, signature })
        }
        Item::Finished(outcome) => wit::Event::Finished(outcome_out(outcome)),
        Item::Delta(Delta::Usage(_) | Delta::Model(_) | Delta::Finished(_)) | Item::Failed(_) => {
            return None;
        }
    })
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
