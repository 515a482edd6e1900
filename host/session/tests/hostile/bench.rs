//! A process with a hostile session and a well-behaved one.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use approvals::Rules;
use domain::event::{HarnessEvent, Stop};
use domain::user::Nobody;
use domain::{AgentName, Event, Part, SessionId, TurnInput};
use engine::Allocation;
use llm::{Pipeline, Router};
use network::Policy;
use session::{
    CpuLimits, Harness, HarnessError, Runtime, RuntimeOptions, Session, SessionConfig, TurnError,
    TurnReport,
};
use store::Store;
use store::ledger::Cap;
use tempfile::TempDir;

use crate::model::Model;

/// The folder of the built guests; the host's own variable.
const FOLDERS: &str = "XPRESSCLAW_HARNESS_PATH";
/// What a hostile turn may compute where it is to run into its limit.
pub const SHORT: Duration = Duration::from_millis(200);
/// Events that are kept of a flood, the last ones.
const KEPT: usize = 1_000;
const HOSTILE_MODEL: &str = "model";
const NEIGHBOUR_MODEL: &str = "plain";
/// One step of virtual time.
const SECOND: Duration = Duration::from_secs(1);

pub struct Host {
    pub folder: TempDir,
    runtime: Arc<Runtime>,
    pub model: Model,
}

/// What a session is opened with, besides what all have.
pub struct Setup {
    pub settings: String,
    pub policy: Policy,
    pub model: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self { settings: "{}".into(), policy: Policy::deny_all(), model: HOSTILE_MODEL }
    }
}

/// A session and what it reported.
pub struct Hostile {
    pub session: Session,
    events: Arc<Mutex<VecDeque<Event>>>,
}

impl Host {
    pub fn new(model: Model) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data"), 0).unwrap();
        let options =
            RuntimeOptions { compiled: compiled(), sessions: 4, allocation: Allocation::Pooled };
        let mut router = Router::default();
        router.add(HOSTILE_MODEL, Arc::new(model.clone()));
        router.add(NEIGHBOUR_MODEL, Arc::new(Model::default()));
        let pipeline = Pipeline::new(router, store.clone());
        let runtime = Arc::new(Runtime::new(&options, pipeline, store).unwrap());
        Self { folder, runtime, model }
    }

    pub fn store(&self) -> &Store {
        self.runtime.store()
    }

    pub fn load(&self, path: &Path) -> Harness {
        self.try_load(path).unwrap()
    }

    pub fn try_load(&self, path: &Path) -> Result<Harness, HarnessError> {
        let name = path.file_stem().unwrap().to_str().unwrap();
        Harness::load(&self.runtime, name, path, || {})
    }

    /// A component that the test made.
    pub fn made(&self, component: &[u8]) -> Harness {
        let path = self.folder.path().join("made.wasm");
        std::fs::write(&path, component).unwrap();
        self.load(&path)
    }

    pub fn hostile(&self) -> Hostile {
        self.open(self.load(&guest("tests/hostile")), &Setup::default())
    }

    /// One that plays an act in `start`.
    pub fn hostile_in_start(&self, act: &str) -> Hostile {
        let settings = format!("{{\"start\":\"{act}\"}}");
        self.open(self.load(&guest("tests/hostile")), &Setup { settings, ..Setup::default() })
    }

    pub fn granted(&self, grants: &[&str]) -> Hostile {
        let policy = Policy { grants: grants.iter().map(|grant| grant.parse().unwrap()).collect() };
        self.open(self.load(&guest("tests/hostile")), &Setup { policy, ..Setup::default() })
    }

    pub fn open(&self, harness: Harness, setup: &Setup) -> Hostile {
        let name = harness.name().to_owned();
        for folder in ["workspace", "outside"] {
            std::fs::create_dir_all(self.folder.path().join(folder)).unwrap();
        }
        let config = SessionConfig {
            agent: AgentName::new(&name).unwrap(),
            session: SessionId::mint(),
            model: setup.model.into(),
            models: Vec::new(),
            fallback: None,
            role: None,
            settings: setup.settings.clone(),
            workspace: self.workspace(),
            state: self.folder.path().join("state").join(&name),
            caps: Vec::<Cap>::new(),
            task: "test".into(),
            policy: setup.policy.clone(),
            rules: Rules::default(),
            servers: Vec::new(),
            machine: None,
            user: Arc::new(Nobody),
        };
        let (session, mut reader) = Session::open(self.runtime.clone(), harness, config).unwrap();
        let events = Arc::<Mutex<VecDeque<Event>>>::default();
        let kept = events.clone();
        tokio::spawn(async move {
            while let Some(event) = reader.next().await {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() >= KEPT {
                    kept.pop_front();
                }
                kept.push_back(event);
            }
        });
        Hostile { session, events }
    }

    pub fn workspace(&self) -> PathBuf {
        self.folder.path().join("workspace")
    }

    /// A turn of a well-behaved session; it must get its answer whatever others do.
    pub async fn neighbour(&self) {
        let setup = Setup { model: NEIGHBOUR_MODEL, ..Setup::default() };
        let mut neighbour = self.open(self.load(&guest("echo")), &setup);
        let report = neighbour.session.turn(vec![Part::text("Hello.")]).await;
        assert_eq!(report.result.unwrap(), Stop::EndTurn);
        neighbour.settled().await;
        assert_eq!(neighbour.answer(), crate::model::ANSWER);
    }

    /// Plays an act while the neighbour has its turn, and says what became of it.
    pub async fn play(&self, hostile: &mut Hostile, act: &str) -> Result<Stop, TurnError> {
        let (report, ()) = tokio::join!(hostile.turn(act), self.neighbour());
        hostile.settled().await;
        report.result
    }

    /// Starts an act that never ends, lets the neighbour have its turn, cancels the act, and lets
    /// virtual time pass.
    pub async fn cancel(&self, hostile: &mut Hostile, act: &str) -> Result<Stop, TurnError> {
        let handle = hostile.session.handle();
        let passing = async {
            self.neighbour().await;
            assert!(handle.send(TurnInput::Cancel));
            loop {
                tokio::time::advance(SECOND).await;
            }
        };
        let report = tokio::select! {
            report = hostile.turn(act) => report,
            () = passing => unreachable!("time passes for ever"),
        };
        hostile.settled().await;
        report.result
    }
}

