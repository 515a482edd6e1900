//! How far each cap is used.

use domain::{AgentName, BudgetLine, Scope, Window};
use rusqlite::Connection;

use super::cap::{self, Cap};
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
            let caps = cap::effective(db, agent, configured)?;
            let of_a_task = |cap: &Cap| cap.scope == Scope::Task || cap.window == Window::Task;
            caps.iter()
                .filter(|cap| task.is_some() || !of_a_task(cap))
                .map(|cap| Ok(line(db, cap, agent, task.unwrap_or_default(), now_ms)?))
                .collect()
        })
    }
}

pub(super) fn line(
    db: &Connection,
    cap: &Cap,
    agent: &AgentName,
    task: &str,
    now_ms: u64,
) -> rusqlite::Result<BudgetLine> {
    let span = span(cap.window, &cap.zone, now_ms);
    let sum = sums::of(db, (cap.scope, cap.window), span, agent, task)?;
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
