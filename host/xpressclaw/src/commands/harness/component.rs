//! What a component file says about itself, read from its binary without compiling it.
//!
//! Only the outermost imports and exports count: what the parts of a component ask of each other
//! never leaves it.

use std::path::Path;

use anyhow::{Context as _, Result};
use artifact::{Described, ManifestError};
use kit::manifest::Asks;

use crate::exit::{Exit, Failure};
use crate::render::plain;

/// Largest file that is read: what the engine would load at most.
const FILE_MAX_BYTES: u64 = 256 << 20;

/// The surface of a component.
#[derive(Debug, PartialEq, Eq)]
pub struct Surface {
    pub size_bytes: u64,
    /// `sha256:` and the digest of the file in hexadecimal digits.
    pub digest: String,
    /// What it says that it asks its user for; `None`: it says nothing that can be read.
    pub asks: Option<Asks>,
    /// In the order of the file.
    pub imports: Vec<String>,
    pub exports: Vec<String>,
}

pub fn read(path: &Path) -> Result<Surface> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    if size > FILE_MAX_BYTES {
        let reason = format!("{shown} has {size} bytes; a harness may have {FILE_MAX_BYTES}");
        return Err(Failure::new(Exit::Failed, reason).into());
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let described = artifact::describe(&bytes).map_err(|why| match why {
        ManifestError::CoreModule => {
            Failure::new(Exit::Failed, format!("{shown} is a core module"))
                .hint("make a component of it: `wasm-tools component new`, or a component target")
        }
        error => Failure::new(Exit::Failed, format!("{shown} is not a WebAssembly component"))
            .because(error),
    })?;
    let digest = artifact::Digest::of(&bytes).to_string();
    Ok(Surface {
        size_bytes: bytes.len() as u64,
        digest,
        asks: asks(&described),
        imports: described.imports,
        exports: described.exports,
    })
}

/// What a component asks for, as it says itself. It grants nothing.
fn asks(described: &Described) -> Option<Asks> {
    let said = serde_json::from_slice::<kit::metadata::Described>(described.harness.as_deref()?);
    Some(said.ok()?.asks)
}

/// The same in words, a line each; nothing is no line.
pub fn asks_in_words(asks: &Asks) -> Vec<String> {
    let mut lines = Vec::new();
    if !asks.hosts.is_empty() {
        lines.push(format!("the network: {}", asks.hosts.join(", ")));
    }
    if !asks.tools.is_empty() {
        lines.push(format!("tools: {}", asks.tools.join(", ")));
    }
    if asks.machine {
        lines.push("a machine, without which it is of no use".to_owned());
    }
    if asks.memory {
        lines.push("memory: it keeps notes that outlive a conversation".to_owned());
    }
    lines
}

/// What a component that just came from elsewhere asks for, to be shown before it is used. Its words
/// are its author's, and are shown without what acts on a terminal.
pub fn asks_for(component: &[u8]) -> Vec<String> {
    let asks = artifact::describe(component).ok().and_then(|described| asks(&described));
    let lines = asks.map(|asks| asks_in_words(&asks)).unwrap_or_default();
    lines.iter().map(|line| format!("it asks for {}", plain(line).replace('\n', " "))).collect()
}
