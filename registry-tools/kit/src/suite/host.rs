//! A host for one scenario: a data directory of its own, the model of the suite, sessions.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use approvals::Rules;
use domain::user::Nobody;
use domain::{AgentName, NanoDollars, Scope, SessionId, Window};
use engine::Allocation;
use llm::{Pipeline, Router};
use network::Policy;
use session::{Harness, MachineConfig, Runtime, RuntimeOptions, Session, SessionConfig};
use store::Store;
use store::ledger::Cap;

use super::record::Record;
use super::scenario::Scenario;
use super::stage::Stage;
use super::{Options, SuiteError};
use crate::files::FileError;

/// What a scenario is played with.
pub struct Parts<'a> {
    pub component: &'a Path,
    pub options: &'a Options,
}

/// See the module.
pub struct Host {
    folder: PathBuf,
    runtime: Arc<Runtime>,
    harness: Harness,
    /// One for each session.
    pub stages: Vec<Stage>,
    /// Where a budget degrades to.
    pub fallback: Stage,
    settings: String,
    caps: Vec<Cap>,
    rules: Rules,
    machine: Option<MachineConfig>,
}

/// An open session.
pub struct Open {
    pub session: Session,
    pub record: Record,
}

const FALLBACK: &str = "fallback";

fn other(error: impl std::error::Error + Send + Sync + 'static) -> SuiteError {
    SuiteError::Host(Box::new(error))
}

impl Host {
    /// A host whose data is in `folder`, which may hold what another host left.
    pub fn new(folder: &Path, parts: &Parts<'_>, scenario: &Scenario) -> Result<Self, SuiteError> {
        let options = parts.options;
        let store = Store::open(&folder.join("data"), now_ms()).map_err(other)?;
        let price = scenario.budget.as_ref().map(|budget| budget.output_price.as_str());
        let stages: Vec<_> =
            (0..scenario.sessions).map(|_| Stage::new(price, options.tool.as_ref())).collect();
        let fallback = Stage::new(None, options.tool.as_ref());
        let mut router = Router::default();
        for (number, stage) in stages.iter().enumerate() {
            router.add(model(number), Arc::new(stage.clone()));
        }
        router.add(FALLBACK, Arc::new(fallback.clone()));
        let pipeline = Pipeline::new(router, store.clone());
        let runtime_options = RuntimeOptions {
            compiled: options.compiled.clone(),
            sessions: scenario.sessions,
            allocation: Allocation::OnDemand,
        };
        let runtime = Runtime::new(&runtime_options, pipeline, store).map_err(other)?;
        let name = parts.component.file_stem().unwrap_or_default().to_string_lossy();
        let harness = Harness::load(&runtime, &name, parts.component, || {})?;
        let mut caps = Vec::new();
        if let Some(budget) = &scenario.budget {
            let amount = NanoDollars::parse(&budget.cap).map_err(other)?;
            let mut cap = Cap::new(Scope::Agent, Window::Total, amount);
            cap.on_exceeded = budget.on_exceeded;
            cap.fallback = Some(FALLBACK.into());
            caps.push(cap);
        }
        let deny = scenario.deny.iter().map(|rule| rule.parse().map_err(other));
        let rules = Rules { deny: deny.collect::<Result<_, _>>()?, ..Rules::default() };
        let settings = options.settings.clone().map(serde_json::Value::Object);
        Ok(Self {
            folder: folder.into(),
            runtime: Arc::new(runtime),
            harness,
            stages,
            fallback,
            settings: settings.map_or_else(|| "{}".into(), |settings| settings.to_string()),
            caps,
            rules,
            machine: options.machine.clone(),
        })
    }

    /// Opens or continues a session.
    pub fn open(&self, number: usize) -> Result<Open, SuiteError> {
        let folder = self.folder.join(format!("session-{number}"));
        let workspace = folder.join("workspace");
        std::fs::create_dir_all(&workspace)
            .map_err(|source| FileError::Write { path: workspace.clone(), source })?;
        let config = SessionConfig {
            agent: AgentName::new("conformance").map_err(other)?,
            session: SessionId::new(format!("session-{number}")).map_err(other)?,
            model: model(number),
            models: Vec::new(),
            fallback: Some(FALLBACK.into()),
            role: None,
            settings: self.settings.clone(),
            workspace,
            state: folder.join("state"),
            caps: self.caps.clone(),
            task: "conformance".into(),
            policy: Policy::deny_all(),
            rules: self.rules.clone(),
            servers: Vec::new(),
            machine: self.machine.clone(),
            user: Arc::new(Nobody),
        };
        let (session, events) =
            Session::open(self.runtime.clone(), self.harness.clone(), config).map_err(other)?;
        Ok(Open { session, record: Record::of(events) })
    }

    /// Waits until everything that was begun at a model is settled.
    pub async fn drain(&self) {
        self.runtime.pipeline().drain().await;
    }

    /// Copies all that is recorded to another folder. No session may be open.
    pub fn copy_to(&self, folder: &Path) -> Result<(), FileError> {
        copy(&self.folder, folder)
    }
}

fn model(number: usize) -> String {
    format!("model-{number}")
}

fn copy(from: &Path, to: &Path) -> Result<(), FileError> {
    let read = |source| FileError::Read { path: from.into(), source };
    std::fs::create_dir_all(to).map_err(|source| FileError::Write { path: to.into(), source })?;
    for entry in std::fs::read_dir(from).map_err(read)? {
        let path = entry.map_err(read)?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            std::fs::copy(&path, &target)
                .map_err(|source| FileError::Write { path: target, source })?;
        }
    }
    Ok(())
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
