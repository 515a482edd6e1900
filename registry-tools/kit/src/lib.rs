//! The authoring kit: from an empty folder to a harness that is known to keep the contract.
//!
//! The binary calls it: `harness new` writes a project ([`template`]), `harness build` runs the
//! language's own tools ([`build`]), `harness check` holds a component against the contract
//! ([`check`]), `harness test` plays the conformance scenarios with it ([`suite`]). It carries the
//! contract that this host speaks ([`wit`]), so that a project and its host are of one version.
//!
//! It must never print, never read the environment, never reach the network by itself (package
//! managers do, when a build runs them), and never call a component conformant that it did not run.

pub mod build;
pub mod check;
pub mod files;
pub mod manifest;
pub mod metadata;
pub mod sbom;
pub mod suite;
pub mod template;
pub mod watch;
pub mod wit;
