//! Egress of guests, denied by default, in two layers.
//!
//! Layer one is a list of grants, `scheme://host[:port]` ([`Policy`]). Layer two resolves a name
//! once, checks *every* address it has ([`AddressClass`]) and connects to one of those very
//! addresses, so that a name server cannot change its mind between the check and the connection.
//! Both hold for `wasi:http` ([`Hooks`]) and for `wasi:sockets` ([`configure`], [`add_to_linker`]).
//!
//! The session makes one [`Egress`] per agent; the command line and the configuration parse
//! grants. This crate must never connect on behalf of the host itself (providers have their own
//! client), never read the environment, and never let a guest choose an address that was not
//! checked.

mod address;
mod body;
mod connect;
mod egress;
mod grant;
mod host;
mod http;
mod policy;
mod refusal;
mod resolve;
mod sockets;
mod tls;
mod wasi_names;

pub use address::AddressClass;
pub use egress::{CONNECTIONS_MAX, Egress, OnRefusal};
pub use grant::{Grant, GrantError};
pub use host::{Host, HostError, Scheme};
pub use http::Hooks;
pub use policy::{Allowed, Policy};
pub use refusal::{Reason, Refusal};
pub use resolve::{Resolve, SystemResolver};
pub use sockets::configure;
pub use wasi_names::{Names, NamesView, add_to_linker};
