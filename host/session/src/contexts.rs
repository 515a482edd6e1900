//! What the doors of an instance act with.

use std::sync::Arc;

use domain::Event;
use engine::StoreLimits;
use futures::future::BoxFuture;
use harness::{Events, TurnCtx};
use llm::host::LlmCtx;
use llm::{Caller, Observer};
use machine::MachineCtx;
use network::Hooks;
use tools::ToolsCtx;
use verbs::{Lines, VerbsCtx};
use wasmtime_wasi_http::WasiHttpCtx;

use crate::config::SessionConfig;
use crate::session::Session;
use crate::state::{State, table};
use crate::wasi::Wasi;

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
    pub(crate) fn state(&self) -> State {
        let SessionConfig { agent, session, task, caps, .. } = &self.config;
        let lines = self.lines();
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
            verbs: self.verbs(lines),
            tools: ToolsCtx::new(
                self.servers.clone(),
                self.approvals.clone(),
                self.handle.cancellation(),
            ),
            machine: MachineCtx::new(
                self.machine.clone(),
                self.approvals.clone(),
                self.handle.cancellation(),
            ),
        }
    }

    pub(crate) fn lines(&self) -> Lines {
        let SessionConfig { agent, session, .. } = &self.config;
        Lines::new(self.runtime.store().clone(), agent.clone(), session.clone())
    }

    /// What the verbs act with, for the harness and for programs in the machine alike.
    pub(crate) fn verbs(&self, lines: Lines) -> VerbsCtx {
        let SessionConfig { agent, session, task, caps, user, .. } = &self.config;
        VerbsCtx {
            store: self.runtime.store().clone(),
            agent: agent.clone(),
            session: session.clone(),
            task: task.clone(),
            caps: caps.clone(),
            events: self.events.clone(),
            user: user.clone(),
            approvals: self.approvals.clone(),
            cancellation: self.handle.cancellation(),
            lines,
        }
    }
}