impl Hostile {
    /// With little CPU for a turn.
    pub fn short(self) -> Self {
        self.limited(CpuLimits { turn: SHORT, ..CpuLimits::default() })
    }

    pub fn limited(mut self, cpu: CpuLimits) -> Self {
        self.session.limit_cpu(cpu);
        self
    }

    pub async fn turn(&mut self, act: &str) -> TurnReport {
        self.session.turn(vec![Part::text(act)]).await
    }

    /// What the guest said.
    pub fn answer(&self) -> String {
        let said = |event: &Event| match event {
            Event::Harness(HarnessEvent::Message { part: Part::Text(text) }) => Some(text.clone()),
            _ => None,
        };
        self.events().iter().filter_map(said).collect()
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Waits until the end of the turn was read.
    pub async fn settled(&self) {
        let over =
            |event: &Event| matches!(event, Event::TurnFinished { .. } | Event::TurnFailed { .. });
        loop {
            if self.events.lock().unwrap_or_else(PoisonError::into_inner).iter().any(over) {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Plays an act that returns, and gives back what it came to.
    pub async fn answered(&mut self, act: &str) -> String {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let report = self.turn(act).await;
        assert!(report.result.is_ok(), "{act}: {:?}", report.result);
        self.settled().await;
        self.answer()
    }
}

/// A built guest, by its path below the folder.
pub fn guest(name: &str) -> PathBuf {
    let folders = std::env::var_os(FOLDERS).expect("`cargo xtask test` sets the variable");
    let file = format!("{name}.wasm");
    let found = std::env::split_paths(&folders).map(|folder| folder.join(&file));
    found
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no {file} in {FOLDERS}; `cargo xtask test` builds it"))
}

/// Compiled code outlives a run of the tests.
fn compiled() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    this.ancestors().nth(2).unwrap().join("session-test-cache")
}

/// The whole chain of an error.
pub fn chain(error: &TurnError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}
