//! `xpressclaw serve`: the endpoint, for the agents of the configuration.

use anyhow::Result;
use config::Config;
use domain::AgentName;
use endpoint::{Access, Agents, Endpoint};
use llm::{Options, Pipeline};
use tokio::net::TcpListener;

use super::{Context, output};
use crate::caps;
use crate::cli::ServeArgs;
use crate::exit::{Exit, Failure};
use crate::limits::limits;
use crate::models::{LOCAL, Served, served};

pub fn run(context: &Context, args: &ServeArgs) -> Result<Exit> {
    let config = &context.config;
    if config.agents.is_empty() {
        return Err(Failure::usage("no agent is configured, so there is nobody to serve")
            .hint("add `agents: [{name: me, harness: pi, model: local}]` to xpressclaw.yaml")
            .into());
    }
    let Served { router, names } = served(config, &context.paths)?;
    let mut agents = Agents::new();
    for (agent, names) in config.agents.iter().zip(names) {
        let access = Access {
            model: names.model,
            models: names.further,
            caps: caps::configured(config, Some(agent))?,
            fallback: Some(LOCAL.to_owned()),
        };
        agents.insert(agent.name.clone(), access);
    }
    let store = context.store()?;
    let options = Options { limits: limits(config), ..Options::default() };
    let pipeline = Pipeline::with(router, store.clone(), options);
    // One thread for all requests: each is some short steps between waits, and handing them from thread
    // to thread costs a fifth of all they cost. What takes longer has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, "cannot start").because(error))?;
    runtime.block_on(async {
        let cannot = |error| {
            Failure::usage(format!("cannot serve on {}", args.listen))
                .hint("name another address with `--listen`; port 0 takes a free one")
                .because(error)
        };
        let listener = TcpListener::bind(args.listen).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        if !address.ip().is_loopback() {
            output::note(&format!(
                "{address} can be reached from the network, and tokens travel unencrypted: put a proxy with TLS before it"
            ));
        }
        output::print(&format!("http://{address}/v1\n"))?;
        let endpoint = Endpoint::new(pipeline.clone(), store, agents);
        let serving = endpoint::serve(listener, endpoint, ended());
        tokio::select! {
            () = serving => {}
            // Whoever asks twice does not want to wait for answers under way: they are cut.
            () = async { ended().await; ended().await } => {}
        }
        // What clients left open is settled before the process ends.
        pipeline.drain().await;
        Ok(Exit::Ok)
    })
}

/// Ctrl-C, or the signal that service managers send.
async fn ended() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else {
            // Without handlers the signals end the process by themselves.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupted.await;
}

/// A token, or a request for one, names an agent that is not there.
pub fn no_agent(config: &Config, agent: &AgentName) -> Failure {
    let known: Vec<_> = config.agents.iter().map(|agent| agent.name.as_str()).collect();
    let hint = match known.is_empty() {
        true => "add it to `agents:` in xpressclaw.yaml".to_owned(),
        false => format!("there are: {}; or add it to `agents:`", known.join(", ")),
    };
    Failure::usage(format!("no agent `{agent}` is configured")).hint(hint)
}
