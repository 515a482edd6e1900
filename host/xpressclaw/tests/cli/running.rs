//! Sessions that run: the socket of a process, without its agent.

use std::sync::Arc;

use control::{Board, Desk, Opening, Seat, Server};
use domain::terminal::NoMachine;
use domain::{AgentName, Event, SessionId, TurnId};
use tokio::runtime::Runtime;

use crate::home::{Home, pi};

/// One session in a turn, as long as this is kept.
pub struct Running {
    runtime: Runtime,
    server: Option<Server>,
    _seat: Seat,
}

impl Running {
    pub fn start(home: &Home) -> Self {
        drop(home.store());
        let runtime = Runtime::new().unwrap();
        let entered = runtime.enter();
        let board = Board::default();
        let (session, agent) = (SessionId::new("s1").unwrap(), pi());
        let mut seat = board.open(Opening {
            session: session.clone(),
            agent: agent.clone(),
            harness: "pi".into(),
            model: "a\x1b[31m model".into(),
            desk: Arc::new(Desk::default()),
            terminals: Arc::new(NoMachine),
            take: Box::new(|_| true),
        });
        seat.event(&started(session, agent));
        let server = Server::start(&home.data().join("control"), board, "1").unwrap();
        drop(entered);
        Self { runtime, server: Some(server), _seat: seat }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _entered = self.runtime.enter();
        drop(self.server.take());
    }
}

fn started(session: SessionId, agent: AgentName) -> Event {
    let (harness, model) = ("pi".into(), "m".into());
    Event::TurnStarted { session, turn: TurnId::mint(), agent, harness, model }
}

#[test]
fn ps_shows_each_session_and_makes_nothing() {
    let home = Home::new();
    assert_eq!(home.ok(&["ps"]), "");
    assert!(!home.data().exists());
    let _running = Running::start(&home);
    let lines = home.json(&["ps"]);
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["session"], &lines[0]["state"]), (&"s1".into(), &"running".into()));
    assert_eq!(lines[0]["pid"], std::process::id());
    let table = home.ok(&["ps"]);
    assert!(table.contains("a model") && !table.contains('\x1b'), "{table:?}");
}

#[test]
fn attach_names_what_it_cannot_choose() {
    let home = Home::new();
    home.refused(&["attach"], 2, &["no session is running", "hint: start one"]);
    let _running = Running::start(&home);
    home.refused(&["attach", "reviewer"], 2, &["no session and no agent `reviewer`", "s1 (pi)"]);
}
