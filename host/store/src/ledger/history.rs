//! The history: every request that was ever reserved, and how it ended.

use domain::chat::Usage;
use domain::{AgentName, NanoDollars, Price, SessionId, TurnId};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};
use serde::Serialize;

use super::{Ledger, ReservationId, sums};
use crate::column::{agent, int, money, named, optional_session, optional_turn, uint, usage};
use crate::database::DatabaseError;
use crate::invalid::{self, Invalid};

/// Rows of one answer: a screenful for people, and a bound on memory for programs, which page.
pub const HISTORY_PAGE_MAX: u32 = 1_000;

/// How a reservation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// With what was really used.
    Settled,
    /// The request never reached a provider.
    Released,
    /// The process died: booked in full.
    Recovered,
}

impl Ending {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Recovered => "recovered",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Settled, Self::Released, Self::Recovered].into_iter().find(|e| e.as_str() == name)
    }
}

/// One request, explained to the nano-dollar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spend {
    /// The same as its reservation's.
    pub id: ReservationId,
    pub agent: AgentName,
    pub session: Option<SessionId>,
    pub turn: Option<TurnId>,
    pub task: String,
    pub requested_model: String,
    /// The one that it was routed to and priced as.
    pub model: String,
    /// The one that the provider says it served; `None` when nothing is known.
    pub served_model: Option<String>,
    pub usage: Usage,
    pub price: Price,
    pub reserved: NanoDollars,
    pub cost: NanoDollars,
    /// What the cost is above the reservation.
    pub overshoot: NanoDollars,
    pub ending: Ending,
    /// Milliseconds since the Unix epoch; decides the windows it counts in.
    pub reserved_at: u64,
    /// Milliseconds since the Unix epoch.
    pub settled_at: u64,
}

/// Which spends; those that match every field that is set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    pub agent: Option<&'a AgentName>,
    pub session: Option<&'a SessionId>,
    pub turn: Option<&'a TurnId>,
    pub task: Option<&'a str>,
    /// Reserved at this time or later; milliseconds since the Unix epoch.
    pub since: Option<u64>,
    /// Reserved before this time; milliseconds since the Unix epoch.
    pub until: Option<u64>,
    /// Older than this spend: the last one of the previous page.
    pub before: Option<ReservationId>,
}

/// Sums over spends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub requests: u64,
    pub usage: Usage,
    pub cost: NanoDollars,
    pub overshoot: NanoDollars,
}

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(HistoryError);

impl Ledger<'_> {
    /// Newest first. `limit` is 1 to [`HISTORY_PAGE_MAX`].
    pub fn history(&self, filter: &Filter<'_>, limit: u32) -> Result<Vec<Spend>, HistoryError> {
        invalid::page(limit, HISTORY_PAGE_MAX)?;
        let (condition, mut values) = filter.condition();
        values.push(Value::Integer(i64::from(limit)));
        let sql = format!("SELECT * FROM history WHERE {condition} ORDER BY id DESC LIMIT ?");
        self.0.read(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let spends = statement
                .query_map(params_from_iter(values), spend)?
                .collect::<rusqlite::Result<_>>()?;
            Ok(spends)
        })
    }

    /// One spend; `None` while its reservation is open, or when there never was one.
    pub fn spend(&self, id: ReservationId) -> Result<Option<Spend>, HistoryError> {
        self.0.read(|db| {
            let found = db
                .prepare_cached("SELECT * FROM history WHERE id = ?1")?
                .query_row([id.0], spend)
                .optional()?;
            Ok(found)
        })
    }

    /// Exact sums over the history.
    pub fn totals(&self, filter: &Filter<'_>) -> Result<Totals, HistoryError> {
        self.0.read(|db| Ok(totals(db, filter)?))
    }
}

impl Filter<'_> {
    /// Fixed texts only: what the caller gave travels as values.
    fn condition(&self) -> (String, Vec<Value>) {
        let text = |text: &str| Value::Text(text.to_owned());
        let number = |number: u64| Value::Integer(int(number));
        let (conditions, values): (Vec<&str>, Vec<Value>) = [
            ("agent = ?", self.agent.map(|agent| text(agent.as_str()))),
            ("session = ?", self.session.map(|session| text(session.as_str()))),
            ("turn = ?", self.turn.map(|turn| text(turn.as_str()))),
            ("task = ?", self.task.map(text)),
            ("reserved_at >= ?", self.since.map(number)),
            ("reserved_at < ?", self.until.map(number)),
            ("id < ?", self.before.map(|id| Value::Integer(id.0))),
        ]
        .into_iter()
        .filter_map(|(condition, value)| Some((condition, value?)))
        .unzip();
        match conditions.is_empty() {
            true => ("true".to_owned(), values),
            false => (conditions.join(" AND "), values),
        }
    }
}

fn totals(db: &Connection, filter: &Filter<'_>) -> rusqlite::Result<Totals> {
    const SUMMED: [&str; 7] =
        ["input", "cached", "cache_written", "output", "reasoning", "cost", "overshoot"];
    // In halves, because a sum over SQLite's integers that overflows is an error.
    let halves: String = SUMMED
        .iter()
        .map(|c| format!(", ifnull(sum({c} >> 32), 0), ifnull(sum({c} & 4294967295), 0)"))
        .collect();
    let (condition, values) = filter.condition();
    let sql = format!("SELECT count(*){halves} FROM history WHERE {condition}");
    db.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| {
        let sum = |n: usize| -> rusqlite::Result<NanoDollars> {
            Ok(sums::whole(row.get(1 + 2 * n)?, row.get(2 + 2 * n)?))
        };
        Ok(Totals {
            requests: uint(row.get(0)?),
            usage: Usage {
                input: sum(0)?.0,
                cached: sum(1)?.0,
                cache_written: sum(2)?.0,
                output: sum(3)?.0,
                reasoning: sum(4)?.0,
            },
            cost: sum(5)?,
            overshoot: sum(6)?,
        })
    })
}

/// A row of `history`, in the order of its columns.
fn spend(row: &Row<'_>) -> rusqlite::Result<Spend> {
    Ok(Spend {
        id: ReservationId(row.get(0)?),
        agent: agent(row, 1)?,
        session: optional_session(row, 2)?,
        turn: optional_turn(row, 3)?,
        task: row.get(4)?,
        requested_model: row.get(5)?,
        model: row.get(6)?,
        served_model: row.get(7)?,
        usage: usage(row, 8)?,
        price: Price {
            input: uint(row.get(13)?),
            cached: uint(row.get(14)?),
            cache_write: uint(row.get(15)?),
            output: uint(row.get(16)?),
        },
        reserved: money(row.get(17)?),
        cost: money(row.get(18)?),
        overshoot: money(row.get(19)?),
        ending: named(row, 20, Ending::from_name)?,
        reserved_at: uint(row.get(21)?),
        settled_at: uint(row.get(22)?),
    })
}
