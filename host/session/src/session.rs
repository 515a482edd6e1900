//! A conversation of one agent with one harness.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use approvals::{Approvals, Rules};
use bindings::convert::{parts_out, stop_in};
use bindings::session::types as wit;
use domain::event::Stop;
use domain::limits::{MESSAGES_MAX, PARTS_MAX_BYTES};
use domain::{AgentName, Event, Part, SessionId, TurnId, TurnInput, User};
use engine::StoreLimits;
use files::Guard;
use futures::future::BoxFuture;
use harness::{Cancellation, EventReader, Events, TurnCtx, TurnHandle};
use llm::host::LlmCtx;
use llm::{Caller, Observer, Steps};
use machine::MachineCtx;
use mcp::Servers;
use network::{Egress, Hooks, Policy};
use store::ledger::Cap;
use store::session::{End, Opening, Role, TurnEnd};
use tools::ToolsCtx;
use tracing::Instrument as _;
use verbs::{Lines, VerbsCtx};
use wasmtime_wasi_http::WasiHttpCtx;

use crate::error::{OpenError, TurnError};
use crate::guest::{CpuLimits, Features, Guest};
use crate::harness_file::Harness;
use crate::runtime::Runtime;
use crate::span;
use crate::state::{State, table};
use crate::wasi::{STATE, WORKSPACE, Wasi};
use crate::watchers::Reported;

/// How long a cancelled guest may wind down before its instance is dropped, as the contract says.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// What a session is opened with.
pub struct SessionConfig {
    pub agent: AgentName,
    pub session: SessionId,
    pub model: String,
    /// Further models that the agent may ask for.
    pub models: Vec<String>,
    /// Where a spent budget degrades to when its cap names nothing.
    pub fallback: Option<String>,
    pub role: Option<String>,
    /// A JSON object for the harness.
    pub settings: String,
    pub workspace: PathBuf,
    /// The session's private directory; made when missing.
    pub state: PathBuf,
    pub caps: Vec<Cap>,
    /// The key that per-task caps count by.
    pub task: String,
    pub policy: Policy,
    /// What is allowed, asked for and denied.
    pub rules: Rules,
    /// MCP servers whose tools the harness is offered.
    pub servers: Vec<mcp::Spec>,
    pub user: Arc<dyn User>,
}

/// What a turn came to.
#[derive(Debug)]
pub struct TurnReport {
    pub result: Result<Stop, TurnError>,
    /// What the user typed and the harness did not take: the next turn's prompt.
    pub leftovers: Vec<Part>,
}

/// See the module.
pub struct Session {
    runtime: Arc<Runtime>,
    harness: Harness,
    config: SessionConfig,
    events: Events,
    egress: Egress,
    approvals: Approvals,
    guard: Guard,
    servers: Servers,
    handle: TurnHandle,
    guest: Option<Guest>,
    cpu: CpuLimits,
    /// Held as long as the session is open here.
    _lock: File,
}

/// See [`Session::instantiate`]. It lives until it is dropped.
pub struct Instance {
    _guest: Guest,
}

struct Reporter(Events);

impl Observer for Reporter {
    fn event(&self, event: Event) {
        self.0.host(event);
    }

    fn room(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.room())
    }
}

impl Session {
    /// Opens or continues a session. The harness is not instantiated before the first turn.
    pub fn open(
        runtime: Arc<Runtime>,
        harness: Harness,
        config: SessionConfig,
    ) -> Result<(Self, EventReader), OpenError> {
        runtime.pipeline().check(&config.model).map_err(|source| OpenError::Model {
            agent: config.agent.to_string(),
            model: config.model.clone(),
            source,
        })?;
        is_directory("the workspace", &config.workspace)?;
        create_private(&config.state)?;
        let lock = lock(&config)?;
        record(&runtime, &harness, &config)?;
        let (events, reader) = harness::events();
        let handle = TurnHandle::default();
        let approvals = Approvals::new(approvals::Parts {
            store: runtime.store().clone(),
            agent: config.agent.clone(),
            session: config.session.clone(),
            rules: config.rules.clone(),
            user: config.user.clone(),
            report: Arc::new(Reported { events: events.clone(), handle: handle.clone() }),
        });
        let guard =
            Guard::new(&approvals, &[(&config.workspace, WORKSPACE), (&config.state, STATE)])?;
        let report = events.clone();
        let egress = Egress::new(config.policy.clone())
            .with_approvals(approvals.clone())
            .with_refusals(Arc::new(move |refusal| {
                report.host(Event::Refused { what: refusal.to_string(), hint: refusal.hint() });
            }));
        let servers = Servers::new(
            config.servers.clone(),
            crate::servers::hooks(&config, runtime.store(), &events),
        );
        let session = Self {
            runtime,
            harness,
            config,
            events,
            egress,
            approvals,
            guard,
            servers,
            handle,
            guest: None,
            cpu: CpuLimits::default(),
            _lock: lock,
        };
        Ok((session, reader))
    }

