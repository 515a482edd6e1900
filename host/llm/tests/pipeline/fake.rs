//! A provider played by the test: each call arrives in the test, which accepts or refuses it and
//! then sends the deltas one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use domain::chat::Delta;
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};
use domain::{NanoDollars, Price, Tier};
use futures::StreamExt;
use store::Store;
use tokio::sync::{mpsc, oneshot};

use crate::bench::used;

/// One nano-dollar a token, of any kind: costs are counts.
pub const ONE_EACH: Price =
    Price { input: 1_000_000, cached: 1_000_000, cache_write: 1_000_000, output: 1_000_000 };
/// Of `tiered`: ten nano-dollars a token out, and twenty in.
pub const LONG: Tier = Tier {
    above: 1_000,
    price: Price {
        input: 20_000_000,
        cached: 20_000_000,
        cache_write: 20_000_000,
        output: 10_000_000,
    },
};
/// Tokens that every model may answer with.
pub const MAX_OUTPUT: u32 = 4_000;

type Item = Result<Delta, ProviderError>;

pub struct Fake {
    calls: mpsc::UnboundedSender<Incoming>,
    store: Store,
    exact: Arc<AtomicBool>,
}

/// A call that waits for the test.
pub struct Incoming {
    pub call: Call,
    /// What was reserved at the moment of the call.
    pub reserved: NanoDollars,
    answer: oneshot::Sender<Result<mpsc::Receiver<Item>, ProviderError>>,
}

/// An accepted call.
pub struct Upstream(mpsc::Sender<Item>);

/// `exact`: whether it counts the tokens of an answer for certain.
pub fn fake(store: &Store, exact: Arc<AtomicBool>) -> (Fake, mpsc::UnboundedReceiver<Incoming>) {
    let (calls, incoming) = mpsc::unbounded_channel();
    (Fake { calls, store: store.clone(), exact }, incoming)
}

impl Incoming {
    pub fn refuse(self, error: ProviderError) {
        assert!(self.answer.send(Err(error)).is_ok(), "the call was given up");
    }

    pub fn accept(self) -> Upstream {
        let Some(upstream) = self.accept_if_wanted() else { panic!("the call was given up") };
        upstream
    }

    /// The same for a call that may have been given up.
    pub fn refuse_if_wanted(self, error: ProviderError) {
        let _ = self.answer.send(Err(error));
    }

    pub fn accept_if_wanted(self) -> Option<Upstream> {
        let (deltas, receiver) = mpsc::channel(1);
        self.answer.send(Ok(receiver)).ok().map(|()| Upstream(deltas))
    }

    /// Resolves when the pipeline has dropped the call.
    pub async fn gone(mut self) {
        self.answer.closed().await;
    }
}

impl Upstream {
    /// Resolves when there is room for one more; one delta waits unread at most.
    pub async fn send(&self, delta: Delta) {
        assert!(self.0.send(Ok(delta)).await.is_ok(), "the stream was given up");
    }

    pub async fn text(&self, text: &str) {
        self.send(Delta::Text(text.into())).await;
    }

    pub async fn fail(self, error: ProviderError) {
        assert!(self.0.send(Err(error)).await.is_ok(), "the stream was given up");
    }

    /// Whether the stream is still wanted.
    pub async fn try_send(&self, delta: Delta) -> bool {
        self.0.send(Ok(delta)).await.is_ok()
    }

    /// Resolves when the pipeline has dropped the stream.
    pub async fn gone(self) {
        self.0.closed().await;
    }
}

#[async_trait]
impl Provider for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    /// `big` and `small` cost the same, `free` nothing, `unpriced` nobody knows; `panic` breaks.
    fn model(&self, model: &str) -> Option<ModelInfo> {
        let price = match model {
            "big" | "small" | "panic" | "tiered" => Some(ONE_EACH),
            "free" => Some(Price::FREE),
            "unpriced" => None,
            _ => return None,
        };
        Some(ModelInfo {
            name: model.into(),
            context_window: 100_000,
            max_output_tokens: MAX_OUTPUT,
            images: false,
            reasoning: false,
            price,
            tiers: if model == "tiered" { vec![LONG] } else { Vec::new() },
        })
    }

    fn takes(&self, field: &str) -> bool {
        field != "seed"
    }

    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        let (_, reserved) = used(&self.store);
        let panics = call.model == "panic";
        let (answer, answered) = oneshot::channel();
        self.calls.send(Incoming { call, reserved, answer }).map_err(|_| lost())?;
        let deltas = answered.await.map_err(|_| lost())??;
        let stream = futures::stream::unfold(deltas, move |mut deltas| async move {
            let item = deltas.recv().await;
            assert!(item.is_some() || !panics, "this provider breaks");
            Some((item?, deltas))
        });
        Ok(stream.boxed())
    }

    /// Its tokens have four bytes; whether that is certain is the test's affair.
    fn count_at_least(&self, text: &str) -> u64 {
        if self.exact.load(Ordering::Relaxed) { text.len() as u64 / 4 } else { 0 }
    }
}

fn lost() -> ProviderError {
    ProviderError::Other("the test is over".into())
}

pub fn status(status: u16, retry_after_ms: Option<u32>) -> ProviderError {
    ProviderError::Status { provider: "fake".into(), status, reason: "no".into(), retry_after_ms }
}
