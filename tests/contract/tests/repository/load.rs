//! What the host takes as a harness: dummies link against everything it offers, and whatever is no
//! harness is refused with what to do about it.

use std::fs;

use anyhow::{Result, bail, ensure};
use contract::component::{Targets, dummy, dummy_with_stranger};
use contract::wit::Contract;
use contract::{compat, component};
use engine::Allocation;
use llm::{Pipeline, Router};
use session::{Harness, Runtime, RuntimeOptions};
use store::Store;
use tempfile::TempDir;

/// A host without models, in a folder of its own.
struct Host {
    folder: TempDir,
    runtime: Runtime,
}

impl Host {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(&folder.path().join("data"), 0)?;
        let options = RuntimeOptions {
            compiled: folder.path().join("compiled"),
            sessions: 1,
            allocation: Allocation::OnDemand,
        };
        let pipeline = Pipeline::new(Router::default(), store.clone());
        Ok(Self { runtime: Runtime::new(&options, pipeline, store)?, folder })
    }

    fn load(&self, bytes: &[u8]) -> Result<Harness> {
        let path = self.folder.path().join("guest.wasm");
        fs::write(&path, bytes)?;
        Ok(Harness::load(&self.runtime, "guest", &path, || {})?)
    }

    /// The whole chain of the error that `bytes` are refused with.
    fn refusal(&self, what: &str, bytes: &[u8]) -> Result<String> {
        match self.load(bytes) {
            Err(error) => Ok(format!("{error:#}")),
            Ok(_) => bail!("{what} was taken as a harness"),
        }
    }
}

/// `what` is refused with all of `parts` in the error.
fn refused(host: &Host, what: &str, bytes: &[u8], parts: &[&str]) -> Result<()> {
    let error = host.refusal(what, bytes)?;
    for part in parts {
        ensure!(error.contains(part), "{what}: no `{part}` in the error: {error}");
    }
    Ok(())
}

/// The contract under another version, as a guest of that version knows it.
fn at_version(contract: &Contract, version: &str) -> Result<Contract> {
    let own = format!("@{}", contract.version()?);
    let text = compat::render(contract)?.replace(&own, &format!("@{version}"));
    Contract::parse("another version", &text)
}

#[test]
fn dummies_of_both_harness_worlds_link() -> Result<()> {
    let host = Host::new()?;
    let contract = crate::contract()?;
    for (world, exported) in [("harness", "agent"), ("harness-sync", "agent-sync")] {
        let harness = host.load(&dummy(&contract, world)?)?;
        let name = format!("xpressclaw:harness/{exported}@{}", contract.version()?);
        ensure!(harness.exports() == [name], "{world} exports {:?}", harness.exports());
        ensure!(harness.imports().len() > 10, "{world} imports only {:?}", harness.imports());
    }
    Ok(())
}

#[test]
fn a_guest_of_another_patch_version_links() -> Result<()> {
    let contract = crate::contract()?;
    let later = at_version(&contract, "0.1.99")?;
    for world in ["harness", "harness-sync"] {
        let guest = dummy(&later, world)?;
        Targets::of(&contract)?.check(&guest, world)?;
        Host::new()?.load(&guest)?;
    }
    Ok(())
}

#[test]
fn what_is_no_harness_is_refused_with_the_fix() -> Result<()> {
    let host = Host::new()?;
    let contract = crate::contract()?;
    let version = contract.version()?.to_string();
    let harness = dummy(&contract, "harness")?;

    refused(&host, "a text", b"echo hello", &["guest.wasm", "not a WebAssembly file"])?;
    refused(&host, "an empty file", b"", &["guest.wasm", "not a WebAssembly file"])?;
    refused(
        &host,
        "a core module",
        b"\0asm\x01\0\0\0",
        &["guest.wasm", "is a core module, not a component; build it with"],
    )?;
    refused(
        &host,
        "half a component",
        &harness[..harness.len() / 2],
        &["guest.wasm", "does not compile as a component"],
    )?;
    refused(
        &host,
        "a stranger's friend",
        &dummy_with_stranger(&contract, "harness")?,
        &["checks:dummies/stranger@1.0.0", &format!("build it against the contract {version}")],
    )?;
    refused(
        &host,
        "a guest of another line",
        &dummy(&at_version(&contract, "0.9.0")?, "harness")?,
        &["@0.9.0", &format!("build it against the contract {version}")],
    )?;
    for world in component::worlds(&contract)? {
        if !["harness", "harness-sync"].contains(&&*world) {
            refused(
                &host,
                &world,
                &dummy(&contract, &world)?,
                &[
                    &format!("xpressclaw:harness/agent@{version}"),
                    "build it for the world `harness` or `harness-sync`",
                ],
            )?;
        }
    }
    Ok(())
}
