//! Everything that must be there before something is built, in one place. Called by every command
//! that builds; costs a few looks at the file system when all is there.

use anyhow::Result;

use crate::components;
use crate::machine::{self, Variant};
use crate::model;
use crate::settings::Settings;
use crate::system;
use crate::test_clients;
use crate::test_servers;

/// Programs and libraries, then the model. What single components need (the guests' toolchain, npm
/// packages) is set up where they are built, and only when they have to be.
pub fn base(settings: &Settings) -> Result<()> {
    system::install_missing(settings)?;
    model::download(settings)
}

/// The machine that commands run in: its computer, its kernel and its root.
pub fn machine(settings: &Settings) -> Result<()> {
    components::build(settings, &[components::MODULE.into()])?;
    machine::build(settings, &[Variant::Base])
}

/// All of it, built components included: afterwards nothing is downloaded any more, save crates.
pub fn all(settings: &Settings) -> Result<()> {
    base(settings)?;
    system::install_for_tests(settings)?;
    components::build(settings, &[])?;
    machine(settings)?;
    test_servers::install(settings)?;
    test_clients::install(settings).map(drop)
}