    pub fn id(&self) -> &SessionId {
        &self.config.session
    }

    /// Continues with another component of the same name, e.g. one that was built again. The next
    /// turn starts a fresh instance of it, with the past.
    pub fn replace(&mut self, harness: Harness) -> Result<(), OpenError> {
        record(&self.runtime, &harness, &self.config)?;
        self.harness = harness;
        self.guest = None;
        Ok(())
    }

    /// What the live instance said of itself in `start`; `None` where none is alive.
    pub fn features(&self) -> Option<Features> {
        self.guest.as_ref().map(|guest| guest.features)
    }

    /// Allows other amounts of CPU than the defaults, to instances that start from now on.
    pub fn limit_cpu(&mut self, cpu: CpuLimits) {
        self.cpu = cpu;
    }

    /// An instance of the harness beside the session's own, with all that it would have, on which
    /// nothing is called: to see whether and how fast there can be one.
    pub async fn instantiate(&self) -> Result<Instance, TurnError> {
        Ok(Instance { _guest: self.fresh().await? })
    }

    /// Steers the running turn from elsewhere.
    pub fn handle(&self) -> TurnHandle {
        self.handle.clone()
    }

    /// Ends the MCP servers, politely first; a session that is only dropped kills them.
    pub async fn close(&self) {
        self.servers.close().await;
    }

    /// Runs one turn to its end. The instance is kept for the next one unless it broke.
    pub async fn turn(&mut self, prompt: Vec<Part>) -> TurnReport {
        let turn = TurnId::mint();
        let span = span::turn(&self.config, self.harness.name(), &turn);
        self.conduct(turn, prompt).instrument(span).await
    }

    async fn conduct(&mut self, turn: TurnId, prompt: Vec<Part>) -> TurnReport {
        let began = Instant::now();
        self.events.take_tally();
        // Before anybody hears of the turn: who cancels on that event cancels this turn.
        let cancellation = self.handle.begin();
        let cancelled = cancellation.clone();
        self.approvals.begin_turn(turn.clone(), async move { cancelled.cancelled().await });
        let steps = Arc::<Steps>::default();
        self.events.host(Event::TurnStarted {
            session: self.config.session.clone(),
            turn: turn.clone(),
            agent: self.config.agent.clone(),
            harness: self.harness.name().into(),
            model: self.config.model.clone(),
        });
        let result = self.run(&turn, prompt, cancellation, steps.clone()).await;
        if result.as_ref().is_err_and(|error| !error.is_the_guests()) {
            self.guest = None;
        }
        self.approvals.end_turn();
        // The guest may have left completions open; what they used belongs to this turn.
        steps.finish().await;
        if let Some(guest) = &mut self.guest {
            guest.state().turn.end_calls();
        }
        let tally = self.events.take_tally();
        span::ended(&tally, result.as_ref().err());
        let end = match &result {
            Ok(stop) => End::Stop(*stop),
            Err(error) => End::Failed(error.to_string()),
        };
        let recorded = self.runtime.store().session().finish_turn(
            &turn,
            &TurnEnd {
                end: &end,
                usage: tally.usage,
                cost: tally.cost,
                models: &tally.models,
                answer: &tally.answer,
            },
            now_ms(),
        );
        let result = match recorded {
            Ok(()) => result,
            Err(error) => result.and(Err(error.into())),
        };
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (usage, cost) = (tally.usage, tally.cost);
        self.events.host(match &result {
            Ok(stop) => Event::TurnFinished {
                turn,
                stop: *stop,
                models: tally.models,
                usage,
                cost,
                elapsed_ms,
            },
            Err(error) => Event::TurnFailed {
                turn,
                fault: error.fault(),
                message: chain(error),
                usage,
                cost,
                elapsed_ms,
            },
        });
        TurnReport { result, leftovers: leftovers(self.handle.leftovers()) }
    }

