//! The components: every folder below `components/` becomes `<cache>/components/<folder>.wasm`,
//! rebuilt only when its sources, the contract or its toolchain changed. Guests that exist for tests
//! only are below `tests/guests/` and become `<cache>/components/tests/<folder>.wasm`, where the host
//! does not look for harnesses. Called before anything runs or tests.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::guest::{self, Target, Toolchain};
use crate::npm;
use crate::process::{self, say};
use crate::python;
use crate::settings::Settings;
use crate::stamp::{Inputs, ensure};

const TARGET: Target = Target::Component;

/// How a component is built, told by the manifest in its folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cargo,
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
            Kind::Cargo => {
                if toolchain.is_none() {
                    toolchain = Some(guest::toolchain(settings, TARGET)?);
                }
                let Some(toolchain) = &toolchain else { continue };
                let workspace = settings.root.join("components");
                let inputs = inputs
                    .path(&workspace.join("Cargo.toml"))?
                    .path(&workspace.join("Cargo.lock"))?
                    .text(&toolchain.id);
                ensure(output, &inputs.stamp(), &lock, || {
                    say(format_args!("building component {}", component.name));
                    publish(output, |partial| cargo(settings, &component.name, toolchain, partial))
                })?;
            }
        }
    }
    Ok(())
}

/// Whether there is a component called `name`.
pub fn is_one(settings: &Settings, name: &OsStr) -> Result<bool> {
    Ok(all(settings)?.iter().any(|component| component.is_called(name)))
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
    let mut components = below(&settings.root.join("components"), &settings.components())?;
    components.extend(below(&settings.root.join("tests/guests"), &settings.test_guests())?);
    components.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(components)
}

/// The components below `root`, which are built to `outputs`.
fn below(root: &Path, outputs: &Path) -> Result<Vec<Component>> {
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
            Kind::Cargo
        } else {
            continue;
        };
        let output = outputs.join(format!("{name}.wasm"));
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

fn cargo(settings: &Settings, name: &str, toolchain: &Toolchain, output: &Path) -> Result<()> {
    let mut cargo = process::cargo();
    cargo
        .args(["build", "--release", "--locked", "--target", TARGET.triple(), "--package", name])
        .arg("--manifest-path")
        .arg(settings.root.join("components/Cargo.toml"))
        .env("CARGO_TARGET_DIR", &settings.target);
    toolchain.apply(&mut cargo, settings)?;
    process::run(&mut cargo, "read the compiler's message above")?;
    let file = format!("{}.wasm", name.replace('-', "_"));
    let made = settings.target.join(TARGET.triple()).join("release").join(file);
    fs::copy(&made, output).with_context(|| format!("cannot copy {}", made.display()))?;
    Ok(())
}
