//! The toolchain for Rust guests: a compiler with a std for a [`Target`], found or made in one of
//! the ways of `mode`, and the environment that makes cargo use it. Called by `components` and
//! `guest_programs`.
//!
//! It never changes the host's compiler, and of the machine it changes at most rustup's list of
//! installed targets.

mod debian;
pub mod mode;
pub mod names;
mod rustc;
mod std_build;
mod target;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};

use crate::process::{self, say};
use crate::settings::{Network, Settings, utf8};
use crate::stamp::Inputs;
use mode::Mode;
use rustc::Rustc;
use std_build::StdBuilds;
pub use target::Target;

/// rustup retries for minutes when its server does not answer; a download of 25 MB that needs
/// longer than this is slower than building std from source.
const RUSTUP_LIMIT: Duration = Duration::from_secs(20);

/// What a guest is linked as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Linked {
    /// What its target's linker makes: a component, or a program of the machine.
    Usual,
    /// A core module, for a crate without std: the components' target, and a linker that stops before the
    /// component is made.
    Module,
}

/// A compiler with a std for a target.
pub struct Toolchain {
    /// Changes when the code it generates may change.
    pub id: String,
    target: Target,
    variables: Vec<(String, String)>,
    flags: Vec<String>,
    /// What the linker of components needs to be told.
    component_flags: Vec<String>,
    /// The linker of core modules.
    module_linker: PathBuf,
}

impl Toolchain {
    /// Makes `command`, a cargo, build guests with this toolchain. Paths of this machine are kept
    /// out of the guests: with the same toolchain, a guest's digest is the same everywhere.
    pub fn apply(&self, command: &mut Command, settings: &Settings, linked: Linked) -> Result<()> {
        let mut flags = self.flags.clone();
        if linked == Linked::Usual {
            flags.extend_from_slice(&self.component_flags);
        }
        flags.push(format!("--remap-path-prefix={}=.", utf8(&settings.root)?));
        if let Some(home) = cargo_home() {
            flags.push(format!("--remap-path-prefix={}=cargo", utf8(&home)?));
        }
        // Not RUSTFLAGS: the encoded form survives spaces and wins over the user's flags.
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        names::apply(command, &settings.root)?;
        if linked == Linked::Module {
            command.env(self.target.variable("LINKER"), utf8(&self.module_linker)?);
        }
        Ok(())
    }

    /// The same as variables for a cargo that is started by others, `NAME=VALUE` lines; empty where
    /// nothing needs to be said.
    pub fn as_variables(&self) -> String {
        let own = self.variables.iter().map(|(name, value)| format!("{name}={value}\n"));
        let mut lines: String = own.collect();
        let flags: Vec<_> =
            self.flags.iter().chain(&self.component_flags).map(String::as_str).collect();
        if !flags.is_empty() {
            let flags = flags.join(" ");
            lines.push_str(&format!("{}={flags}\n", self.target.variable("RUSTFLAGS")));
        }
        lines
    }

    fn installed(rustc: &Rustc, target: Target) -> Self {
        let linker = |linker: &str| (target.variable("LINKER"), linker.to_owned());
        Self {
            id: rustc.id(target),
            target,
            variables: target.system_linker().map(linker).into_iter().collect(),
            flags: target.flags().iter().map(|flag| (*flag).to_owned()).collect(),
            component_flags: Vec::new(),
            module_linker: rustc.module_linker(),
        }
    }

    /// The active compiler with a std that was built for it.
    fn with_std(rustc: &Rustc, target: Target, sysroot: &Path) -> Result<Self> {
        let mut toolchain = Self::installed(rustc, target);
        toolchain.flags.push(format!("--sysroot={}", utf8(sysroot)?));
        Ok(toolchain)
    }

    /// Another compiler with a std that was built for it. For components, with the linker of the
    /// active toolchain: Debian packages none that makes them.
    fn foreign(rustc: &Rustc, target: Target, sysroot: &Path, active: &Rustc) -> Result<Self> {
        let mut toolchain = Self::with_std(rustc, target, sysroot)?;
        toolchain.variables.push(("RUSTC".to_owned(), utf8(&rustc.path)?.to_owned()));
        if target == Target::Component {
            toolchain.use_linker_of(active)?;
        }
        Ok(toolchain)
    }

