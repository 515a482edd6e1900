//! Reserving: the one decision whether a request may spend.

use domain::{AgentName, BudgetLine, NanoDollars, OnExceeded, Price, SessionId, TurnId};
use rusqlite::{Connection, params};

use super::cap::{self, Cap};
use super::lines::lines;
use super::{Ledger, ReservationId};
use crate::column::int;
use crate::database::DatabaseError;
use crate::invalid::{self, Invalid, Limit};

/// One reservation: a million dollars. No request costs that, and nine thousand of them at once
/// still fit the sums.
pub const AMOUNT_MAX: NanoDollars = NanoDollars(1_000_000 * 1_000_000_000);
/// A task's or a run's key: minted ids are 32 bytes.
pub const TASK_KEY_MAX_BYTES: usize = 128;

/// What is to be reserved, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct ReserveRequest<'a> {
    pub agent: &'a AgentName,
    pub session: Option<&'a SessionId>,
    pub turn: Option<&'a TurnId>,
    /// The id of the task, or of the run: never empty, so that no cap on tasks can be stepped
    /// around.
    pub task: &'a str,
    /// The model that was asked for.
    pub requested_model: &'a str,
    /// The model that the request is routed to, whose price this is.
    pub model: &'a str,
    pub price: Price,
    /// The worst case. Taken as zero when the price is free.
    pub amount: NanoDollars,
    /// The configured caps; stored ones are added (see [`Ledger::caps`]).
    pub caps: &'a [Cap],
}

/// Money is put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    pub id: ReservationId,
    /// What was put aside: the amount asked for, or zero for a free model.
    pub amount: NanoDollars,
    /// Every cap that binds the agent, this reservation included. One with `on_exceeded: alert`
    /// may be passed.
    pub lines: Vec<(Cap, BudgetLine)>,
}

/// The request does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the {} budget of {} ({}) has {} left, the request may cost {amount}",
    line.scope, line.cap, line.window, line.available()
)]
pub struct Refusal {
    /// The tightest cap: the one with the least left; of equals the one with the strictest action.
    pub cap: Cap,
    pub line: BudgetLine,
    pub amount: NanoDollars,
    /// All caps that the request does not fit, the tightest first.
    pub exceeded: Vec<(Cap, BudgetLine)>,
    /// Whether something is reserved under the tightest cap that may be settled for less: waiting
    /// a little can help.
    pub open_reservations: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    #[error(transparent)]
    Refused(Box<Refusal>),
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(ReserveError);

impl Ledger<'_> {
    /// Checks every cap and puts the amount aside, in one transaction. Not idempotent. The
    /// reservation stands until [`Ledger::settle`] or [`Ledger::release`]; when this process dies
    /// first, it is booked in full by whoever opens the store or calls [`Ledger::recover`] next.
    pub fn reserve(
        &self,
        request: &ReserveRequest<'_>,
        now_ms: u64,
    ) -> Result<Reserved, ReserveError> {
        invalid::bytes("task", request.task, 1, TASK_KEY_MAX_BYTES)?;
        let amount = if request.price.is_free() { NanoDollars::ZERO } else { request.amount };
        self.0.write(|db| {
            let caps = cap::effective(db, request.agent, request.caps)?;
            let mut lines = lines(db, caps, (request.agent, request.task), now_ms)?;
            if !request.price.is_free()
                && let Some(refusal) = refusal(&lines, amount)
            {
                return Err(ReserveError::Refused(Box::new(refusal)));
            }
            if amount > AMOUNT_MAX {
                let limit = Limit::Range { min: 0, max: AMOUNT_MAX.0 };
                return Err(Invalid { argument: "amount", limit }.into());
            }
            let id = insert(db, self.0.owner().as_str(), request, amount, now_ms)?;
            for (_, line) in &mut lines {
                line.reserved = line.reserved.saturating_add(amount);
            }
            Ok(Reserved { id, amount, lines })
        })
    }
}

/// The caps that `amount` does not fit, if any.
fn refusal(lines: &[(Cap, BudgetLine)], amount: NanoDollars) -> Option<Refusal> {
    let mut exceeded: Vec<_> = lines
        .iter()
        .filter(|(cap, line)| {
            let used = line.settled.saturating_add(line.reserved);
            // Not `available() < amount`: past the cap even a request of zero cost to the
            // reservation but with a price must wait.
            cap.on_exceeded != OnExceeded::Alert && used.0.saturating_add(amount.0) > line.cap.0
        })
        .cloned()
        .collect();
    exceeded.sort_by_key(|(cap, line)| (line.available(), leniency(cap.on_exceeded)));
    let (cap, line) = exceeded.first()?.clone();
    let open_reservations = line.reserved > NanoDollars::ZERO;
    Some(Refusal { cap, line, amount, exceeded, open_reservations })
}

fn leniency(action: OnExceeded) -> u8 {
    match action {
        OnExceeded::Stop => 0,
        OnExceeded::Pause => 1,
        OnExceeded::Degrade => 2,
        OnExceeded::Alert => 3,
    }
}

fn insert(
    db: &Connection,
    owner: &str,
    request: &ReserveRequest<'_>,
    amount: NanoDollars,
    now_ms: u64,
) -> rusqlite::Result<ReservationId> {
    // Whatever leaves `reservation` is in `spend`, so the highest of both was the last.
    db.prepare_cached(
        "INSERT INTO reservation
         (id, owner, agent, session, turn, task, requested_model, model,
          price_input, price_cached, price_cache_write, price_output, amount, at)
         VALUES (1 + max(ifnull((SELECT max(id) FROM reservation), 0),
                         ifnull((SELECT max(id) FROM spend), 0)),
                 ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        owner,
        request.agent.as_str(),
        request.session.map(SessionId::as_str),
        request.turn.map(TurnId::as_str),
        request.task,
        request.requested_model,
        request.model,
        int(request.price.input),
        int(request.price.cached),
        int(request.price.cache_write),
        int(request.price.output),
        int(amount.0),
        int(now_ms),
    ])?;
    Ok(ReservationId(db.last_insert_rowid()))
}
