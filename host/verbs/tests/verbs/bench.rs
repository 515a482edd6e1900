//! Agents on one store.

use std::sync::Arc;

use approvals::{Approvals, Parts, Rules};
use bindings::xclaw::types::Error;
use domain::{AgentName, Event, Nobody, SessionId, TurnId, User};
use harness::{Cancellation, EventReader, TurnHandle};
use store::Store;
use store::log::{Level, Line, Tail};
use verbs::{Lines, VerbsCtx, VerbsView};

pub struct Bench {
    pub ctx: VerbsCtx,
    pub reader: EventReader,
    pub turn: TurnHandle,
}

impl Bench {
    pub fn new(store: &Store, agent: &str) -> Self {
        Self::with(store, agent, Arc::new(Nobody))
    }

    pub fn with(store: &Store, agent: &str, user: Arc<dyn User>) -> Self {
        Self::ruled(store, agent, user, Rules::default())
    }

    pub fn ruled(store: &Store, agent: &str, user: Arc<dyn User>, rules: Rules) -> Self {
        let (events, reader) = harness::events();
        let turn = TurnHandle::default();
        let cancellation: Cancellation = turn.begin();
        let agent = AgentName::new(agent).unwrap();
        let session = SessionId::new("session").unwrap();
        let report = events.clone();
        let approvals = Approvals::new(Parts {
            store: store.clone(),
            agent: agent.clone(),
            session: session.clone(),
            rules,
            user: user.clone(),
            report: Arc::new(move |event| report.host(event)),
        });
        let cancelled = cancellation.clone();
        approvals.begin_turn(TurnId::mint(), async move { cancelled.cancelled().await });
        let ctx = VerbsCtx {
            store: store.clone(),
            lines: Lines::new(store.clone(), agent.clone(), session.clone()),
            agent,
            session,
            task: "run".into(),
            caps: Vec::new(),
            events,
            user,
            approvals,
            cancellation,
        };
        Self { ctx, reader, turn }
    }

    pub fn view(&mut self) -> VerbsView<'_> {
        VerbsView(&mut self.ctx)
    }

    /// What the user was told, as `verb: summary`.
    pub fn told(&mut self) -> Vec<String> {
        let next = || match self.reader.try_next()? {
            Event::Verb { verb, summary } => Some(format!("{verb}: {summary}")),
            Event::Ask { question, choices, .. } => Some(format!("ask: {question} {choices:?}")),
            Event::Answered { by, answer, .. } => {
                let (answer, by) = (answer.unwrap_or_default(), by.unwrap_or("nobody".into()));
                Some(format!("answered: {answer} by {by}"))
            }
            Event::Approval { kind, subject, verdict, by, .. } => {
                Some(format!("{kind} {subject} {}: {by}", verdict.as_str()))
            }
            other => panic!("{other:?}"),
        };
        std::iter::from_fn(next).collect()
    }
}

pub fn store() -> Store {
    Store::in_memory().unwrap()
}

/// The log, oldest first.
pub fn lines(store: &Store) -> Vec<Line> {
    store.log().tail(&Tail::default(), 20_000).unwrap()
}

pub fn messages(store: &Store) -> Vec<(Level, String)> {
    lines(store).into_iter().map(|line| (line.level, line.message)).collect()
}

/// The variant's name and its text.
pub fn kind(error: &Error) -> (&'static str, &str) {
    match error {
        Error::Invalid(text) => ("invalid", text),
        Error::NotFound(text) => ("not-found", text),
        Error::Denied(text) => ("denied", text),
        Error::Cancelled => ("cancelled", ""),
        Error::Other(text) => ("other", text),
    }
}

#[track_caller]
pub fn refused<T: std::fmt::Debug>(
    result: wasmtime::Result<Result<T, Error>>,
    expected: &str,
    says: &str,
) {
    let error = result.unwrap().unwrap_err();
    let (found, text) = kind(&error);
    assert_eq!(found, expected, "{text}");
    assert!(text.contains(says), "`{says}` is not in `{text}`");
}
