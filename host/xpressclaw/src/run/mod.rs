//! `xpressclaw run`: from flags to a session, from a session's events to the screen.

mod caps;
mod control_socket;
pub mod machine;
mod prompt;
mod show;
mod turns;
mod watch;

use std::sync::Arc;

use anyhow::Result;
use control::{Board, Desk, Opening};
use domain::{AgentName, SessionId};
use engine::Allocation;
use llm::{Options, Pipeline};
use network::{Grant, Policy};
use session::{Harness, Runtime, RuntimeOptions, Session, SessionConfig};

use crate::cli::{Format, RunArgs};
use crate::commands::{Context, now_ms};
use crate::exit::{Exit, Failure, print};
use crate::limits::limits;
use crate::models::{Downgrade, LOCAL, models};
use crate::render::Printer;
use crate::run::control_socket::ControlSocket;
use crate::run::show::Show;
use crate::run::watch::Watch;
use crate::servers::servers;
use crate::{harness_path, terminal};

/// Worker threads: one for the guest, one for what streams meanwhile.
const WORKERS: usize = 2;

pub fn run(context: &Context, args: &RunArgs) -> Result<Exit> {
    let prompt = prompt::first(args)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build()?;
    runtime.block_on(async {
        loop {
            let mut opened = open(context, args).await?;
            let exit = turns::converse(&mut opened, prompt.clone(), args).await;
            let Opened { session, show, socket, watch, .. } = opened;
            session.close().await;
            // Who watches sees the end before the socket closes.
            drop(show);
            socket.close().await;
            let (Some(mut watch), true) = (watch, prompt.is_some()) else { return exit };
            if let Err(error) = exit {
                print(&error);
            }
            if !turns::again(&mut watch, args).await? {
                return Ok(Exit::Ok);
            }
        }
    })
}

/// A session and what shows it.
struct Opened {
    runtime: Arc<Runtime>,
    session: Session,
    events: ::harness::EventReader,
    show: Show,
    socket: ControlSocket,
    /// With `--watch`.
    watch: Option<Watch>,
}

async fn open(context: &Context, args: &RunArgs) -> Result<Opened> {
    let config = &context.config;
    let configured = config.agent(&args.harness);
    let typed = configured.map_or(args.harness.as_str(), |agent| agent.harness.as_str());
    let project = if args.watch { watch::project(typed) } else { None };
    let found = match &project {
        Some(project) => watch::built(project)?,
        None => harness_path::resolve(typed, context).await?,
    };
    let mut middleware = Vec::new();
    for name in configured.map_or(&[][..], |agent| &agent.middleware) {
        middleware.push(harness_path::resolve(name, context).await?);
    }
    let agent = match configured {
        Some(agent) => agent.name.clone(),
        None => AgentName::new(&found.name).map_err(|e| {
            Failure::usage("the component's file name is no agent's name").because(e)
        })?,
    };
    let wanted = args
        .model
        .clone()
        .or_else(|| configured.and_then(|agent| agent.model.clone()))
        .or_else(|| config.model.clone())
        .unwrap_or_else(|| LOCAL.into());
    let caps = caps::caps(config, configured, args)?;
    let downgrade = if caps.is_empty() { Downgrade::Never } else { Downgrade::Possible };
    let models = models(&wanted, downgrade, config, &context.paths)?;
    let policy = policy(configured.map_or(&[][..], |agent| &agent.network), &args.allow_net)?;
    let rules = match configured {
        Some(agent) => config.approvals.clone().and(&agent.approvals),
        None => config.approvals.clone(),
    };
    let session_id = match &args.session {
        Some(name) => {
            SessionId::new(name).map_err(|e| Failure::usage("not a session's name").because(e))?
        }
        None => SessionId::mint(),
    };
    let workspace = args
        .workspace
        .clone()
        .or_else(|| configured.and_then(|agent| agent.workspace.clone()))
        .unwrap_or_else(|| context.paths.workspace(&agent));
    // First the store: it makes the data directory private, and the workspace may lie in it.
    let store = context.store()?;
    std::fs::create_dir_all(&workspace).map_err(|e| {
        Failure::usage(format!("cannot use {} as the workspace", workspace.display())).because(e)
    })?;

    let pipeline = Options { limits: limits(config), ..Options::default() };
    let runtime = Arc::new(Runtime::new(
        &RuntimeOptions {
            compiled: context.paths.compiled(),
            sessions: 1,
            allocation: Allocation::Pooled,
        },
        Pipeline::with(models.router, store.clone(), pipeline),
        store,
    )?);
    let printer = Printer::new(args.format);
    let harness = Harness::load_behind(&runtime, &found, &middleware, || {
        printer.note(&format!("compiling {} for this machine, once", found.name));
    })
    .map_err(|e| {
        Failure::new(Exit::Harness, format!("cannot run {}", found.path.display())).because(e)
    })?;
    let component = found.clone();
    let settings = configured.map_or_else(
        || "{}".to_owned(),
        |agent| serde_json::Value::Object(agent.settings.clone()).to_string(),
    );
    let (board, desk) = (Board::default(), Arc::new(Desk::default()));
    let (agent_name, id, model) = (agent.clone(), session_id.clone(), models.model.clone());
    let (session, events) = Session::open(
        runtime.clone(),
        harness,
        SessionConfig {
            state: context.paths.state(&agent, &session_id),
            task: format!("run-{}-{}", now_ms(), std::process::id()),
            agent,
            session: session_id,
            model: models.model,
            models: configured.map(|agent| agent.models.clone()).unwrap_or_default(),
            fallback: Some(LOCAL.into()),
            role: configured.and_then(|agent| agent.role.clone()),
            settings,
            workspace,
            caps,
            policy,
            rules,
            servers: servers(config, configured)?,
            machine: machine::config(context, configured)?,
            user: desk.clone(),
        },
    )
    .map_err(|e| Failure::usage("cannot open the session").because(e))?;
    let handle = session.handle();
    let seat = board.open(Opening {
        session: id,
        agent: agent_name,
        harness: found.name,
        model,
        desk: desk.clone(),
        take: Box::new(move |input| handle.send(input)),
        terminals: session.terminals(),
    });
    let socket = ControlSocket::open(&context.paths.control(), board, &printer);
    let present = args.format == Format::Text && terminal::is_interactive();
    let show = Show::new(printer, seat, desk, session.handle(), present);
    let watch = args.watch.then(|| Watch::new(project, component, middleware));
    Ok(Opened { runtime, session, events, show, socket, watch })
}

fn policy(configured: &[String], flags: &[String]) -> Result<Policy> {
    let parse = |text: &String| {
        text.parse::<Grant>()
            .map_err(|e| Failure::usage(format!("`{text}` cannot be granted")).because(e))
    };
    let grants = configured.iter().chain(flags).map(parse).collect::<Result<Vec<_>, _>>()?;
    Ok(Policy { grants })
}
