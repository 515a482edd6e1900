//! The host as one process has it, with a model that answers at once, and the same components under
//! bare wasmtime.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use approvals::Rules;
use async_trait::async_trait;
use domain::chat::{Delta, Finish, Usage};
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};
use domain::user::Nobody;
use domain::{AgentName, Part, Price, SessionId};
use engine::{Allocation, CompileCache, Engine, Options};
use futures::{StreamExt as _, stream};
use harness::EventReader;
use llm::{Pipeline, Router};
use network::Policy;
use session::{Harness, Runtime, RuntimeOptions, Session, SessionConfig};
use store::Store;
use tempfile::TempDir;
use wasmtime::component::Component;

const MODEL: &str = "bench";

/// A process with its data in a folder of its own.
pub struct Host {
    pub folder: TempDir,
    pub runtime: Arc<Runtime>,
}

impl Host {
    /// With room for so many sessions.
    pub fn new(sessions: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(&folder.path().join("data"), 0)?;
        let options = RuntimeOptions {
            compiled: folder.path().join("compiled"),
            sessions,
            allocation: Allocation::Pooled,
        };
        let mut router = Router::default();
        router.add(MODEL, Arc::new(Answering));
        let pipeline = Pipeline::new(router, store.clone());
        let runtime = Arc::new(Runtime::new(&options, pipeline, store)?);
        Ok(Self { folder, runtime })
    }

    pub fn harness(&self, name: &str) -> Result<Harness> {
        let file = component(name)?;
        let stem = name.rsplit('/').next().unwrap_or(name);
        Ok(Harness::load(&self.runtime, stem, &file, || {})?)
    }

    pub fn session(&self, harness: &Harness) -> Result<(Session, EventReader)> {
        let session = SessionId::mint();
        let workspace = self.folder.path().join("workspace");
        std::fs::create_dir_all(&workspace)?;
        let config = SessionConfig {
            agent: AgentName::new(harness.name())?,
            model: MODEL.into(),
            models: Vec::new(),
            fallback: None,
            role: None,
            settings: "{}".into(),
            workspace,
            state: self.folder.path().join("state").join(session.to_string()),
            session,
            caps: Vec::new(),
            task: MODEL.into(),
            policy: Policy::deny_all(),
            rules: Rules::default(),
            servers: Vec::new(),
            machine: None,
            user: Arc::new(Nobody),
        };
        Ok(Session::open(self.runtime.clone(), harness.clone(), config)?)
    }
}

/// Runs one turn and throws its events away.
pub async fn turn(session: &mut Session, events: &mut EventReader, prompt: &str) -> Result<()> {
    let report = session.turn(vec![Part::text(prompt)]).await;
    while events.try_next().is_some() {}
    report.result.with_context(|| format!("the turn `{prompt}` failed"))?;
    Ok(())
}

/// Components under an engine of the same configuration, with nothing of ours around them.
pub struct Bare {
    pub engine: Engine,
    compiled: TempDir,
}

impl Bare {
    pub fn new(sessions: u32) -> Result<Self> {
        let engine = Engine::new(&Options { sessions, allocation: Allocation::Pooled })?;
        Ok(Self { engine, compiled: tempfile::tempdir()? })
    }

    pub fn component(&self, name: &str) -> Result<Component> {
        let cache = CompileCache::new(self.compiled.path());
        Ok(cache.load(self.engine.wasmtime(), &component(name)?, || {})?.0)
    }
}

fn component(name: &str) -> Result<PathBuf> {
    const FOLDERS: &str = "XPRESSCLAW_HARNESS_PATH";
    let folders = env::var_os(FOLDERS)
        .with_context(|| format!("{FOLDERS} is not set: run `cargo xtask bench`"))?;
    let file = format!("{name}.wasm");
    let found = env::split_paths(&folders).map(|folder| folder.join(&file)).find(|p| p.is_file());
    found.with_context(|| format!("no {file} in {FOLDERS}: run `cargo xtask components`"))
}

/// wasmtime's errors as those of this crate.
pub trait Told<T> {
    fn told(self) -> Result<T>;
}

impl<T> Told<T> for wasmtime::Result<T> {
    fn told(self) -> Result<T> {
        self.map_err(|error| anyhow::anyhow!("{error:?}"))
    }
}

/// Answers everything with one word.
struct Answering;

#[async_trait]
impl Provider for Answering {
    fn name(&self) -> &str {
        MODEL
    }

    fn model(&self, _: &str) -> Option<ModelInfo> {
        Some(ModelInfo {
            name: MODEL.into(),
            context_window: 200_000,
            max_output_tokens: 16_384,
            images: true,
            reasoning: false,
            price: Some(Price::FREE),
            tiers: Vec::new(),
        })
    }

    async fn call(&self, _: Call) -> Result<Deltas, ProviderError> {
        let usage = Usage { input: 10, output: 2, ..Usage::default() };
        let answer =
            [Delta::Text("Hello.".into()), Delta::Usage(usage), Delta::Finished(Finish::Stop)];
        Ok(stream::iter(answer.map(Ok)).boxed())
    }
}
