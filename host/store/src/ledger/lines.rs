//! How far each cap is used.

use domain::{AgentName, BudgetLine, Scope, Window};
use rusqlite::Connection;

use super::cap::{self, Cap};
use super::recent::Recent;
use super::window::span;
use super::{Ledger, sums};
use crate::database::DatabaseError;

#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(LinesError);

impl Ledger<'_> {
    /// Every cap that binds the agent (see [`Ledger::caps`]) and how far it is used now. Without a
    /// task the caps that count one task or run are left out.
    pub fn lines(
        &self,
        agent: &AgentName,
        task: Option<&str>,
        configured: &[Cap],
        now_ms: u64,
    ) -> Result<Vec<BudgetLine>, LinesError> {
        self.0.read(|db| {
            let mut caps = cap::effective(db, agent, configured)?;
            let of_a_task = |cap: &Cap| cap.scope == Scope::Task || cap.window == Window::Task;
            caps.retain(|cap| task.is_some() || !of_a_task(cap));
            let lines = lines(db, caps, (agent, task.unwrap_or_default()), now_ms)?;
            Ok(lines.into_iter().map(|(_, line)| line).collect())
        })
    }
}

/// How far each of `caps` is used.
pub(super) fn lines(
    db: &Connection,
    caps: Vec<Cap>,
    whose: (&AgentName, &str),
    now_ms: u64,
) -> rusqlite::Result<Vec<(Cap, BudgetLine)>> {
    if caps.is_empty() {
        return Ok(Vec::new());
    }
    let recent = Recent::read(db, whose.0, whose.1)?;
    caps.into_iter()
        .map(|cap| {
            let line = line(db, &cap, whose, &recent, now_ms)?;
            Ok((cap, line))
        })
        .collect()
}

fn line(
    db: &Connection,
    cap: &Cap,
    whose: (&AgentName, &str),
    recent: &Recent,
    now_ms: u64,
) -> rusqlite::Result<BudgetLine> {
    let span = span(cap.window, &cap.zone, now_ms);
    let sum = sums::of(db, (cap.scope, cap.window), span, whose, recent)?;
    Ok(BudgetLine {
        scope: cap.scope,
        window: cap.window,
        cap: cap.amount,
        settled: sum.settled,
        reserved: sum.reserved,
        resets_at: span.resets_at(),
        on_exceeded: cap.on_exceeded,
    })
}
