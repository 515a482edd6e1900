//! Debian as a source of Rust sources and compilers: an apt with lists and cache of its own, whose
//! packages are unpacked below xtask's cache. Called by `std_build`.
//!
//! It never installs anything and needs no rights.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::rustc::Rustc;
use crate::process;
use crate::settings::utf8;
use crate::stamp::{create_dir, remove};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const FIX: &str = "rustup target add wasm32-wasip2";

/// Where a suite is served from.
enum Archive {
    Main,
    Security,
}

/// Debian's stable release whose `rustc-web` follows upstream (browsers need it). Its libc is old
/// enough for every distribution in use; the distribution's own release need not have the package.
const COMPILER_SUITES: [(Archive, &str); 2] =
    [(Archive::Main, "bookworm"), (Archive::Security, "bookworm-security")];

/// Suites that may have the newest `rust-src`, the smallest package list first.
const SOURCE_SUITES: [&str; 3] = ["trixie-backports", "forky", "sid"];

/// The first release whose wasi-libc has the guests' target; the package fits every architecture.
const LIBC_SUITE: &str = "trixie";

/// An apt that knows only the suites it is given.
pub struct PrivateApt {
    dir: PathBuf,
    main: String,
    security: String,
}

impl PrivateApt {
    /// With all its state in `dir`, from the mirrors that this system uses.
    pub fn new(dir: &Path) -> Result<Self> {
        for program in ["apt-get", "dpkg"] {
            ensure!(process::on_path(program).is_some(), "there is no {program} here");
        }
        ensure!(
            Path::new(KEYRING).exists(),
            "no {KEYRING}; fix: apt-get install debian-archive-keyring, or {FIX}"
        );
        let (main, security) = mirrors(&system_sources());
        Ok(Self { dir: dir.to_path_buf(), main, security })
    }

    /// Fetches the package lists of `suites`, forgetting those of others.
    fn update(&self, suites: &[(Archive, &str)]) -> Result<()> {
        remove(&self.dir)?;
        create_dir(&self.dir.join("lists/partial"))?;
        create_dir(&self.dir.join("cache/archives/partial"))?;
        let stanzas: Vec<_> = suites
            .iter()
            .map(|(archive, suite)| {
                let uri = match archive {
                    Archive::Main => &self.main,
                    Archive::Security => &self.security,
                };
                format!(
                    "Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"
                )
            })
            .collect();
        let sources = self.dir.join("x.sources");
        fs::write(&sources, stanzas.join("\n"))
            .with_context(|| format!("cannot write {}", sources.display()))?;
        self.write_configuration()?;
        process::run(self.command("apt-get").arg("update"), FIX)
    }

    /// The newest version of `package` in the lists.
    fn candidate(&self, package: &str) -> Result<String> {
        let policy = process::output(self.command("apt-cache").args(["policy", package]), FIX)?;
        candidate(&policy).with_context(|| format!("Debian has no {package}"))
    }

    fn dependencies(&self, package: &str) -> Result<String> {
        process::output(self.command("apt-cache").args(["depends", package]), FIX)
    }

    /// Downloads `packages` (`name` or `name=version`) and unpacks them below `prefix`.
    fn unpack(&self, packages: &[&str], prefix: &Path) -> Result<()> {
        let debs = self.dir.join("debs");
        remove(&debs)?;
        create_dir(&debs)?;
        let mut apt = self.command("apt-get");
        process::run(apt.arg("download").args(packages).current_dir(&debs), FIX)?;
        create_dir(prefix)?;
        for entry in fs::read_dir(&debs)? {
            let deb = entry?.path();
            process::run(process::command("dpkg").arg("-x").arg(deb).arg(prefix), FIX)?;
        }
        remove(&self.dir)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = process::command(program);
        command.arg("-q").arg("-c").arg(self.configuration());
        command
    }

    fn configuration(&self) -> PathBuf {
        self.dir.join("apt.conf")
    }

    fn write_configuration(&self) -> Result<()> {
        let dir = utf8(&self.dir)?;
        let text = format!(
            r#"Dir::Etc::sourcelist "{dir}/x.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "{dir}/lists";
Dir::Cache "{dir}/cache";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
// The user that apt downloads as cannot enter a private home folder.
APT::Sandbox::User "root";
"#
        );
        let path = self.configuration();
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

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

/// All of apt's configured sources, in either of its two formats.
fn system_sources() -> String {
    let etc = Path::new("/etc/apt");
    let mut text = fs::read_to_string(etc.join("sources.list")).unwrap_or_default();
    let mut parts: Vec<_> = fs::read_dir(etc.join("sources.list.d"))
        .map(|dir| dir.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    parts.sort();
    for part in parts {
        text.push('\n');
        text.push_str(&fs::read_to_string(part).unwrap_or_default());
    }
    text
}

/// The mirrors of Debian's main and security archives named in apt's `sources`, or Debian's own.
fn mirrors(sources: &str) -> (String, String) {
    let uris = || {
        sources
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("URIs:") || line.starts_with("deb "))
            .flat_map(str::split_whitespace)
            .filter(|word| word.contains("://"))
            .map(|word| word.trim_end_matches('/'))
    };
    let ending = |end: &str| uris().find(|uri| uri.ends_with(end)).map(str::to_owned);
    (
        ending("/debian").unwrap_or_else(|| "http://deb.debian.org/debian".to_owned()),
        ending("/debian-security")
            .unwrap_or_else(|| "http://deb.debian.org/debian-security".to_owned()),
    )
}

/// The candidate in the output of `apt-cache policy`.
fn candidate(policy: &str) -> Option<String> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?.trim();
    (version != "(none)").then(|| version.to_owned())
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
    fn the_systems_mirrors_are_used() {
        let check = |sources: &str, main: &str, security: &str| {
            assert_eq!(mirrors(sources), (main.to_owned(), security.to_owned()), "{sources}");
        };
        let (main, security) =
            ("http://deb.debian.org/debian", "http://deb.debian.org/debian-security");
        check("", main, security);
        check("# deb http://old/debian x main\n", main, security);
        check(
            "deb https://dl.example/node nodistro main\nTypes: deb\nURIs: http://m.example/debian/\nSuites: x\n\nURIs: http://s.example/debian-security\n",
            "http://m.example/debian",
            "http://s.example/debian-security",
        );
        check(
            "deb [signed-by=/k.gpg] http://one.example/debian bookworm main\n",
            "http://one.example/debian",
            security,
        );
    }

    #[test]
    fn apts_answers_are_understood() {
        let policy = "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1~deb12u2\n";
        assert_eq!(candidate(policy).as_deref(), Some("1.96.0+dfsg1-1~deb12u2"));
        assert_eq!(candidate("x:\n  Candidate: (none)\n"), None);
        assert_eq!(candidate(""), None);
        assert_eq!(minor("1.96.0+dfsg1-1~deb12u2").as_deref(), Some("1.96"));
        assert_eq!(minor("unknown"), None);
        let depends =
            "libstd-rust-web-1.96\n  Depends: libc6\n |Depends: libgcc-s1\n  Depends: libllvm21\n";
        assert_eq!(llvm_package(depends).as_deref(), Some("libllvm21"));
        assert_eq!(llvm_package("x\n  Depends: libc6\n"), None);
    }
}
