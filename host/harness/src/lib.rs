//! What a harness needs while it runs a turn: waiting, events, input, permission.
//!
//! Implements `xpressclaw:base/wait` and `xpressclaw:harness/turn`. The session crate makes one
//! `TurnCtx` per session and links this crate's `Host` implementations. Nothing here knows of
//! models, money or storage.

mod calls;
mod cancel;
mod ctx;
mod cut;
mod events;
mod host;
mod inputs;
mod permit;

pub use cancel::Cancellation;
pub use ctx::{TurnCtx, TurnHandle};
pub use events::{EventReader, Events, Tally, events};
pub use host::{HasTurn, TurnView};
