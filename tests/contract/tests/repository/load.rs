//! What the host takes as a harness: dummies link against everything it offers, and whatever is no
//! harness is refused with what to do about it.

use std::fs;

use anyhow::{Result, bail, ensure};
use contract::compat;
use contract::component::{Targets, dummy, dummy_with_stranger};
use contract::wit::Contract;
use engine::Allocation;
use llm::{Pipeline, Router};
use session::{ComponentFile, Harness, Runtime, RuntimeOptions};
use store::Store;
use tempfile::TempDir;

/// A host without models, in a folder of its own.
pub struct Host {
    folder: TempDir,
    runtime: Runtime,
}

impl Host {
    pub fn new() -> Result<Self> {
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
        let guest = self.file("guest", bytes)?;
        Ok(Harness::load(&self.runtime, "guest", &guest.path, || {})?)
    }

    pub fn file(&self, name: &str, bytes: &[u8]) -> Result<ComponentFile> {
        let path = self.folder.path().join(format!("{name}.wasm"));
        fs::write(&path, bytes)?;
        Ok(ComponentFile::new(name, path))
    }

    /// Loads a harness behind its middleware, and says whether anything was compiled for that.
    pub fn load_behind(
        &self,
        harness: &ComponentFile,
        middleware: &[ComponentFile],
    ) -> Result<(Harness, bool)> {
        let mut compiled = false;
        let harness = Harness::load_behind(&self.runtime, harness, middleware, || compiled = true)?;
        Ok((harness, compiled))
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
pub fn at_version(contract: &Contract, version: &str) -> Result<Contract> {
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

/// The contract with one text replaced, as a guest of a careless fork knows it.
fn with(contract: &Contract, text: &str, other: &str) -> Result<Contract> {
    let rendered = compat::render(contract)?;
    ensure!(rendered.contains(text), "the contract has no `{text}`");
    Contract::parse("a fork", &rendered.replace(text, other))
}

/// `harness` with one section more, whose content is missing.
fn cut_off(harness: &[u8]) -> Vec<u8> {
    let mut bytes = harness.to_vec();
    bytes.extend([0, 0xe8, 0x07, 1, b'x']);
    bytes
}

#[test]
fn files_that_are_no_component_are_refused_with_the_fix() -> Result<()> {
    let host = Host::new()?;
    let harness = dummy(&crate::contract()?, "harness")?;
    let half = &harness[..harness.len() / 2];
    for (what, bytes, parts) in [
        ("an empty file", &b""[..], &["guest.wasm", "not a WebAssembly file"][..]),
        ("a zip file", b"PK\x03\x04\0\0", &["guest.wasm", "not a WebAssembly file"]),
        ("a script", b"echo hello", &["guest.wasm is text", "in binary form"]),
        ("WIT", b"package a:b;\nworld harness {}\n", &["is text", "for the world `harness`"]),
        ("WebAssembly text", b"(component)", &["is text", "`wasm-tools parse`"]),
        ("a core module", b"\0asm\x01\0\0\0", &["is a core module, not a component; build it"]),
        ("half a component", half, &["guest.wasm is cut off", "copy or download it again"]),
        ("one without its end", &cut_off(&harness), &["is cut off: 998 bytes are missing"]),
        ("a section's id alone", b"\0asm\x0d\0\x01\0\x07", &["is cut off: 1 bytes are missing"]),
        ("rubbish", b"\0asm\x0d\0\x01\0\x07\x01\xff", &["does not compile as a component"]),
    ] {
        refused(&host, what, bytes, parts)?;
    }
    let folder = ComponentFile::new("folder", host.folder.path());
    let error = host.load_behind(&folder, &[]).err().map(|error| format!("{error:#}"));
    let error = error.unwrap_or_default();
    ensure!(error.contains("is a folder; name the component in it"), "{error}");
    let absent = ComponentFile::new("absent", host.folder.path().join("absent"));
    let error = host.load_behind(&absent, &[]).err().map(|error| format!("{error:#}"));
    ensure!(error.unwrap_or_default().contains("cannot read"), "a missing file was read");
    Ok(())
}

#[test]
fn a_component_that_changed_after_it_was_verified_is_not_run() -> Result<()> {
    let host = Host::new()?;
    let bytes = dummy(&crate::contract()?, "harness")?;
    let mut file = host.file("guest", &bytes)?;
    let verified = host.load_behind(&file, &[])?.0.digest();
    file.digest = Some(verified);
    // A custom section with the name `x` and nothing in it: still a harness, and another one.
    fs::write(&file.path, [&bytes[..], b"\0\x02\x01x"].concat())?;
    let (harness, compiled) = host.load_behind(&file, &[])?;
    ensure!((harness.digest(), compiled) == (verified, false), "not what was verified");
    // With nothing compiled of what was verified, the file is read, and is another one.
    fs::remove_dir_all(host.folder.path().join("compiled"))?;
    let error = host.load_behind(&file, &[]).err().map(|error| format!("{error:#}"));
    let error = error.unwrap_or_default();
    ensure!(error.contains("was changed after it was verified"), "{error}");
    Ok(())
}

#[test]
fn components_that_do_not_fit_are_refused_with_the_interface_and_the_fix() -> Result<()> {
    let host = Host::new()?;
    let contract = crate::contract()?;
    let version = contract.version()?.to_string();
    let build = format!("build it against the contract {version}");
    let of = |contract: &Contract| dummy(contract, "harness");
    let other_signature = with(&contract, "complete: func(request: request)", "complete: func()")?;
    for (what, bytes, parts) in [
        (
            "one import more",
            dummy_with_stranger(&contract, "harness")?,
            ["`checks:dummies/stranger@1.0.0`, which this host does not offer", build.as_str()],
        ),
        (
            "a newer contract",
            of(&at_version(&contract, "0.2.0")?)?,
            ["@0.2.0`, of a newer", &build],
        ),
        (
            "a much newer contract",
            of(&at_version(&contract, "1.0.0")?)?,
            ["@1.0.0`, of a newer contract than this host's 0.1.0; update xpressclaw", &build],
        ),
        (
            "an older contract",
            of(&at_version(&contract, "0.0.9")?)?,
            ["@0.0.9`, of an older contract", &build],
        ),
        (
            "an import of another type",
            of(&other_signature)?,
            [
                "it uses `xpressclaw:llm/chat@0.1.0` with other types",
                "build it again from the contract's WIT",
            ],
        ),
        (
            "nothing",
            b"\0asm\x0d\0\x01\0".to_vec(),
            ["exports neither `xpressclaw:harness/agent@0.1.0`", "world `harness`"],
        ),
        (
            "an http-harness",
            dummy(&contract, "http-harness")?,
            ["it is no harness", "build it for the world `harness` or `harness-sync`"],
        ),
        (
            "middleware",
            dummy(&contract, "llm-middleware")?,
            ["it is middleware: it exports `xpressclaw:llm/chat@0.1.0`", "`middleware:`"],
        ),
        (
            "middleware of tools",
            dummy(&contract, "tools-middleware")?,
            ["it is middleware: it exports `xpressclaw:tools/tools@0.1.0`", "`middleware:`"],
        ),
    ] {
        refused(&host, what, &bytes, &parts)?;
    }
    Ok(())
}
