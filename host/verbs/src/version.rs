//! `xpressclaw:xclaw/version`.

use bindings::xclaw::version as wit;

use crate::VerbsView;

/// The contract's version, of `xpressclaw:harness`.
pub const CONTRACT: &str = "0.1.0";

impl wit::Host for VerbsView<'_> {
    async fn get(&mut self) -> wasmtime::Result<wit::Version> {
        Ok(wit::Version { host: env!("CARGO_PKG_VERSION").into(), contract: CONTRACT.into() })
    }
}
