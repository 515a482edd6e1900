//! The same symbols from every clone: xtask as a wrapper around rustc.
//!
//! cargo tells crates of one name apart by a hash (`-C metadata`), which rustc puts into the names of
//! symbols, and they decide the order of functions. For a crate inside of the workspace that is built the
//! hash is about the path from the workspace, but guests share crates with the host, which lie outside:
//! there it is about the whole path, and the guest's bytes would depend on the clone's folder. So for
//! crates of the clone the package's name takes the hash's place. Its file names keep cargo's hash, which
//! tells the clones apart that share a target directory.
//!
//! `apply` is called where guests are built; cargo then calls xtask, which finds the variable here and
//! calls rustc. A wrapper that the user has for all builds is not called for these.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process;

/// The clone whose crates are named so. Also tells xtask that it is called as a wrapper.
const CLONE: &str = "XTASK_NAMES_OF_CLONE";

/// How rustc gets the hash, as the value of a `-C`.
const METADATA: &str = "metadata=";

/// Has cargo call xtask for each crate.
pub fn apply(command: &mut Command, clone: &Path) -> Result<()> {
    let xtask = env::current_exe().context("xtask does not know where it is")?;
    command.env("RUSTC_WRAPPER", xtask).env(CLONE, clone);
    Ok(())
}

/// Calls rustc, if this is such a call.
pub fn called() -> Option<ExitCode> {
    let clone = env::var_os(CLONE)?;
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let (rustc, arguments) = arguments.split_first()?;
    let is_own = env::var_os("CARGO_MANIFEST_DIR")
        .is_some_and(|folder| Path::new(&folder).starts_with(&clone));
    let name = env::var("CARGO_PKG_NAME").ok().filter(|_| is_own);
    let status = Command::new(rustc).args(named(arguments, name.as_deref())).status();
    match status {
        Ok(status) if status.success() => Some(ExitCode::SUCCESS),
        Ok(status) => {
            Some(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1).into())
        }
        Err(error) => {
            process::say(format_args!("cannot start {}: {error}", rustc.display()));
            Some(ExitCode::FAILURE)
        }
    }
}

fn named(arguments: &[OsString], name: Option<&str>) -> Vec<OsString> {
    let one = |argument: &OsString| match name {
        Some(name) if argument.to_str().is_some_and(|text| text.starts_with(METADATA)) => {
            format!("{METADATA}{name}").into()
        }
        _ => argument.clone(),
    };
    arguments.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_takes_the_place_of_the_hash_and_of_nothing_else() {
        let given = ["--crate-name", "riscv", "-C", "metadata=0f1e", "-C", "extra-filename=-0f1e"];
        let given = given.map(OsString::from);
        assert_eq!(named(&given, None), given);
        let mut expected = given.clone();
        expected[3] = "metadata=riscv".into();
        assert_eq!(named(&given, Some("riscv")), expected);
    }
}
