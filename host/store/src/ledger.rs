//! The ledger: what may be spent, what is promised, what was spent.
//!
//! Why: budgets must hold under any race and any crash, so the decision to spend and its record
//! are one transaction on the one database that all processes share. Called by the `llm` pipeline
//! (reserve before the first byte leaves, settle before the answer ends) and by `budget`.
//!
//! **Invariant.** At every commit, for every cap that a reservation was checked against and in
//! every window: settled + reserved ≤ cap. The only ways past it are an overshoot (a provider
//! charged more than was reserved: booked in full and reported), a cap with `on_exceeded: alert`,
//! which never refuses, and a cap that is lowered, or whose time zone is changed, afterwards.
//!
//! **Windows.** A reservation belongs to the windows that hold the moment it was made, for good:
//! its settlement is booked there too, however late it comes. So no clock, not even one that jumps
//! back and forth over midnight, moves money between windows.
//!
//! **How.** `reservation` holds what is open, and notes how it ended; in batches the ended ones go into
//! `spend` (see `fold`). Both together are the view `history`: append-only (triggers abort any change
//! of an end), one row for every reservation that ever was, a released one at zero cost, so that every
//! request is explained. `settled_sum` holds running sums of `spend` per agent, task and time, so that
//! a check never scans the history. `cap` holds what `budget set` stored.
//!
//! **Caps.** The caller passes those of its configuration; a stored cap of the same scope and
//! window takes their place, for every process from the next reservation on. A free model is let
//! through whatever the caps say, and recorded.
//!
//! It must never: delete or change a spend, settle what a live process reserved, round.

mod cap;
mod fold;
mod history;
mod lines;
mod recent;
mod recover;
mod reserve;
mod settle;
mod sums;
mod window;

pub use cap::{Cap, CapError, Source, WARN_MAX};
pub use history::{Ending, Filter, HISTORY_PAGE_MAX, HistoryError, Spend, Totals};
pub use lines::LinesError;
pub use recover::{RecoverError, Recovered};
pub use reserve::{
    AMOUNT_MAX, Refusal, ReserveError, ReserveRequest, Reserved, TASK_KEY_MAX_BYTES,
};
pub use settle::{Overshoot, SettleError, Settled, Settlement};
pub use window::{Zone, ZoneError};

pub(crate) use recover::adopt;

use crate::database::Store;

/// A promise of money, until it is settled; then the id of its spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReservationId(i64);

crate::id::opaque!(ReservationId);

/// The ledger of a data directory. See [`Store::ledger`].
#[derive(Debug)]
pub struct Ledger<'a>(&'a Store);

impl Store {
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger(self)
    }
}
