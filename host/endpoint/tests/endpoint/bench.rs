//! An endpoint with one agent, and a provider that plays a list of deltas.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use domain::chat::Delta;
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};
use domain::{AgentName, Price};
use endpoint::{Access, Agents, Endpoint, mint};
use futures::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use llm::Pipeline;
use store::Store;
use store::ledger::Cap;
use tempfile::TempDir;
use tower_service::Service as _;

/// One nano-dollar a token, of any kind: costs are counts.
const ONE_EACH: Price =
    Price { input: 1_000_000, cached: 1_000_000, cache_write: 1_000_000, output: 1_000_000 };

/// A field of a request that breaks the host.
pub const BREAKS: &str = "verbosity";

pub type Play = Vec<Result<Delta, ProviderError>>;

/// Answers every call with the same play, and keeps what it was asked.
pub struct Double {
    play: Play,
    /// What `takes` says yes to; `None`: everything.
    takes: Option<&'static str>,
    pub calls: Mutex<Vec<Call>>,
    /// Never answers: the call stays open until it is dropped.
    pub silent: bool,
}

impl Double {
    pub fn plays(play: Play) -> Arc<Self> {
        Arc::new(Self { play, takes: None, calls: Mutex::default(), silent: false })
    }

    pub fn silent() -> Arc<Self> {
        Arc::new(Self { play: Vec::new(), takes: None, calls: Mutex::default(), silent: true })
    }

    pub fn takes(play: Play, field: &'static str) -> Arc<Self> {
        Arc::new(Self { play, takes: Some(field), calls: Mutex::default(), silent: false })
    }
}

#[async_trait]
impl Provider for Double {
    fn name(&self) -> &str {
        "double"
    }

    fn model(&self, model: &str) -> Option<ModelInfo> {
        (model != "none").then(|| ModelInfo {
            name: model.into(),
            context_window: 100_000,
            max_output_tokens: 4_000,
            images: true,
            reasoning: true,
            price: Some(ONE_EACH),
            tiers: Vec::new(),
        })
    }

    fn takes(&self, field: &str) -> bool {
        assert_ne!(field, BREAKS, "a mistake in the host");
        self.takes.is_none_or(|takes| takes == field)
    }

    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        self.calls.lock().unwrap().push(call);
        if self.silent {
            return Ok(stream::pending().boxed());
        }
        Ok(stream::iter(self.play.clone()).boxed())
    }
}

/// An endpoint in memory, its store on the disk.
pub struct Bench {
    pub store: Store,
    pub router: Router,
    pub endpoint: Endpoint,
    pub pipeline: Pipeline,
    pub token: String,
    _folder: TempDir,
}

impl Bench {
    pub fn new(double: &Arc<Double>) -> Self {
        Self::with_caps(double, Vec::new())
    }

    /// The agent `me` with the models `d/m` and `d/other`.
    pub fn with_caps(double: &Arc<Double>, caps: Vec<Cap>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), 0).unwrap();
        let mut router = llm::Router::default();
        router.add("d", double.clone());
        let pipeline = Pipeline::new(router, store.clone());
        let agent = AgentName::new("me").unwrap();
        let access =
            Access { model: "d/m".into(), models: vec!["d/other".into()], caps, fallback: None };
        let token = mint().unwrap();
        store.token().add(&agent, "test", &token.digest(), 0).unwrap();
        let agents = Agents::from([(agent, access)]);
        let endpoint = Endpoint::new(pipeline.clone(), store.clone(), agents);
        Self {
            router: endpoint::router(endpoint.clone()),
            endpoint,
            token: token.to_string(),
            store,
            pipeline,
            _folder: folder,
        }
    }

    pub fn post(&self, path: &str, body: impl Into<Body>) -> Request<Body> {
        Request::post(path)
            .header("authorization", format!("Bearer {}", self.token))
            .body(body.into())
            .unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().call(request).await.unwrap()
    }
}

/// The body, whole.
pub async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}
