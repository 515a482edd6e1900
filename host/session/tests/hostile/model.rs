//! A model that answers the same, after a while or without end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::Price;
use domain::chat::{Delta, Finish, Request, Usage};
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};
use futures::{StreamExt as _, stream};

pub const ANSWER: &str = "Hello.";

#[derive(Clone, Default)]
pub struct Model {
    delay: Duration,
    endless: bool,
    open: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
    asked: Arc<Mutex<Option<Request>>>,
}

/// Counted for as long as a stream lives.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Model {
    /// The first byte comes so late.
    pub fn slow(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// Its answer never ends.
    pub fn endless() -> Self {
        Self { endless: true, ..Self::default() }
    }

    /// Answers that are still streamed.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// The last request.
    pub fn asked(&self) -> Option<Request> {
        self.asked.lock().unwrap().clone()
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Provider for Model {
    fn name(&self) -> &str {
        "model"
    }

    fn model(&self, _: &str) -> Option<ModelInfo> {
        Some(ModelInfo {
            name: "model".into(),
            context_window: 100_000,
            max_output_tokens: 1_000,
            images: true,
            reasoning: false,
            price: Some(Price::FREE),
            tiers: Vec::new(),
        })
    }

    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        *self.asked.lock().unwrap() = Some(call.request);
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.open.fetch_add(1, Ordering::SeqCst);
        let (open, delay) = (Open(self.open.clone()), self.delay);
        let usage = Usage { input: 1, output: 1, ..Usage::default() };
        let answer =
            [Delta::Text(ANSWER.into()), Delta::Usage(usage), Delta::Finished(Finish::Stop)];
        let pieces = match self.endless {
            true => stream::repeat(Delta::Text("more ".into())).boxed(),
            false => stream::iter(answer).boxed(),
        };
        let late = stream::once(tokio::time::sleep(delay)).flat_map(|()| stream::empty());
        let pieces = pieces.then(move |delta| {
            let _open = &open;
            async {
                tokio::task::yield_now().await;
                Ok(delta)
            }
        });
        Ok(late.chain(pieces).boxed())
    }
}
