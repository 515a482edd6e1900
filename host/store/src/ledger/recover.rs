//! Settling for the dead: reservations whose process is gone.

use std::path::Path;

use domain::NanoDollars;
use domain::chat::Usage;
use rusqlite::{Connection, TransactionBehavior};

use super::history::Ending;
use super::settle::{End, book};
use super::{Ledger, ReservationId};
use crate::column::money;
use crate::database::{DatabaseError, OpenError};
use crate::owner::{Life, Owner, Remains};

/// A reservation that was booked in full, because nobody is left who knows what it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    pub id: ReservationId,
    pub cost: NanoDollars,
}

#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(RecoverError);

impl Ledger<'_> {
    /// Books what dead processes have left reserved; those of live ones are untouched. Opening a
    /// store does the same: this is for a process that stays while others die. Idempotent.
    pub fn recover(&self, now_ms: u64) -> Result<Vec<Recovered>, RecoverError> {
        let owner = self.0.owner_lock();
        let (recovered, remains) =
            self.0.write(|db| Ok::<_, RecoverError>(recover(db, owner, now_ms)?))?;
        remains.into_iter().for_each(Remains::remove);
        Ok(recovered)
    }
}

/// Creates the owner of a store that is being opened, and settles for the dead ones before it.
pub(crate) fn adopt(
    connection: &mut Connection,
    directory: &Path,
    now_ms: u64,
) -> Result<Owner, OpenError> {
    let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let owner = Owner::create(directory)?;
    let (_, remains) = recover(&db, &owner, now_ms)?;
    db.commit()?;
    remains.into_iter().for_each(Remains::remove);
    Ok(owner)
}

fn recover(
    db: &Connection,
    owner: &Owner,
    now_ms: u64,
) -> rusqlite::Result<(Vec<Recovered>, Vec<Remains>)> {
    let owners = db
        .prepare_cached("SELECT DISTINCT owner FROM reservation WHERE ending IS NULL")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    let mut recovered = Vec::new();
    let mut remains = Vec::new();
    for id in owners {
        if let Life::Dead(left) = owner.life_of(&id) {
            settle_all(db, &id, now_ms, &mut recovered)?;
            remains.push(left);
        }
    }
    // Whoever died without reservations left a lock file only. The locks taken above are still
    // held, so that those owners look alive here and are not listed twice.
    remains.extend(owner.dead());
    Ok((recovered, remains))
}

fn settle_all(
    db: &Connection,
    owner: &str,
    now_ms: u64,
    recovered: &mut Vec<Recovered>,
) -> rusqlite::Result<()> {
    let open = db
        .prepare_cached(
            "SELECT id, amount FROM reservation WHERE owner = ?1 AND ending IS NULL ORDER BY id",
        )?
        .query_map([owner], |row| Ok((ReservationId(row.get(0)?), money(row.get(1)?))))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for (id, amount) in open {
        let end = End { usage: Usage::default(), cost: amount, served_model: None, price: None };
        book(db, id, amount, &end, Ending::Recovered, now_ms)?;
        recovered.push(Recovered { id, cost: amount });
    }
    Ok(())
}
