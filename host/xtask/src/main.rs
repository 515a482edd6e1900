//! `cargo xtask`: sets a machine up, builds the components and the host, runs and tests them.
//!
//! Developers and CI call it; the shipped binary knows nothing of it. It must build in seconds and
//! cost nothing when all is there, so it depends on next to nothing and stamps what it has done.

mod apt;
mod bench;
mod bench_machine;
mod checks;
mod compare;
mod components;
mod guest;
mod guest_programs;
mod host;
mod layout;
mod machine;
mod model;
mod npm;
mod process;
mod python;
mod settings;
mod setup;
mod stamp;
mod system;
mod test_authoring;
mod test_clients;
mod test_servers;
mod working_copy;

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use settings::Settings;

const USAGE: &str = "\
Usage: cargo xtask <command> [arguments]

  run <harness> [prompt]   set up, build, and run `xpressclaw run`
  x <command> …            the same for any other xpressclaw command
  test [arguments]         set up, build, and run all tests; arguments go to the Rust test runner
  lint                     formatting and clippy, warnings denied
  ci                       lint, then test
  bench <name> …           set up, build, and run a benchmark
  compare machine […]      compare the machine's programs with the same under QEMU
  components [name …]      build the components only, or some of them
  guest-programs           build what runs inside the machine: its init, its agent, xclaw
  machine-image [--full]   build the machine's kernel and root; --full: a root with Node.js, too
  machine-image --repin    pin the versions of its packages that Debian has today
  setup                    install and download what the others need
  help                     this text

Everything built or downloaded goes to $XPRESSCLAW_CACHE (default: ~/.cache/xpressclaw).";

fn main() -> ExitCode {
    if let Some(code) = guest::names::called() {
        return code;
    }
    match dispatch(env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: Vec<OsString>) -> Result<()> {
    let Some((name, rest)) = words.split_first() else {
        bail!("no command\n\n{USAGE}");
    };
    let name = name.to_str().with_context(|| format!("unknown command {}", name.display()))?;
    if matches!(name, "help" | "--help" | "-h") {
        println!("{USAGE}");
        return Ok(());
    }
    let settings = Settings::from_env()?;
    match name {
        "run" => host::run(&settings, [OsStr::new("run")].into_iter().chain(refs(rest))),
        "x" | "xpressclaw" => host::run(&settings, refs(rest)),
        "test" => checks::test(&settings, rest),
        "bench" => bench::run(&settings, rest),
        "compare" => compare::run(&settings, rest),
        "components" => components::build(&settings, rest),
        "machine-image" => machine::command(&settings, rest),
        _ if !rest.is_empty() => bail!("`cargo xtask {name}` takes no arguments\n\n{USAGE}"),
        "lint" => checks::lint(&settings),
        "ci" => checks::lint(&settings).and_then(|()| checks::test(&settings, &[])),
        "setup" => setup::all(&settings),
        "guest-programs" => guest_programs::build(&settings).map(drop),
        _ => bail!("unknown command {name:?}\n\n{USAGE}"),
    }
}

fn refs(words: &[OsString]) -> impl Iterator<Item = &OsStr> {
    words.iter().map(OsString::as_os_str)
}