    fn use_linker_of(&mut self, active: &Rustc) -> Result<()> {
        let tools = active.tools();
        let (linker, wasm_ld) = (tools.join("wasm-component-ld"), tools.join("gcc-ld/wasm-ld"));
        for tool in [&linker, &wasm_ld] {
            ensure!(tool.exists(), "the active toolchain has no {}", tool.display());
        }
        self.component_flags.push(format!("-Clink-arg=--wasm-ld-path={}", utf8(&wasm_ld)?));
        self.module_linker = active.module_linker();
        self.variables.push((self.target.variable("LINKER"), utf8(&linker)?.to_owned()));
        Ok(())
    }
}

/// Finds a toolchain, or makes one: the first time this may take minutes.
pub fn toolchain(settings: &Settings, target: Target) -> Result<Toolchain> {
    let active = Rustc::active()?;
    let builds = StdBuilds { settings, active: &active, target };
    let triple = target.triple();
    mode::choose(
        &settings.guest_modes,
        |mode| ready(mode, &active, &builds),
        |mode| {
            say(format_args!("std for {triple}: trying {}", mode.name()));
            prepare(mode, settings, &active, &builds)
                .inspect_err(|error| say(format_args!("{}: {error:#}", mode.name())))
        },
    )
    .map_err(|failures| {
        let tried: Vec<_> =
            failures.iter().map(|(mode, error)| format!("{}: {error:#}", mode.name())).collect();
        anyhow!(
            "no std for {triple} to build guests with; tried\n  {}\nfix: rustup target add {triple}",
            tried.join("\n  ")
        )
    })
}

/// What is there already. Costs a few looks at the file system.
fn ready(mode: Mode, active: &Rustc, builds: &StdBuilds) -> Option<Toolchain> {
    let target = builds.target;
    match mode {
        Mode::Installed => active.has_std(target).then(|| Toolchain::installed(active, target)),
        // What it would add is what `Installed` finds.
        Mode::RustupAdd => None,
        Mode::RustSrc | Mode::DebSrc => {
            let sysroot = builds.built(active)?;
            Toolchain::with_std(active, target, &sysroot).ok()
        }
        Mode::DebRustc => {
            let rustc = debian::compiler(&builds.debian_prefix()).ok()?;
            let sysroot = builds.built(&rustc)?;
            Toolchain::foreign(&rustc, target, &sysroot, active).ok()
        }
    }
}

fn prepare(
    mode: Mode,
    settings: &Settings,
    active: &Rustc,
    builds: &StdBuilds,
) -> Result<Toolchain> {
    let target = builds.target;
    match mode {
        Mode::Installed => Err(anyhow!("the toolchain in {} has none", active.sysroot.display())),
        Mode::RustupAdd => {
            ensure!(settings.network == Network::Allowed, "offline");
            let rustup = process::on_path("rustup").context("there is no rustup")?;
            process::run_bounded(
                process::command(rustup).args(["target", "add", target.triple()]),
                RUSTUP_LIMIT,
                "none needed, another way is tried",
            )?;
            ensure!(active.has_std(target), "rustup added {target:?} to another toolchain");
            Ok(Toolchain::installed(active, target))
        }
        Mode::RustSrc => {
            let library = active.sysroot.join("lib/rustlib/src/rust/library");
            ensure!(library.join("Cargo.lock").exists(), "rustup's rust-src is not installed");
            Toolchain::with_std(active, target, &builds.build(active, &library)?)
        }
        Mode::DebSrc => Toolchain::with_std(active, target, &builds.build_from_debian_source()?),
        Mode::DebRustc => {
            let (rustc, sysroot) = builds.build_with_debian_compiler()?;
            Toolchain::foreign(&rustc, target, &sysroot, active)
        }
    }
}

fn cargo_home() -> Option<PathBuf> {
    let home = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME").map(Into::into).or_else(home)
}

/// The part of every stamp that stands for a compiler.
fn compiler_id(verbose_version: &str, target: Target) -> String {
    Inputs::new("guest std 1").text(verbose_version).text(target.triple()).stamp()
}