    async fn run(
        &mut self,
        turn: &TurnId,
        prompt: Vec<Part>,
        cancellation: Cancellation,
        steps: Arc<Steps>,
    ) -> Result<Stop, TurnError> {
        let prompt = bindings::convert::parts_in(parts_out(prompt)).map_err(TurnError::TooLarge)?;
        let cancelled = cancellation.clone();
        let stopped = async {
            cancelled.cancelled().await;
            tokio::time::sleep(CANCEL_GRACE).await;
        };
        tokio::select! {
            result = self.attempt(turn, prompt, cancellation, steps) => result,
            () = stopped => Err(TurnError::Stuck(CANCEL_GRACE)),
        }
    }

    /// Starts the guest where there is none, and runs the turn. The guest is kept if it is sound;
    /// dropping the future drops it.
    async fn attempt(
        &mut self,
        turn: &TurnId,
        prompt: Vec<Part>,
        cancellation: Cancellation,
        steps: Arc<Steps>,
    ) -> Result<Stop, TurnError> {
        // The list of tools stands before the guest may ask for it, and for the whole turn.
        tokio::select! {
            biased;
            () = cancellation.cancelled() => {}
            () = self.servers.prepare() => {}
        }
        let name = |tool: &mcp::Tool| (tool.offered.clone(), tool.subject());
        self.approvals.offer(self.servers.tools().iter().map(name));
        let mut guest = match self.guest.take() {
            Some(guest) => guest,
            None => self.start().instrument(tracing::debug_span!("start")).await?,
        };
        self.runtime.store().session().begin_turn(&self.config.session, turn, &prompt, now_ms())?;
        let images = prompt.iter().any(|part| matches!(part, Part::Blob(_)));
        if images && !guest.features.images {
            self.guest = Some(guest);
            return Err(TurnError::NoImages);
        }
        let state = guest.state();
        state.llm.cancellation = cancellation.clone();
        state.llm.caller.turn = Some(turn.clone());
        state.llm.steps = steps;
        state.verbs.cancellation = cancellation.clone();
        state.tools.cancellation = cancellation;
        let result = guest.turn(parts_out(prompt)).await.map(stop_in);
        if result.as_ref().is_ok() || result.as_ref().is_err_and(TurnError::is_the_guests) {
            self.guest = Some(guest);
        }
        result
    }

    async fn fresh(&self) -> Result<Guest, TurnError> {
        let engine = self.runtime.engine().wasmtime();
        Guest::instantiate(&self.harness, engine, self.state(), self.cpu).await
    }

    async fn start(&self) -> Result<Guest, TurnError> {
        for (what, path) in
            [("the workspace", &self.config.workspace), ("the session's state", &self.config.state)]
        {
            is_directory(what, path).map_err(|error| TurnError::Harness(chain(&error)))?;
        }
        let sessions = self.runtime.store().session();
        let resumed = sessions.get(&self.config.session)?.resumed();
        let history = match resumed {
            true => self.history()?,
            false => Vec::new(),
        };
        let config = wit::Config {
            session: self.config.session.to_string(),
            resumed,
            model: self.config.model.clone(),
            role: self.config.role.clone(),
            workspace: WORKSPACE.into(),
            history,
            settings: self.config.settings.clone(),
        };
        let mut guest = self.fresh().await?;
        guest.start(&config).await?;
        Ok(guest)
    }

    /// Past messages, the newest that fit.
    fn history(&self) -> Result<Vec<wit::Message>, TurnError> {
        let limit = u32::try_from(MESSAGES_MAX).unwrap_or(u32::MAX);
        let past = self.runtime.store().session().history(&self.config.session, limit)?;
        let mut bytes = 0usize;
        let mut kept: Vec<_> = past
            .into_iter()
            .rev()
            .take_while(|message| {
                bytes += message.parts.iter().map(Part::size).sum::<usize>();
                bytes <= PARTS_MAX_BYTES
            })
            .map(|message| wit::Message {
                role: match message.role {
                    Role::User => wit::Role::User,
                    Role::Assistant => wit::Role::Assistant,
                },
                parts: parts_out(message.parts),
            })
            .collect();
        kept.reverse();
        Ok(kept)
    }

