//! Settling: what a reservation became.

use domain::chat::Usage;
use domain::{NanoDollars, Price};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::history::Ending;
use super::{Ledger, ReservationId, fold};
use crate::column::{int, money, named};
use crate::database::DatabaseError;

/// What a request really used.
#[derive(Debug, Clone, Copy)]
pub struct Settlement<'a> {
    pub usage: Usage,
    /// Booked as it is, also above the reservation.
    pub cost: NanoDollars,
    /// The model that the provider says it served.
    pub served_model: &'a str,
}

/// A provider charged more than was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overshoot {
    pub reserved: NanoDollars,
    pub cost: NanoDollars,
}

/// What stands in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    pub cost: NanoDollars,
    /// `Recovered` when this process was taken for dead: then the cost is the whole reservation.
    pub ending: Ending,
    /// To be alarmed by the caller.
    pub overshoot: Option<Overshoot>,
}

#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    #[error("no reservation `{0}`")]
    NotFound(ReservationId),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(SettleError);

impl Ledger<'_> {
    /// Ends a reservation with what was really used, in one transaction. Idempotent: the first
    /// settlement stands, and a later one returns it.
    pub fn settle(
        &self,
        id: ReservationId,
        settlement: &Settlement<'_>,
        now_ms: u64,
    ) -> Result<Settled, SettleError> {
        let Settlement { usage, cost, served_model } = *settlement;
        self.end(id, &End { usage, cost, served_model: Some(served_model), price: None }, now_ms)
    }

    /// The same at another price than the reservation's, which the history then holds: a model's
    /// price may depend on what was really used.
    pub fn settle_at(
        &self,
        id: ReservationId,
        settlement: &Settlement<'_>,
        price: Price,
        now_ms: u64,
    ) -> Result<Settled, SettleError> {
        let Settlement { usage, cost, served_model } = *settlement;
        let price = Some(price);
        self.end(id, &End { usage, cost, served_model: Some(served_model), price }, now_ms)
    }

    /// Ends a reservation of a request that never reached a provider: a spend of zero cost, which
    /// explains what the reservation was. Idempotent like [`Ledger::settle`].
    pub fn release(&self, id: ReservationId, now_ms: u64) -> Result<Settled, SettleError> {
        self.end(
            id,
            &End {
                usage: Usage::default(),
                cost: NanoDollars::ZERO,
                served_model: None,
                price: None,
            },
            now_ms,
        )
    }

    fn end(&self, id: ReservationId, end: &End<'_>, now_ms: u64) -> Result<Settled, SettleError> {
        let ending = match end.served_model {
            Some(_) => Ending::Settled,
            None => Ending::Released,
        };
        self.0.write(|db| {
            let reserved = db
                .prepare_cached("SELECT amount FROM reservation WHERE id = ?1 AND ending IS NULL")?
                .query_row([id.0], |row| row.get(0))
                .optional()?
                .map(money);
            match reserved {
                Some(reserved) => Ok(book(db, id, reserved, end, ending, now_ms)?),
                None => booked(db, id)?.ok_or(SettleError::NotFound(id)),
            }
        })
    }
}

pub(super) struct End<'a> {
    pub(super) usage: Usage,
    pub(super) cost: NanoDollars,
    pub(super) served_model: Option<&'a str>,
    /// `None`: the reservation's.
    pub(super) price: Option<Price>,
}

/// Ends an open reservation.
pub(super) fn book(
    db: &Connection,
    id: ReservationId,
    reserved: NanoDollars,
    end: &End<'_>,
    ending: Ending,
    now_ms: u64,
) -> rusqlite::Result<Settled> {
    let cost = end.cost.min(NanoDollars::MAX);
    db.prepare_cached(
        "UPDATE reservation SET
            served_model = ?2, input = ?3, cached = ?4, cache_written = ?5, output = ?6,
            reasoning = ?7, cost = ?8, ending = ?9, settled_at = ?10,
            price_input = ifnull(?11, price_input), price_cached = ifnull(?12, price_cached),
            price_cache_write = ifnull(?13, price_cache_write),
            price_output = ifnull(?14, price_output)
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        end.served_model,
        int(end.usage.input),
        int(end.usage.cached),
        int(end.usage.cache_written),
        int(end.usage.output),
        int(end.usage.reasoning),
        int(cost.0),
        ending.as_str(),
        int(now_ms),
        end.price.map(|price| int(price.input)),
        end.price.map(|price| int(price.cached)),
        end.price.map(|price| int(price.cache_write)),
        end.price.map(|price| int(price.output)),
    ])?;
    fold::due(db, id)?;
    Ok(settled(cost, reserved, ending))
}

/// What an earlier settlement has booked.
fn booked(db: &Connection, id: ReservationId) -> rusqlite::Result<Option<Settled>> {
    db.prepare_cached("SELECT cost, reserved, ending FROM history WHERE id = ?1")?
        .query_row([id.0], |row| {
            let ending = named(row, 2, Ending::from_name)?;
            Ok(settled(money(row.get(0)?), money(row.get(1)?), ending))
        })
        .optional()
}

fn settled(cost: NanoDollars, reserved: NanoDollars, ending: Ending) -> Settled {
    let overshoot = (cost > reserved).then_some(Overshoot { reserved, cost });
    Settled { cost, ending, overshoot }
}
