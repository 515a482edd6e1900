//! Where the words of a session's MCP servers go: notices to the user, stderr to the agent's log.

use std::sync::Arc;

use domain::Event;
use harness::Events;
use mcp::Hooks;
use store::Store;
use store::log::Level;
use verbs::Lines;

use crate::config::SessionConfig;

pub(crate) fn hooks(config: &SessionConfig, store: &Store, events: &Events) -> Hooks {
    // A log of their own rate: a flood of theirs does not silence the harness.
    let lines = Lines::new(store.clone(), config.agent.clone(), config.session.clone());
    let (notices, report) = (lines.clone(), events.clone());
    Hooks {
        notice: Arc::new(move |server, text| {
            notices.write(Level::Warn, &format!("mcp {server}: {text}"));
            report.host(Event::Server {
                server: server.to_owned(),
                message: text.to_owned(),
                hint: format!("see `mcp_servers.{server}` in xpressclaw.yaml"),
            });
        }),
        stderr: Arc::new(move |server, line| {
            lines.write(Level::Info, &format!("mcp {server}: {line}"));
        }),
    }
}