    fn state(&self) -> State {
        let SessionConfig { agent, session, task, caps, user, .. } = &self.config;
        let store = self.runtime.store().clone();
        let lines = Lines::new(store.clone(), agent.clone(), session.clone());
        let wasi = Wasi {
            harness: self.harness.name().into(),
            workspace: self.config.workspace.clone(),
            state: self.config.state.clone(),
            egress: self.egress.clone(),
            lines: lines.clone(),
            made: None,
        };
        let caller = Caller {
            agent: agent.clone(),
            session: session.clone(),
            turn: None,
            task: task.clone(),
            model: self.config.model.clone(),
            models: self.config.models.clone(),
            caps: caps.clone(),
            fallback: self.config.fallback.clone(),
        };
        let observer = Arc::new(Reporter(self.events.clone()));
        State {
            table: table(),
            limits: StoreLimits::default(),
            wasi,
            guard: self.guard.clone(),
            http: WasiHttpCtx::new(),
            hooks: Hooks(self.egress.clone()),
            egress: self.egress.clone(),
            turn: TurnCtx::with_handle(self.events.clone(), self.approvals.clone(), &self.handle),
            llm: LlmCtx::new(self.runtime.pipeline().clone(), caller, observer),
            verbs: VerbsCtx {
                store,
                agent: agent.clone(),
                session: session.clone(),
                task: task.clone(),
                caps: caps.clone(),
                events: self.events.clone(),
                user: user.clone(),
                approvals: self.approvals.clone(),
                cancellation: self.handle.cancellation(),
                lines,
            },
            tools: ToolsCtx::new(
                self.servers.clone(),
                self.approvals.clone(),
                self.handle.cancellation(),
            ),
            machine: MachineCtx { approvals: self.approvals.clone() },
        }
    }
}

/// Records what the session is run by.
fn record(runtime: &Runtime, harness: &Harness, config: &SessionConfig) -> Result<(), OpenError> {
    let digest = harness.digest().to_string();
    let opening = Opening {
        id: &config.session,
        agent: &config.agent,
        harness: harness.name(),
        digest: Some(&digest),
        middleware: &middleware(harness),
        model: &config.model,
    };
    runtime.store().session().open(&opening, now_ms())?;
    Ok(())
}

/// The middleware as it is recorded: `name@digest`, the nearest to the harness first.
fn middleware(harness: &Harness) -> String {
    let one = |part: &crate::Middleware| format!("{}@{}", part.name, part.digest);
    harness.middleware().iter().map(one).collect::<Vec<_>>().join(" ")
}

/// What the user said and no turn took, as a prompt.
pub fn leftovers(inputs: Vec<TurnInput>) -> Vec<Part> {
    inputs
        .into_iter()
        .flat_map(|input| match input {
            TurnInput::Steer(parts) | TurnInput::FollowUp(parts) => parts,
            TurnInput::Cancel => Vec::new(),
        })
        .collect()
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

/// Takes the session for this process; the operating system gives it back when the process ends,
/// however it ends.
fn lock(config: &SessionConfig) -> Result<File, OpenError> {
    let path = config.state.with_extension("lock");
    let error =
        |source| OpenError::Directory { what: "the session's lock", path: path.clone(), source };
    let file = File::options().create(true).append(true).open(&path).map_err(error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(config.session.clone())),
        Err(TryLockError::Error(source)) => Err(error(source)),
    }
}

fn is_directory(what: &'static str, path: &Path) -> Result<(), OpenError> {
    let error = |source| OpenError::Directory { what, path: path.into(), source };
    if std::fs::metadata(path).map_err(error)?.is_dir() {
        return Ok(());
    }
    Err(error(std::io::ErrorKind::NotADirectory.into()))
}

fn create_private(path: &Path) -> Result<(), OpenError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|source| OpenError::Directory {
        what: "the session's state",
        path: path.into(),
        source,
    })
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
