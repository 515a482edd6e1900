//! What a given rustc says about itself.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::compiler_id;
use super::target::Target;
use crate::process;

/// A compiler, by its own account.
pub struct Rustc {
    pub path: PathBuf,
    /// All of `rustc -vV`.
    verbose_version: String,
    pub sysroot: PathBuf,
}

impl Rustc {
    /// The one that builds the host: beside the cargo that runs xtask, else on `PATH`.
    pub fn active() -> Result<Self> {
        let name = format!("rustc{}", env::consts::EXE_SUFFIX);
        let beside = env::var_os("CARGO").and_then(|cargo| {
            Path::new(&cargo).parent().map(|dir| dir.join(&name)).filter(|path| path.is_file())
        });
        // Asking it directly saves two starts of rustup's proxy on every run.
        Self::at(beside.unwrap_or_else(|| PathBuf::from(name)))
    }

    pub fn at(path: PathBuf) -> Result<Self> {
        let fix = "install Rust from https://rustup.rs";
        let ask = |args: &[&str]| process::output(process::command(&path).args(args), fix);
        let verbose_version = ask(&["-vV"])?;
        let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?.trim());
        Ok(Self { path, verbose_version, sysroot })
    }

    /// Stands for the compiler, as one for `target`, in stamps and folder names.
    pub fn id(&self, target: Target) -> String {
        compiler_id(&self.verbose_version, target)
    }

    /// e.g. `1.95.0`.
    pub fn release(&self) -> Result<&str> {
        field(&self.verbose_version, "release")
    }

    /// Linkers that come with the compiler.
    pub fn tools(&self) -> PathBuf {
        let host = field(&self.verbose_version, "host").unwrap_or_default();
        self.sysroot.join("lib/rustlib").join(host).join("bin")
    }

    /// Whether the compiler's own sysroot has a std for `target`.
    pub fn has_std(&self, target: Target) -> bool {
        has_std(&self.sysroot, target)
    }
}

/// Whether `sysroot` has a std for `target`.
pub fn has_std(sysroot: &Path, target: Target) -> bool {
    let libraries = sysroot.join("lib/rustlib").join(target.triple()).join("lib");
    let Ok(entries) = fs::read_dir(libraries) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd") && name.ends_with(".rlib")
    })
}

fn field<'a>(verbose_version: &'a str, name: &str) -> Result<&'a str> {
    verbose_version
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .with_context(|| format!("`rustc -vV` names no {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "rustc 1.95.0 (abc)\nbinary: rustc\nhost: riscv64gc-unknown-linux-gnu\nrelease: 1.95.0\n";
        assert_eq!(field(text, "release").unwrap(), "1.95.0");
        assert_eq!(field(text, "host").unwrap(), "riscv64gc-unknown-linux-gnu");
        assert!(field(text, "rel").is_err());
    }
}
