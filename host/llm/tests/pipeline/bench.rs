//! A pipeline under test with everything around it.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::chat::{Message, Request};
use domain::{AgentName, Event, NanoDollars, OnExceeded, Part, Scope, SessionId, Window};
use futures::future::BoxFuture;
use harness::TurnHandle;
use llm::{
    Caller, Completion, Context, Item, LlmError, Observer, Options, Pipeline, Router, Steps,
};
use store::Store;
use store::ledger::{Cap, Filter, HISTORY_PAGE_MAX, Spend};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::fake::{Incoming, Upstream, fake};

pub const TASK: &str = "run";

pub struct Bench {
    pub store: Store,
    pub pipeline: Pipeline,
    pub calls: UnboundedReceiver<Incoming>,
    pub caller: Caller,
    pub context: Context,
    pub log: Arc<Log>,
    pub turn: TurnHandle,
    /// Whether the provider's count of an answer is certain.
    pub exact: Arc<AtomicBool>,
}

/// What the user would see.
#[derive(Default)]
pub struct Log {
    seen: Mutex<Vec<Event>>,
    /// Set: there is no room for more.
    pub full: watch::Sender<bool>,
}

impl Observer for Log {
    fn event(&self, event: Event) {
        self.seen.lock().unwrap().push(event);
    }

    fn room(&self) -> BoxFuture<'_, ()> {
        let mut full = self.full.subscribe();
        Box::pin(async move {
            full.wait_for(|full| !full).await.unwrap();
        })
    }
}

impl Log {
    pub fn events(&self) -> Vec<Event> {
        self.seen.lock().unwrap().clone()
    }

    /// The events' types, in order.
    pub fn types(&self) -> Vec<String> {
        let of = |event: &Event| serde_json::to_value(event).unwrap()["type"].clone();
        self.events().iter().map(|event| of(event).as_str().unwrap().to_owned()).collect()
    }
}

pub fn agent() -> AgentName {
    AgentName::new("tester").unwrap()
}

/// An agent's cap over all time.
pub fn cap(nanos: u64, on_exceeded: OnExceeded) -> Cap {
    Cap { on_exceeded, ..Cap::new(Scope::Agent, Window::Total, NanoDollars(nanos)) }
}

/// Settled and reserved.
pub fn used(store: &Store) -> (NanoDollars, NanoDollars) {
    let gauge = [cap(0, OnExceeded::Alert)];
    let lines = store.ledger().lines(&agent(), None, &gauge, 0).unwrap();
    (lines[0].settled, lines[0].reserved)
}

/// 34 tokens at most: two bytes and two frames; counted as one.
pub fn request() -> Request {
    Request { messages: vec![Message::User(vec![Part::text("hi")])], ..Request::default() }
}

impl Bench {
    /// An agent whose model is `fake/big`.
    pub fn new(caps: Vec<Cap>) -> Self {
        Self::with(caps, Options::default())
    }

    /// The same with limits, or a clock of the test's own.
    pub fn with(caps: Vec<Cap>, options: Options) -> Self {
        let store = Store::in_memory().unwrap();
        let exact = Arc::<AtomicBool>::default();
        let (fake, calls) = fake(&store, exact.clone());
        let mut router = Router::default();
        router.add("fake", Arc::new(fake));
        let pipeline = Pipeline::with(router, store.clone(), options);
        let caller = Caller {
            agent: agent(),
            session: SessionId::new("session").unwrap(),
            turn: None,
            task: TASK.into(),
            model: "fake/big".into(),
            models: ["small", "free", "unpriced", "panic"].map(|m| format!("fake/{m}")).into(),
            caps,
            fallback: None,
        };
        let turn = TurnHandle::default();
        let log = Arc::<Log>::default();
        let context = Context {
            cancellation: turn.begin(),
            steps: Arc::<Steps>::default(),
            observer: log.clone(),
        };
        Self { store, pipeline, calls, caller, context, log, turn, exact }
    }

    pub async fn complete(&self, request: Request) -> Result<Completion, LlmError> {
        self.pipeline.complete(&self.caller, request, &self.context).await
    }

    /// Starts a call and waits for it at the provider.
    pub async fn called(&mut self, request: Request) -> (Completion, Incoming) {
        let completion = self.complete(request).await.unwrap();
        (completion, self.next_call().await)
    }

    pub async fn next_call(&mut self) -> Incoming {
        bounded(self.calls.recv()).await.unwrap()
    }

    /// The same, accepted.
    pub async fn streaming(&mut self, request: Request) -> (Completion, Upstream) {
        let (completion, incoming) = self.called(request).await;
        (completion, incoming.accept())
    }

    /// Settled and reserved.
    pub fn used(&self) -> (u64, u64) {
        let (settled, reserved) = used(&self.store);
        (settled.0, reserved.0)
    }

    /// Newest first.
    pub fn history(&self) -> Vec<Spend> {
        self.store.ledger().history(&Filter::default(), HISTORY_PAGE_MAX).unwrap()
    }
}

/// Everything that is left of a completion.
pub async fn rest(completion: &Completion) -> Vec<Item> {
    let mut items = Vec::new();
    while let Some(item) = bounded(completion.next()).await {
        items.push(item);
    }
    items
}

/// Fails where a test would hang: time passes at once when nothing else can happen.
pub async fn bounded<T>(future: impl Future<Output = T>) -> T {
    const DAY: Duration = Duration::from_secs(24 * 3_600);
    timeout(DAY, future).await.expect("nothing happens any more")
}
