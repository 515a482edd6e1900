//! The components: every folder below `components/` becomes `<cache>/components/<folder>.wasm`,
//! rebuilt only when its sources, the contract or its toolchain changed. Guests that exist for tests
//! only are below `tests/guests/` and become `<cache>/components/tests/<folder>.wasm`, where the host
//! does not look for harnesses. [`MODULE`] is a core module and becomes `<cache>/machine/<folder>.wasm`.
//! Called before anything runs or tests.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::guest::{self, Linked, Target, Toolchain};
use crate::npm;
use crate::process::{self, say};
use crate::python;
use crate::settings::Settings;
use crate::stamp::{Inputs, ensure};

const TARGET: Target = Target::Component;

/// The machine's computer: no harness, and not even a component (ADR 0031).
pub const MODULE: &str = "computer";

/// Crates beside `components/` that components are built from.
const SHARED_CRATES: [&str; 1] = ["host/riscv"];

/// How a component is built, told by the manifest in its folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cargo(Linked),
    Npm,
    Python,
}

struct Component {
    name: String,
    dir: PathBuf,
    kind: Kind,
    output: PathBuf,
}

impl Component {
    fn is_called(&self, name: &OsStr) -> bool {
        name == self.name.as_str()
    }
}

/// Brings the components called `names` up to date, or all when there are no names.
pub fn build(settings: &Settings, names: &[OsString]) -> Result<()> {
    let components = all(settings)?;
    if let Some(unknown) = names.iter().find(|name| !components.iter().any(|c| c.is_called(name))) {
        let known: Vec<_> = components.iter().map(|component| component.name.as_str()).collect();
        bail!("no component {}; there are {}", unknown.display(), known.join(", "));
    }
    let mut toolchain = None;
    for component in &components {
        if !names.is_empty() && !names.iter().any(|name| component.is_called(name)) {
            continue;
        }
        let output = &component.output;
        let inputs = Inputs::new("component 1").path(&component.dir)?.path(&settings.wit())?;
        let lock = settings.lock(&component.name);
        match component.kind {
            Kind::Npm => ensure(output, &inputs.stamp(), &lock, || {
                say(format_args!("building component {}", component.name));
                publish(output, |partial| {
                    npm::build(settings, &component.name, &component.dir, partial)
                })
            })?,
            Kind::Python => ensure(output, &inputs.stamp(), &lock, || {
                say(format_args!("building component {}", component.name));
                publish(output, |partial| {
                    python::build(settings, &component.name, &component.dir, partial)
                })
            })?,
            Kind::Cargo(linked) => {
                if toolchain.is_none() {
                    toolchain = Some(guest::toolchain(settings, TARGET)?);
                }
                let Some(toolchain) = &toolchain else { continue };
                let workspace = settings.root.join("components");
                let mut inputs = inputs
                    .path(&workspace.join("Cargo.toml"))?
                    .path(&workspace.join("Cargo.lock"))?
                    .text(&toolchain.id);
                if linked == Linked::Module {
                    for shared in SHARED_CRATES {
                        inputs = inputs.path(&settings.root.join(shared).join("src"))?;
                    }
                }
                ensure(output, &inputs.stamp(), &lock, || {
                    say(format_args!("building component {}", component.name));
                    publish(output, |partial| {
                        cargo(settings, component, linked, toolchain, partial)
                    })
                })?;
            }
        }
    }
    Ok(())
}

/// Whether there is a component called `name`.
pub fn is_one(settings: &Settings, name: &OsStr) -> Result<bool> {
    let is_one = |component: &Component| {
        component.is_called(name) && component.kind != Kind::Cargo(Linked::Module)
    };
    Ok(all(settings)?.iter().any(is_one))
}

/// Runs the tests that components bring along.
pub fn test(settings: &Settings) -> Result<()> {
    for component in all(settings)? {
        if component.kind == Kind::Npm {
            npm::test(settings, &component.name, &component.dir)?;
        }
    }
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--quiet", "--workspace", "--manifest-path"])
        .arg(settings.root.join("components/Cargo.toml"))
        .env("CARGO_TARGET_DIR", &settings.target);
    process::run_inherited(&mut cargo, "read the failing test above")
}

/// Every component of the clone, by name.
fn all(settings: &Settings) -> Result<Vec<Component>> {
    let root = |folder| settings.root.join(folder);
    let mut components = below(settings, &root("components"), &settings.components())?;
    components.extend(below(settings, &root("tests/guests"), &settings.test_guests())?);
    components.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(components)
}

/// The components below `root`, which are built to `outputs`.
fn below(settings: &Settings, root: &Path, outputs: &Path) -> Result<Vec<Component>> {
    let mut components = Vec::new();
    for entry in fs::read_dir(root).with_context(|| format!("cannot read {}", root.display()))? {
        let dir = entry?.path();
        let Some(name) = dir.file_name().and_then(|name| name.to_str()) else {
            bail!("{}: a component's name must be UTF-8", dir.display());
        };
        let kind = if npm::is_npm(&dir) {
            Kind::Npm
        } else if python::is_python(&dir) {
            Kind::Python
        } else if is_package(&dir) {
            Kind::Cargo(if name == MODULE { Linked::Module } else { Linked::Usual })
        } else {
            continue;
        };
        let folder = if name == MODULE { &settings.machine() } else { outputs };
        let output = folder.join(format!("{name}.wasm"));
        components.push(Component { name: name.to_owned(), kind, output, dir });
    }
    Ok(components)
}

/// Whether `dir` has a crate. The programs of the machine and its computer are workspaces of their own here,
/// and no components.
fn is_package(dir: &Path) -> bool {
    let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap_or_default();
    manifest.lines().any(|line| line == "[package]")
}

/// Builds beside `output` and renames, so that a running host never reads half a component.
fn publish(output: &Path, build: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let partial = output.with_extension("partial.wasm");
    build(&partial)?;
    fs::rename(&partial, output).with_context(|| format!("cannot rename to {}", output.display()))
}

fn cargo(
    settings: &Settings,
    component: &Component,
    linked: Linked,
    toolchain: &Toolchain,
    output: &Path,
) -> Result<()> {
    let name = &component.name;
    let mut cargo = process::cargo();
    cargo
        .args(["build", "--release", "--locked", "--target", TARGET.triple(), "--package", name])
        .arg("--manifest-path")
        .arg(settings.root.join("components/Cargo.toml"))
        .env("CARGO_TARGET_DIR", &settings.target);
    toolchain.apply(&mut cargo, settings, linked)?;
    process::run(&mut cargo, "read the compiler's message above")?;
    let file = format!("{}.wasm", name.replace('-', "_"));
    let made = settings.target.join(TARGET.triple()).join("release").join(file);
    fs::copy(&made, output).with_context(|| format!("cannot copy {}", made.display()))?;
    Ok(())
}
