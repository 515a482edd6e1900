//! The servers of one session.
//!
//! A session has connections of its own: a server keeps state (a browser, a transaction, a login),
//! and what one agent did there must not show up in the session of another.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::call;
use crate::connection::Connection;
use crate::error::{CallError, StartError};
use crate::limits::STARTS_PER_MINUTE;
use crate::list::{List, Tool};
use crate::names;
use crate::output::Output;
use crate::spec::Spec;

const MINUTE: Duration = Duration::from_secs(60);

/// Takes the name of a server and a text.
pub type Hook = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// Where servers' words go; both are called from any thread and must not block.
#[derive(Clone)]
pub struct Hooks {
    /// A server's name, and a sentence about it for the user.
    pub notice: Hook,
    /// A server's name, and a line of its stderr.
    pub stderr: Hook,
}

/// See the module. Cloning shares it; the last clone that goes ends all servers.
#[derive(Clone)]
pub struct Servers(Arc<Inner>);

struct Inner {
    servers: Vec<Server>,
    hooks: Hooks,
    /// What this turn offers.
    tools: Mutex<Arc<[Tool]>>,
}

struct Server {
    spec: Spec,
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    list: Vec<Tool>,
    starts: VecDeque<Instant>,
}

impl Servers {
    /// Starts nothing yet.
    pub fn new(specs: Vec<Spec>, hooks: Hooks) -> Self {
        let servers = specs.into_iter().map(|spec| Server { spec, state: Default::default() });
        let tools = Mutex::new(Arc::from([]));
        Self(Arc::new(Inner { servers: servers.collect(), hooks, tools }))
    }

    /// Before a turn: starts what is not running and reads the lists that changed, all servers at
    /// once. A server that fails is reported, its tools are missing, and the turn goes on.
    pub async fn prepare(&self) {
        let Inner { servers, hooks, tools } = &*self.0;
        let lists = join_all(servers.iter().map(|server| server.tools(hooks))).await;
        let mut all: Vec<Tool> = lists.into_iter().flatten().collect();
        names::name(&mut all);
        *tools.lock().unwrap_or_else(PoisonError::into_inner) = all.into();
    }

    /// What `prepare` found.
    pub fn tools(&self) -> Arc<[Tool]> {
        self.0.tools.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls a tool of the list. Dropping the future cancels the call at the server.
    pub async fn call(
        &self,
        tool: &Tool,
        arguments: Map<String, Value>,
    ) -> Result<Output, CallError> {
        let named = |server: &&Server| server.spec.name == tool.server;
        let server = self.0.servers.iter().find(named).ok_or(CallError::Unexpected)?;
        let (peer, broken) = {
            let mut state = server.state.lock().await;
            let connection = state.connection(&server.spec, &self.0.hooks).await?;
            (connection.peer(), connection.broken())
        };
        let answer = call::call(peer, &tool.name, arguments, server.spec.timeout).await;
        if answer.as_ref().is_err_and(CallError::breaks) {
            broken.store(true, Ordering::Release);
        }
        answer
    }

    /// Ends all servers, politely first.
    pub async fn close(&self) {
        let closing = self.0.servers.iter().map(async |server| {
            let connection = server.state.lock().await.connection.take();
            if let Some(connection) = connection {
                connection.close().await;
            }
        });
        join_all(closing).await;
    }
}

impl Server {
    async fn tools(&self, hooks: &Hooks) -> Vec<Tool> {
        let mut state = self.state.lock().await;
        match state.refresh(&self.spec, hooks).await {
            Ok(notices) => {
                for notice in notices {
                    (hooks.notice)(&self.spec.name, &notice);
                }
                state.list.clone()
            }
            Err(error) => {
                (hooks.notice)(&self.spec.name, &chain(&error));
                state.list.clear();
                state.connection = None;
                Vec::new()
            }
        }
    }
}

impl State {
    /// The list is read when the connection is new or the server says that it changed.
    async fn refresh(&mut self, spec: &Spec, hooks: &Hooks) -> Result<Vec<String>, StartError> {
        let fresh = self.connection.as_ref().is_none_or(Connection::is_closed);
        let connection = self.connection(spec, hooks).await?;
        if !connection.list_changed() && !fresh {
            return Ok(Vec::new());
        }
        let List { tools, notices } = connection.list(spec).await?;
        self.list = tools;
        Ok(notices)
    }

    /// The live connection, made again when it broke, but not without end.
    async fn connection(&mut self, spec: &Spec, hooks: &Hooks) -> Result<&Connection, StartError> {
        let live = self.connection.take_if(|connection| !connection.is_closed());
        let connection = match live {
            Some(live) => live,
            None => {
                self.connection = None;
                self.count_start()?;
                let (name, sink) = (spec.name.clone(), hooks.stderr.clone());
                Connection::open(spec, Arc::new(move |line| sink(&name, line))).await?
            }
        };
        Ok(self.connection.insert(connection))
    }

    fn count_start(&mut self) -> Result<(), StartError> {
        let now = Instant::now();
        self.starts.retain(|start| now.duration_since(*start) < MINUTE);
        if self.starts.len() >= STARTS_PER_MINUTE {
            return Err(StartError::TooOften);
        }
        self.starts.push_back(now);
        Ok(())
    }
}

/// What is shown of a failure: a server may have worded it.
const FAILURE_MAX_BYTES: usize = 1 << 10;

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text.truncate(text.floor_char_boundary(FAILURE_MAX_BYTES));
    text
}
