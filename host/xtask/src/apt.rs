//! Debian's archive as a source of files: an apt with lists and cache of its own, below xtask's cache.
//! Called by whoever needs a package's contents without installing it: `guest` for Rust's sources and
//! compilers, `machine` for the kernel's source and for programs of another architecture.
//!
//! It never installs anything, needs no rights, and leaves the system's own apt as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::settings::utf8;
use crate::stamp::{create_dir, remove};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Downloads one file after the other and checks each; part of apt itself, but not on the path.
const HELPER: &str = "/usr/lib/apt/apt-helper";

/// Where a suite is served from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Archive {
    Main,
    Security,
}

impl Archive {
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Security => "security",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::Main, Self::Security].into_iter().find(|archive| archive.name() == name)
    }
}

/// An apt that knows only the suites it is given.
pub struct PrivateApt {
    dir: PathBuf,
    main: String,
    security: String,
    /// Whose packages are meant; the host's own when not said.
    architecture: Option<&'static str>,
    /// What to say when apt fails.
    fix: &'static str,
}

/// A file of the archive.
pub struct Download<'a> {
    pub archive: Archive,
    /// Below the archive's root, as apt writes it.
    pub path: &'a str,
    pub sha256: &'a str,
    pub to: PathBuf,
}

impl PrivateApt {
    /// With all its state in `dir`, from the mirrors that this system uses. `fix` is what to do when it
    /// does not work.
    pub fn new(dir: &Path, fix: &'static str) -> Result<Self> {
        for program in ["apt-get", "dpkg"] {
            ensure!(process::on_path(program).is_some(), "there is no {program} here; fix: {fix}");
        }
        ensure!(
            Path::new(KEYRING).exists(),
            "no {KEYRING}; fix: apt-get install debian-archive-keyring, or {fix}"
        );
        let (main, security) = mirrors(&system_sources());
        Ok(Self { dir: dir.to_path_buf(), main, security, architecture: None, fix })
    }

    /// For packages of another architecture, on a system where nothing is installed.
    pub fn for_architecture(self, name: &'static str) -> Self {
        Self { architecture: Some(name), ..self }
    }

    /// Fetches the package lists of `suites`, forgetting those of others.
    pub fn update(&self, suites: &[(Archive, &str)]) -> Result<()> {
        self.prepare()?;
        let stanzas: Vec<_> = suites
            .iter()
            .map(|(archive, suite)| {
                let uri = self.root(*archive);
                format!(
                    "Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"
                )
            })
            .collect();
        write(&self.dir.join("x.sources"), &stanzas.join("\n"))?;
        process::run(self.command("apt-get").arg("update"), self.fix)
    }

    /// The newest version of `package` in the lists.
    pub fn candidate(&self, package: &str) -> Result<String> {
        let policy =
            process::output(self.command("apt-cache").args(["policy", package]), self.fix)?;
        candidate(&policy).with_context(|| format!("Debian has no {package}"))
    }

    pub fn dependencies(&self, package: &str) -> Result<String> {
        process::output(self.command("apt-cache").args(["depends", package]), self.fix)
    }

    /// What `packages` and all they depend on would be downloaded from, as apt prints it: a line
    /// `'URI' file size SHA256:digest` each. Where several suites have a package, `suite`'s is taken.
    pub fn closure(&self, suite: &str, packages: &[&str]) -> Result<String> {
        let mut apt = self.command("apt-get");
        apt.args(["-o", &format!("APT::Default-Release={suite}")]);
        apt.args(["-o", "Acquire::ForceHash=SHA256"]);
        apt.args(["install", "--yes", "--no-install-recommends", "--print-uris"]).args(packages);
        process::output(&mut apt, self.fix)
    }

    /// Downloads `files`, each checked against its digest; needs no package lists.
    pub fn download(&self, files: &[Download<'_>]) -> Result<()> {
        self.prepare()?;
        let mut helper = self.command(HELPER);
        helper.arg("download-file");
        for file in files {
            helper.arg(format!("{}/{}", self.root(file.archive), file.path));
            helper.arg(&file.to).arg(format!("SHA256:{}", file.sha256));
        }
        process::output(&mut helper, self.fix)?;
        remove(&self.dir)
    }

    /// Downloads `packages` (`name` or `name=version`) and unpacks them below `prefix`.
    pub fn unpack(&self, packages: &[&str], prefix: &Path) -> Result<()> {
        let debs = self.dir.join("debs");
        remove(&debs)?;
        create_dir(&debs)?;
        let mut apt = self.command("apt-get");
        process::run(apt.arg("download").args(packages).current_dir(&debs), self.fix)?;
        create_dir(prefix)?;
        for entry in fs::read_dir(&debs)? {
            let deb = entry?.path();
            process::run(process::command("dpkg").arg("-x").arg(deb).arg(prefix), self.fix)?;
        }
        remove(&self.dir)
    }

    /// The archive's address; paths in it are relative to that.
    pub fn root(&self, archive: Archive) -> &str {
        match archive {
            Archive::Main => &self.main,
            Archive::Security => &self.security,
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = process::command(program);
        command.arg("-q").arg("-c").arg(self.configuration());
        command
    }

    fn configuration(&self) -> PathBuf {
        self.dir.join("apt.conf")
    }

    /// Empty state, and the configuration that keeps apt within it.
    fn prepare(&self) -> Result<()> {
        remove(&self.dir)?;
        create_dir(&self.dir.join("lists/partial"))?;
        create_dir(&self.dir.join("cache/archives/partial"))?;
        let dir = utf8(&self.dir)?;
        let mut text = format!(
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
        if let Some(name) = self.architecture {
            write(&self.dir.join("status"), "")?;
            text += &format!(
                r#"Dir::State "{dir}";
Dir::State::status "{dir}/status";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "{name}";
APT::Architectures {{ "{name}"; }};
"#
            );
        }
        write(&self.configuration(), &text)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
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
    fn a_candidate_is_a_version() {
        let policy = "rustc-web:\n  Installed: (none)\n  Candidate: 1.96.0+dfsg1-1~deb12u2\n";
        assert_eq!(candidate(policy).as_deref(), Some("1.96.0+dfsg1-1~deb12u2"));
        assert_eq!(candidate("x:\n  Candidate: (none)\n"), None);
        assert_eq!(candidate(""), None);
    }
}
