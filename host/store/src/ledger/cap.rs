//! Caps: what a configuration or `budget set` allows.

use std::ops::RangeInclusive;

use domain::{AgentName, BudgetLine, NanoDollars, OnExceeded, Scope, Window};
use rusqlite::{Connection, Row, params};

use super::Ledger;
use super::window::Zone;
use crate::column::{int, json, money, named};
use crate::database::DatabaseError;
use crate::invalid::{self, Invalid, Limit};

/// Warnings of one cap: one at each tenth is more than anyone reads.
pub const WARN_MAX: usize = 10;
const PERCENT: RangeInclusive<u8> = 1..=100;

/// Who made a cap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Source {
    /// A configuration file. A stored cap of the same scope and window takes its place.
    #[default]
    Configuration,
    /// `budget set`: stored, and read again for every request.
    Command,
    /// The one run that it was given to. Nothing takes its place: it binds beside all others.
    Run,
}

impl Source {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Command => "command",
            Self::Run => "run",
        }
    }
}

/// One limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// `System` counts all agents of the data directory; `Agent` the one that asks; `Task` the one
    /// task or run, whoever works on it.
    pub scope: Scope,
    /// `Task` narrows the scope to the one task or run.
    pub window: Window,
    pub amount: NanoDollars,
    pub on_exceeded: OnExceeded,
    /// Percentages of settled spend at which to warn, 1 to 100; at most [`WARN_MAX`].
    pub warn_percent: Vec<u8>,
    /// The model to degrade to; `None`: the host's default.
    pub fallback: Option<String>,
    /// Where days begin.
    pub zone: Zone,
    pub source: Source,
}

#[derive(Debug, thiserror::Error)]
pub enum CapError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("a cap of scope `{0}` needs an agent")]
    AgentMissing(Scope),
    #[error("a cap of scope `system` is for all agents, not for `{0}`")]
    AgentGiven(AgentName),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(CapError);

impl Cap {
    /// A cap that degrades, without warnings, in UTC.
    pub fn new(scope: Scope, window: Window, amount: NanoDollars) -> Self {
        Self {
            scope,
            window,
            amount,
            on_exceeded: OnExceeded::default(),
            warn_percent: Vec::new(),
            fallback: None,
            zone: Zone::UTC,
            source: Source::Configuration,
        }
    }

    /// The highest warning percentage that the settled spend has reached.
    pub fn warning(&self, line: &BudgetLine) -> Option<u8> {
        let reached = |percent: &u8| {
            u128::from(line.settled.0) * 100 >= u128::from(line.cap.0) * u128::from(*percent)
        };
        self.warn_percent.iter().copied().filter(reached).max()
    }
}

impl Ledger<'_> {
    /// Stores a cap; it takes the place of the stored one of the same agent, scope and window, and
    /// of the configured ones from now on, in every process, also for requests that wait. The
    /// source of `cap` is of no consequence. `agent` is `None` for the scope
    /// `System` and set for all others. Idempotent.
    pub fn set_cap(
        &self,
        agent: Option<&AgentName>,
        cap: &Cap,
        now_ms: u64,
    ) -> Result<(), CapError> {
        let agent = key(agent, cap.scope)?;
        invalid::items("warn", cap.warn_percent.len(), WARN_MAX)?;
        if !cap.warn_percent.iter().all(|percent| PERCENT.contains(percent)) {
            let limit = Limit::Range { min: 1, max: 100 };
            return Err(Invalid { argument: "warn", limit }.into());
        }
        if cap.amount > NanoDollars::MAX {
            let limit = Limit::Range { min: 0, max: NanoDollars::MAX.0 };
            return Err(Invalid { argument: "amount", limit }.into());
        }
        let warn: Vec<u16> = cap.warn_percent.iter().copied().map(u16::from).collect();
        let warn = serde_json::Value::from(warn).to_string();
        self.0.write(|db| {
            db.prepare_cached(
                "INSERT OR REPLACE INTO cap
                 (agent, scope, window, amount, on_exceeded, warn, fallback, zone, updated)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                agent,
                cap.scope.as_str(),
                cap.window.as_str(),
                int(cap.amount.0),
                cap.on_exceeded.as_str(),
                warn,
                cap.fallback,
                cap.zone.name(),
                int(now_ms),
            ])?;
            Ok(())
        })
    }

    /// Takes a stored cap away, so that the configured one (if any) holds again. Idempotent;
    /// returns whether there was one.
    pub fn clear_cap(
        &self,
        agent: Option<&AgentName>,
        scope: Scope,
        window: Window,
    ) -> Result<bool, CapError> {
        let agent = key(agent, scope)?;
        self.0.write(|db| {
            let removed = db
                .prepare_cached("DELETE FROM cap WHERE agent = ?1 AND scope = ?2 AND window = ?3")?
                .execute(params![agent, scope.as_str(), window.as_str()])?;
            Ok(removed > 0)
        })
    }

    /// The caps that bind an agent: the stored ones, and those of `configured` whose place no
    /// stored one takes.
    pub fn caps(&self, agent: &AgentName, configured: &[Cap]) -> Result<Vec<Cap>, CapError> {
        self.0.read(|db| Ok(effective(db, agent, configured)?))
    }
}

fn key(agent: Option<&AgentName>, scope: Scope) -> Result<&str, CapError> {
    match (agent, scope) {
        (None, Scope::System) => Ok(""),
        (Some(agent), Scope::System) => Err(CapError::AgentGiven(agent.clone())),
        (None, scope) => Err(CapError::AgentMissing(scope)),
        (Some(agent), _) => Ok(agent.as_str()),
    }
}

pub(super) fn effective(
    db: &Connection,
    agent: &AgentName,
    configured: &[Cap],
) -> rusqlite::Result<Vec<Cap>> {
    // Two ranges of one table: for `IN` SQLite makes a temporary index, which costs as much as all
    // else that a check reads.
    let mut statement = db.prepare_cached(
        "SELECT scope, window, amount, on_exceeded, warn, fallback, zone FROM cap WHERE agent = ''
         UNION ALL
         SELECT scope, window, amount, on_exceeded, warn, fallback, zone FROM cap WHERE agent = ?1",
    )?;
    let stored =
        statement.query_map([agent.as_str()], read)?.collect::<rusqlite::Result<Vec<Cap>>>()?;
    let replaced = |cap: &&Cap| {
        cap.source == Source::Configuration
            && stored.iter().any(|s| (s.scope, s.window) == (cap.scope, cap.window))
    };
    let kept: Vec<Cap> = configured.iter().filter(|cap| !replaced(cap)).cloned().collect();
    Ok(stored.iter().cloned().chain(kept).collect())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Cap> {
    Ok(Cap {
        scope: named(row, 0, Scope::from_name)?,
        window: named(row, 1, Window::from_name)?,
        amount: money(row.get(2)?),
        on_exceeded: named(row, 3, OnExceeded::from_name)?,
        warn_percent: json(row, 4)?,
        fallback: row.get(5)?,
        zone: named(row, 6, |name| Zone::parse(name).ok())?,
        source: Source::Command,
    })
}
