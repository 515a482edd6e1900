//! A reservation in this process's hands: it is ended exactly once, whatever happens to its holder.

use domain::chat::Usage;
use domain::provider::ModelInfo;
use domain::{Event, NanoDollars, Price, Tier};
use store::Store;
use store::ledger::{ReservationId, Reserved, SettleError, Settlement};

use crate::clock::Clock;
use crate::pipeline::Observer;
use crate::price::Quote;

/// Dropped without an end (a panic, a runtime that shuts down), it releases what was never sent
/// and books the rest in full: nobody is left who knows what it used.
pub(crate) struct Reservation {
    store: Store,
    clock: Clock,
    id: ReservationId,
    amount: NanoDollars,
    /// Tokens that the input cannot exceed.
    input: u64,
    /// Of short inputs.
    price: Price,
    tiers: Vec<Tier>,
    /// The model that the request was routed to.
    model: String,
    /// What `Drop` does.
    fallback: Fallback,
}

enum Fallback {
    Release,
    BookInFull,
    /// It has ended.
    Nothing,
}

impl Reservation {
    pub fn new(
        store: &Store,
        clock: &Clock,
        reserved: &Reserved,
        quote: &Quote,
        info: &ModelInfo,
    ) -> Self {
        let Reserved { id, amount, .. } = *reserved;
        Self {
            store: store.clone(),
            clock: clock.clone(),
            id,
            amount,
            input: quote.input,
            price: info.price.unwrap_or(quote.price),
            tiers: info.tiers.clone(),
            model: info.name.clone(),
            fallback: Fallback::Release,
        }
    }

    pub fn amount(&self) -> NanoDollars {
        self.amount
    }

    /// Tokens that one more attempt may answer with, after others that came to `lost`: all of them
    /// together stay within what is reserved. `None`: not even its input fits.
    pub fn left_after(&self, lost: &Usage) -> Option<u64> {
        let all = lost.input.saturating_add(self.input);
        let price = self.price.dearest(&self.tiers, all);
        if price.is_free() {
            return Some(u64::MAX);
        }
        let rest = self.amount.0.checked_sub(price.cost(lost).0)?;
        if price.output == 0 {
            return (price.worst_case(self.input, 0).0 <= rest).then_some(u64::MAX);
        }
        price.affordable_output(NanoDollars(rest), self.input)
    }

    /// From here on the provider may bill it.
    pub fn sending(&mut self) {
        self.fallback = Fallback::BookInFull;
    }

    /// Books what was used. Returns the cost as booked. After an error the drop tries again, in
    /// full.
    pub fn settle(
        &mut self,
        usage: Usage,
        served: &str,
        observer: &dyn Observer,
    ) -> Result<NanoDollars, SettleError> {
        let price = self.price.at(&self.tiers, usage.input);
        let settlement = Settlement { usage, cost: price.cost(&usage), served_model: served };
        let settled = self.store.ledger().settle_at(self.id, &settlement, price, (self.clock)())?;
        self.fallback = Fallback::Nothing;
        if let Some(over) = settled.overshoot {
            tracing::error!(
                model = served, reserved = %over.reserved, cost = %over.cost,
                "the provider charged more than was reserved; booked in full"
            );
            observer.event(Event::Overshoot {
                model: served.into(),
                reserved: over.reserved,
                cost: over.cost,
            });
        }
        Ok(settled.cost)
    }

    /// Books the whole amount: what was used is unknown.
    pub fn settle_in_full(&mut self) -> Result<NanoDollars, SettleError> {
        let settlement =
            Settlement { usage: Usage::default(), cost: self.amount, served_model: &self.model };
        let settled = self.store.ledger().settle(self.id, &settlement, (self.clock)())?;
        self.fallback = Fallback::Nothing;
        Ok(settled.cost)
    }

    /// Gives it back: the provider bills nothing.
    pub fn release(&mut self) -> Result<NanoDollars, SettleError> {
        let settled = self.store.ledger().release(self.id, (self.clock)())?;
        self.fallback = Fallback::Nothing;
        Ok(settled.cost)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let ended = match self.fallback {
            Fallback::Nothing => return,
            Fallback::Release => self.release(),
            Fallback::BookInFull => self.settle_in_full(),
        };
        match ended {
            Ok(cost) => tracing::error!(%cost, "a model call was lost; its reservation is booked"),
            // It stands until the next recovery books it in full: fail closed.
            Err(error) => tracing::error!(%error, "a reservation could not be ended and stands"),
        }
    }
}
