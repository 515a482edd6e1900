//! MCP servers that others publish, for the tests that talk to a real one. They are installed from
//! `host/mcp/tests/npm` by their lock file, into the cache like the packages of components. Called by
//! `checks` and `setup`.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::npm;
use crate::settings::Settings;

/// Tells the tests where the packages are.
pub const VARIABLE: &str = "XPRESSCLAW_TEST_SERVERS";
/// What the tests start.
const SERVER: &str = "@modelcontextprotocol/server-everything/dist/index.js";

/// Installs them unless they are there, and gives back the folder of the packages.
pub fn install(settings: &Settings) -> Result<PathBuf> {
    let packages =
        npm::packages(settings, "test-servers", &settings.root.join("host/mcp/tests/npm"))?;
    ensure!(
        packages.join(SERVER).is_file(),
        "npm installed no {SERVER}; fix: remove {}",
        packages.display()
    );
    Ok(packages)
}
