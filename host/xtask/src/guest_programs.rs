//! The programs that run inside the machine, `components/guest`: its first process and agent, and `xclaw`.
//! Built without libraries of the machine's own, into `<cache>/guest`. Called by whatever makes the
//! machine's image, and by the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::guest::{self, Target, Toolchain};
use crate::process::{self, on_path, say};
use crate::settings::Settings;
use crate::stamp::{self, Inputs, create_dir, remove};
use crate::system;

const TARGET: Target = Target::Machine;

/// What comes out.
const PROGRAMS: [&str; 2] = ["init", "xclaw"];

/// What an agent says whose host went away before it spoke.
const NO_HOST: &str = "the host is gone";

/// Builds them unless they are fresh; the folder that they are in, by their names.
pub fn build(settings: &Settings) -> Result<PathBuf> {
    system::install_for_machine(settings)?;
    let toolchain = guest::toolchain(settings, TARGET)?;
    let output = settings.cache.join("guest");
    let inputs = Inputs::new("guest programs 1")
        .path(&settings.root.join("components/guest"))?
        .path(&settings.root.join("host/machine-protocol"))?
        .path(&settings.root.join("Cargo.toml"))?
        .text(&toolchain.id)
        .text(&linker()?);
    stamp::ensure(&output, &inputs.stamp(), &settings.lock("guest-programs"), || {
        say("building the programs of the machine");
        compile(settings, &toolchain)?;
        publish(settings, &output)
    })?;
    Ok(output)
}

/// Their tests, as programs of this machine; then the built ones run as another processor runs them.
pub fn test(settings: &Settings) -> Result<()> {
    let mut cargo = process::cargo();
    cargo
        .args(["test", "--quiet", "--workspace", "--manifest-path"])
        .arg(manifest(settings))
        .env("CARGO_TARGET_DIR", &settings.target);
    process::run_inherited(&mut cargo, "read the failing test above")?;
    emulated(settings, &build(settings)?)
}

fn manifest(settings: &Settings) -> PathBuf {
    settings.root.join("components/guest/Cargo.toml")
}

/// The linker and the C library that come with it, by their version.
fn linker() -> Result<String> {
    let linker = TARGET.system_linker().context("the machine's programs have no linker")?;
    process::output(process::command(linker).arg("--version"), "install gcc-riscv64-linux-gnu")
}

fn compile(settings: &Settings, toolchain: &Toolchain) -> Result<()> {
    let mut cargo = process::cargo();
    cargo
        .args(["build", "--release", "--locked", "--workspace", "--target", TARGET.triple()])
        .arg("--manifest-path")
        .arg(manifest(settings))
        .env("CARGO_TARGET_DIR", &settings.target);
    toolchain.apply(&mut cargo, settings)?;
    process::run(&mut cargo, "read the compiler's message above")
}

/// Puts all of them in place at once.
fn publish(settings: &Settings, output: &Path) -> Result<()> {
    let partial = output.with_extension("partial");
    remove(&partial)?;
    create_dir(&partial)?;
    let built = settings.target.join(TARGET.triple()).join("release");
    for name in PROGRAMS {
        let from = built.join(name);
        fs::copy(&from, partial.join(name))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    remove(output)?;
    fs::rename(&partial, output).with_context(|| format!("cannot rename to {}", output.display()))
}

/// That each starts at all: `xclaw` says how it is used, the agent sets itself up and finds no host.
fn emulated(settings: &Settings, programs: &Path) -> Result<()> {
    let qemu = ["qemu-riscv64-static", "qemu-riscv64"].into_iter().find_map(on_path);
    let qemu = qemu.context("no qemu-riscv64; fix: apt-get install qemu-user-static")?;
    let run = |command: &mut Command| {
        say(process::render(command));
        command.stdin(Stdio::null()).output().context("cannot start QEMU")
    };
    let help = run(process::command(&qemu).arg(programs.join("xclaw")).arg("--help"))?;
    ensure!(help.status.success() && help.stdout.starts_with(b"Usage: xclaw"), "xclaw: {help:?}");
    let folder = settings.cache.join("guest-test");
    remove(&folder)?;
    create_dir(&folder)?;
    let mut agent = process::command(&qemu);
    agent.arg(programs.join("init")).arg("agent").arg("--beside").arg(&folder);
    let ended = run(&mut agent)?;
    let said = String::from_utf8_lossy(&ended.stderr);
    ensure!(said.contains(NO_HOST), "the agent: {ended:?}");
    ensure!(folder.join("xclaw.sock").exists(), "the agent made no socket");
    remove(&folder)
}
