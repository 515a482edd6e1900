//! The WebAssembly engine. It needs no virtualisation, only address space.

use ::engine::{Allocation, Engine, Options};

use super::Check;
#[cfg(unix)]
use crate::commands::output::size;

const WHAT: &str = "engine";

pub fn checks() -> Vec<Check> {
    let mut checks = vec![engine()];
    #[cfg(unix)]
    checks.push(address_space());
    checks
}

/// The engine that a run sets up.
fn engine() -> Check {
    match Engine::new(&Options { sessions: 1, allocation: Allocation::Pooled }) {
        Ok(engine) if engine.allocation() == Allocation::Pooled => {
            Check::ok(WHAT, "WebAssembly runs here, with pooled memory; no KVM is needed")
        }
        Ok(_) => {
            Check::warn(WHAT, "WebAssembly runs here, but without pooled memory: slower starts")
                .hint("raise the limit on address space: `ulimit -v unlimited`")
        }
        Err(error) => {
            let error = anyhow::Error::new(error);
            Check::fail(WHAT, format!("{error:#}"))
                .hint("is this a processor of 64 bits, and may programs map executable memory?")
        }
    }
}

/// A limit is no mistake as long as the engine starts below it; it explains why it does not.
#[cfg(unix)]
fn address_space() -> Check {
    use rustix::process::{Resource, getrlimit};
    const WHAT: &str = "address space";
    match getrlimit(Resource::As).current {
        None => Check::ok(WHAT, "unlimited"),
        Some(bytes) => Check::warn(WHAT, format!("limited to {}", size(bytes))).hint(
            "each running guest reserves some GiB that it does not use: `ulimit -v unlimited`",
        ),
    }
}
