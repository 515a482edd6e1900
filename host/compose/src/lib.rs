//! Joins a harness and its middleware into one component.
//!
//! Middleware is a component that imports and exports an interface of the contract: it stands
//! between a harness and the host and sees every call. Called by the session crate when compiled
//! code of these very parts is not at hand. It knows neither files nor wasmtime, and it never
//! leaves a seam half joined: a middleware that would be passed by is an error, because a redactor
//! that sees nothing is worse than none.

mod chain;
mod error;
mod surface;

pub use chain::compose;
pub use error::ComposeError;

/// What `compose` makes of the same bytes: part of the name under which its result is kept. Raised
/// when this crate, or a new version of wac-graph, joins parts in another way.
pub const COMPOSER: &str = "xpressclaw compose 1";

/// Middleware of one agent: each adds an instance with a memory of its own and a copy of every
/// request and answer.
pub const MIDDLEWARE_MAX: usize = 8;

/// A component that is joined with others.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// For messages.
    pub name: &'a str,
    pub bytes: &'a [u8],
}
