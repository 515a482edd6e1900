//! Folding: ended reservations become history and sums, many at once.
//!
//! Why: a history entry touches four indexes and a sum seven rows, each on a page of its own that is
//! written with its commit. Noting the end where the reservation stands touches one page, and a batch
//! shares the others: a settlement costs a quarter of what it did. Called by whoever settles. Until
//! then an end counts all the same: checks and the history read both places.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::ReservationId;
use super::sums::{self, Key};
use crate::column::uint;

/// A settlement in so many folds what has ended. More would make each check read more rows that
/// are not folded yet (twice as many: 14,000 instructions a request), fewer would share pages among
/// fewer (half as many: half a page more is written for each request).
const EVERY: i64 = 16;

/// Folds when it is this reservation's turn. Not by a count of what waits: that would have to be read
/// or kept, by every process.
pub(super) fn due(db: &Connection, id: ReservationId) -> rusqlite::Result<()> {
    if id.0 % EVERY == 0 { fold(db) } else { Ok(()) }
}

/// Moves all that has ended. Inside of a write transaction.
pub(super) fn fold(db: &Connection) -> rusqlite::Result<()> {
    let mut changes: BTreeMap<Key, u64> = BTreeMap::new();
    let mut ended = db
        .prepare_cached("SELECT agent, task, at, cost FROM reservation WHERE ending IS NOT NULL")?;
    let mut rows = ended.query([])?;
    while let Some(row) = rows.next()? {
        let (agent, task): (String, String) = (row.get(0)?, row.get(1)?);
        let (at, cost) = (uint(row.get(2)?), uint(row.get(3)?));
        for key in sums::keys(&agent, &task, at) {
            let sum = changes.entry(key).or_default();
            *sum = sum.saturating_add(cost);
        }
    }
    drop(rows);
    for (key, cost) in &changes {
        sums::add(db, key, *cost)?;
    }
    db.prepare_cached(
        "INSERT INTO spend
         SELECT id, agent, session, turn, task, requested_model, model, served_model,
                input, cached, cache_written, output, reasoning,
                price_input, price_cached, price_cache_write, price_output,
                amount, cost, max(cost - amount, 0), ending, at, settled_at
         FROM reservation WHERE ending IS NOT NULL ORDER BY id",
    )?
    .execute([])?;
    db.prepare_cached("DELETE FROM reservation WHERE ending IS NOT NULL")?.execute([])?;
    Ok(())
}
