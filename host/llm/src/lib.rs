//! The one pipeline to every model: admit → limit → (fit) → price → reserve → route → stream → settle.
//!
//! Every door leads here: the WIT interface (`host`), and the HTTP endpoint when there is one. A
//! caller names a model; it never sees a key, an address or a provider. Money is put aside before
//! the first byte leaves and settled before the end of the stream is delivered; whatever fails on
//! the way fails closed: without a reservation nothing is sent.
//!
//! One module per stage. Providers are behind `domain::provider::Provider`, the ledger is the
//! store's; this crate must never know SQL or a provider's wire format.

mod admit;
mod call;
mod clock;
mod completion;
mod count;
mod drive;
mod error;
mod fit;
pub mod host;
mod limit;
mod pipeline;
mod price;
mod reservation;
mod reserve;
mod route;
mod span;
mod steps;
mod warn;

pub use clock::Clock;
pub use completion::{Completion, Item};
pub use error::LlmError;
pub use limit::{Limits, RateLimits};
pub use pipeline::{Caller, Context, Observer, Options, Pipeline};
pub use route::{Route, Router};
pub use steps::Steps;
