//! Running sums: how much is settled and reserved for a scope in a window, without its history.
//!
//! `spend_sum` has one row per quarter of an hour with any activity, and one for all time, for
//! each of: everything, an agent, a task, an agent's part of a task. A month is at most 2,976
//! rows; every other window is fewer or a single one.

use domain::{AgentName, NanoDollars, Scope, Window};
use rusqlite::{Transaction, params};

use super::window::Span;
use crate::column::int;

/// Every time zone of our days turns its days on a quarter of an hour.
pub(super) const BUCKET_MS: u64 = 15 * 60 * 1000;
/// In place of a bucket: all time.
const ALL_TIME: i64 = -1;
/// In place of an agent or a task: all of them.
const ANY: &str = "";

/// What a change adds; negative amounts take away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) settled: i64,
    pub(super) reserved: i64,
}

/// Books a change for a reservation that was made `at`, in every sum that it counts in.
pub(super) fn add(
    db: &Transaction<'_>,
    agent: &str,
    task: &str,
    at: u64,
    change: Change,
) -> rusqlite::Result<()> {
    // The settled sum stops at the largest integer: a provider that lies that much has reported
    // billions of dollars, and every cap is long passed.
    let mut statement = db.prepare_cached(
        "INSERT INTO spend_sum (agent, task, bucket, settled, reserved)
         VALUES (?1, ?2, ?3, ?4, max(?5, 0))
         ON CONFLICT DO UPDATE SET
            settled = CASE WHEN settled > 9223372036854775807 - ?4
                      THEN 9223372036854775807 ELSE settled + ?4 END,
            reserved = reserved + ?5",
    )?;
    let bucket = int(at / BUCKET_MS);
    for (agent, task, bucket) in [
        (ANY, ANY, bucket),
        (ANY, ANY, ALL_TIME),
        (agent, ANY, bucket),
        (agent, ANY, ALL_TIME),
        (ANY, task, bucket),
        (ANY, task, ALL_TIME),
        (agent, task, ALL_TIME),
    ] {
        statement.execute(params![agent, task, bucket, change.settled, change.reserved])?;
    }
    Ok(())
}

/// Settled and reserved money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) settled: NanoDollars,
    pub(super) reserved: NanoDollars,
}

/// The sum that a cap of this scope and window is held against.
pub(super) fn of(
    db: &Transaction<'_>,
    (scope, window): (Scope, Window),
    span: Span,
    agent: &AgentName,
    task: &str,
) -> rusqlite::Result<Sum> {
    let agent = if scope == Scope::Agent { agent.as_str() } else { ANY };
    let task = if scope == Scope::Task || window == Window::Task { task } else { ANY };
    let (first, last) = match span {
        Span::AllTime => (ALL_TIME, ALL_TIME),
        // Buckets are numbered from the epoch, so that none is negative; `end` is excluded.
        Span::Between { start, end } => {
            (int(start / BUCKET_MS), int(end.div_ceil(BUCKET_MS).saturating_sub(1)))
        }
    };
    // In halves, because a sum over SQLite's integers that overflows is an error.
    let mut statement = db.prepare_cached(
        "SELECT ifnull(sum(settled >> 32), 0), ifnull(sum(settled & 4294967295), 0),
                ifnull(sum(reserved >> 32), 0), ifnull(sum(reserved & 4294967295), 0)
         FROM spend_sum WHERE agent = ?1 AND task = ?2 AND bucket BETWEEN ?3 AND ?4",
    )?;
    statement.query_row(params![agent, task, first, last], |row| {
        Ok(Sum {
            settled: whole(row.get(0)?, row.get(1)?),
            reserved: whole(row.get(2)?, row.get(3)?),
        })
    })
}

/// Puts a sum in halves together, staying at the largest amount.
pub(super) fn whole(high: i64, low: i64) -> NanoDollars {
    let sum = (i128::from(high) << 32) + i128::from(low);
    let largest = NanoDollars::MAX.0;
    NanoDollars(u64::try_from(sum.clamp(0, i128::from(largest))).unwrap_or(largest))
}
