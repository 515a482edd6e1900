//! What is in no sum yet: the requests under way, and the ends that are not folded.
//!
//! Why: each cap of a check adds it up for a scope and a window of its own. It is read once for all of
//! them and added up here: a row costs as much to hand over as to add up in SQL, and then a second cap
//! costs next to nothing. Called by whoever needs sums (see `sums`), inside their transaction.

use domain::{AgentName, NanoDollars};
use rusqlite::Connection;

use super::window::Span;
use crate::column::{money, uint};

/// A batch that is not folded, and some requests under way.
const USUAL_ROWS: usize = 64;

/// The rows of `reservation`, as one request sees them.
pub(super) struct Recent(Vec<Row>);

struct Row {
    /// Of the agent that asks.
    own: bool,
    /// Of the task that is asked for.
    same_task: bool,
    at: u64,
    amount: NanoDollars,
    /// `None` while it is open.
    cost: Option<NanoDollars>,
}

/// Which rows count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of {
    pub(super) whose: Whose,
    pub(super) which: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Everyone,
    TheAgent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Everything,
    TheTask,
}

/// Settled and reserved money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) settled: NanoDollars,
    pub(super) reserved: NanoDollars,
}

impl Recent {
    pub(super) fn read(db: &Connection, agent: &AgentName, task: &str) -> rusqlite::Result<Self> {
        let mut statement =
            db.prepare_cached("SELECT agent = ?1, task = ?2, at, amount, cost FROM reservation")?;
        let mut rows = statement.query([agent.as_str(), task])?;
        let mut recent = Vec::with_capacity(USUAL_ROWS);
        while let Some(row) = rows.next()? {
            recent.push(Row {
                own: row.get::<_, i64>(0)? != 0,
                same_task: row.get::<_, i64>(1)? != 0,
                at: uint(row.get(2)?),
                amount: money(row.get(3)?),
                cost: row.get::<_, Option<i64>>(4)?.map(money),
            });
        }
        Ok(Self(recent))
    }

    /// Stays at the largest amount, like all sums.
    pub(super) fn sum(&self, span: Span, of: Of) -> Sum {
        let counts = |row: &&Row| {
            (of.whose == Whose::Everyone || row.own)
                && (of.which == Which::Everything || row.same_task)
                && span.holds(row.at)
        };
        self.0.iter().filter(counts).fold(Sum::default(), |sum, row| match row.cost {
            Some(cost) => Sum { settled: sum.settled.saturating_add(cost), ..sum },
            None => Sum { reserved: sum.reserved.saturating_add(row.amount), ..sum },
        })
    }
}
