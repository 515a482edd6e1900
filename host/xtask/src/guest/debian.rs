//! Debian as a source of Rust sources and compilers: which packages, and how they are used where they
//! were unpacked. Called by `std_build`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::rustc::Rustc;
use crate::apt::{Archive, PrivateApt};
use crate::process;
use crate::settings::utf8;
use crate::stamp::remove;

/// What else brings the guests' std.
pub const FIX: &str = "rustup target add wasm32-wasip2";

/// Debian's stable release whose `rustc-web` follows upstream (browsers need it). Its libc is old
/// enough for every distribution in use; the distribution's own release need not have the package.
const COMPILER_SUITES: [(Archive, &str); 2] =
    [(Archive::Main, "bookworm"), (Archive::Security, "bookworm-security")];

/// Suites that may have the newest `rust-src`, the smallest package list first.
const SOURCE_SUITES: [&str; 3] = ["trixie-backports", "forky", "sid"];

/// The first release whose wasi-libc has the guests' target; the package fits every architecture.
const LIBC_SUITE: &str = "trixie";

/// Unpacks rustc's source of exactly `release`; returns its `library` folder.
pub fn unpack_source(apt: &PrivateApt, release: &str, prefix: &Path) -> Result<PathBuf> {
    let library = prefix.join(format!("usr/src/rustc-{release}/library"));
    let package = format!("rust-src={release}+*");
    for suite in SOURCE_SUITES {
        remove(prefix)?;
        let found =
            apt.update(&[(Archive::Main, suite)]).and_then(|()| apt.unpack(&[&package], prefix));
        match found {
            Ok(()) if library.join("Cargo.lock").exists() => return Ok(library),
            Ok(()) => bail!("Debian's rust-src has no {}", library.display()),
            Err(error) => process::say(format_args!("not in {suite}: {error:#}")),
        }
    }
    bail!("Debian has no rust-src {release}")
}

/// Unpacks Debian's newest compiler with its std for the host and its source below `prefix`.
pub fn unpack_compiler(apt: &PrivateApt, prefix: &Path) -> Result<()> {
    apt.update(&COMPILER_SUITES)?;
    let version = apt.candidate("rustc-web")?;
    let minor = minor(&version).with_context(|| format!("odd version {version}"))?;
    let std = format!("libstd-rust-web-{minor}");
    let llvm = llvm_package(&apt.dependencies(&std)?)
        .with_context(|| format!("{std} names no libllvm"))?;
    let partial = prefix.with_extension("partial");
    remove(&partial)?;
    remove(prefix)?;
    let packages = ["rustc-web", &std, "libstd-rust-web-dev", "rust-web-src", &llvm];
    apt.unpack(&packages, &partial)?;
    fs::rename(&partial, prefix)
        .with_context(|| format!("cannot rename to {}", prefix.display()))?;
    write_wrapper(prefix)
}

/// The compiler that `unpack_compiler` left below `prefix`.
pub fn compiler(prefix: &Path) -> Result<Rustc> {
    let wrapper = wrapper(prefix);
    ensure!(wrapper.exists(), "no {}", wrapper.display());
    Rustc::at(wrapper)
}

pub fn unpack_wasi_libc(apt: &PrivateApt, prefix: &Path) -> Result<()> {
    remove(prefix)?;
    apt.update(&[(Archive::Main, LIBC_SUITE)])?;
    apt.unpack(&["wasi-libc"], prefix)
}

fn wrapper(prefix: &Path) -> PathBuf {
    prefix.join("rustc")
}

/// The unpacked rustc finds its libraries only through the loader's path.
fn write_wrapper(prefix: &Path) -> Result<()> {
    let usr_lib = prefix.join("usr/lib");
    let libraries = fs::read_dir(&usr_lib)
        .with_context(|| format!("no {}", usr_lib.display()))?
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().ends_with("-linux-gnu"))
        .with_context(|| format!("no library folder in {}", usr_lib.display()))?
        .path();
    let quote = |path: &Path| Ok::<_, anyhow::Error>(utf8(path)?.replace('\'', r"'\''"));
    let script = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{}'${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}} exec '{}' \"$@\"\n",
        quote(&libraries)?,
        quote(&prefix.join("usr/bin/rustc"))?,
    );
    let path = wrapper(prefix);
    fs::write(&path, script).with_context(|| format!("cannot write {}", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// `1.96` of `1.96.0+dfsg1-1~deb12u2`.
fn minor(version: &str) -> Option<String> {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (number(major) && number(minor)).then(|| format!("{major}.{minor}"))
}

/// The LLVM library in the output of `apt-cache depends`.
fn llvm_package(depends: &str) -> Option<String> {
    depends
        .lines()
        .filter_map(|line| line.trim().trim_start_matches('|').strip_prefix("Depends: "))
        .find(|package| package.starts_with("libllvm"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apts_answers_are_understood() {
        assert_eq!(minor("1.96.0+dfsg1-1~deb12u2").as_deref(), Some("1.96"));
        assert_eq!(minor("unknown"), None);
        let depends =
            "libstd-rust-web-1.96\n  Depends: libc6\n |Depends: libgcc-s1\n  Depends: libllvm21\n";
        assert_eq!(llvm_package(depends).as_deref(), Some("libllvm21"));
        assert_eq!(llvm_package("x\n  Depends: libc6\n"), None);
    }
}
