//! `machine/packages.lock`: which file of Debian's archive each package of the image is, by digest.
//! Read by every build, written by `repin` alone.
//!
//! It never says what is wanted, that is `packages`; it says what that was when it was last asked.

use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::apt::Archive;
use crate::settings::Settings;

const HEAD: &str = "\
# Made by `cargo xtask machine-image --repin`, never by hand. A line is
#   name version bytes sha256 archive path
";

/// What a package is fetched for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Section {
    /// The kernel's source.
    Kernel,
    /// The programs of every image.
    Base,
    /// Node.js and all it needs, from a younger release; where both have a package, this one is used.
    Node,
    /// Tests that are in no image.
    Tests,
}

impl Section {
    pub const ALL: [Self; 4] = [Self::Kernel, Self::Base, Self::Node, Self::Tests];

    fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Base => "base",
            Self::Node => "node",
            Self::Tests => "tests",
        }
    }
}

/// One file of the archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub bytes: u64,
    pub sha256: String,
    pub archive: Archive,
    /// Below the archive's root, escaped as apt writes it.
    pub path: String,
}

/// The packages of each section, by name.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Lock {
    sections: [Vec<Package>; Section::ALL.len()],
}

impl Lock {
    pub fn path(settings: &Settings) -> PathBuf {
        settings.root.join("host/xtask/machine/packages.lock")
    }

    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    pub fn parse(text: &str) -> Result<Self> {
        let mut lock = Self::default();
        let mut section = None;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                let found = Section::ALL.into_iter().find(|section| section.name() == name);
                section = Some(found.with_context(|| format!("no section is called [{name}]"))?);
                continue;
            }
            let package =
                package(line).with_context(|| format!("line {}: {line:?}", number + 1))?;
            let section = section.with_context(|| format!("line {} has no section", number + 1))?;
            lock.section_mut(section).push(package);
        }
        Ok(lock)
    }

    pub fn section(&self, section: Section) -> &[Package] {
        &self.sections[section as usize]
    }

    pub fn section_mut(&mut self, section: Section) -> &mut Vec<Package> {
        &mut self.sections[section as usize]
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = HEAD.to_owned();
        for section in Section::ALL {
            writeln!(text, "\n[{}]", section.name())?;
            for package in self.section(section) {
                let Package { name, version, bytes, sha256, archive, path } = package;
                let archive = archive.name();
                writeln!(text, "{name} {version} {bytes} {sha256} {archive} {path}")?;
            }
        }
        f.write_str(&text)
    }
}

fn package(line: &str) -> Result<Package> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [name, version, bytes, sha256, archive, path] = words[..] else {
        bail!("expected six words");
    };
    ensure!(
        sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "no SHA-256: {sha256}"
    );
    // It becomes a part of an address.
    ensure!(path.starts_with("pool/") && !path.contains(".."), "no path in the archive: {path}");
    Ok(Package {
        name: name.to_owned(),
        version: version.to_owned(),
        bytes: bytes.parse().with_context(|| format!("no number of bytes: {bytes}"))?,
        sha256: sha256.to_owned(),
        archive: Archive::named(archive).with_context(|| format!("no archive: {archive}"))?,
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "107a6b5d327f81122549b1c5bfa9cfdea2532c4fddd9e0211a915bdfdf22d7f5";

    fn line() -> String {
        format!(
            "libc6 2.41-12 2474016 {DIGEST} security pool/main/g/glibc/libc6_2.41-12_riscv64.deb"
        )
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let lock = Lock::parse(&format!("# said\n\n[node]\n{}\n[kernel]\n", line())).unwrap();
        assert_eq!(lock.section(Section::Base), []);
        let [package] = lock.section(Section::Node) else { panic!("{lock:?}") };
        assert_eq!((package.name.as_str(), package.bytes), ("libc6", 2_474_016));
        assert_eq!(package.archive, Archive::Security);
        assert_eq!(Lock::parse(&lock.to_string()).unwrap(), lock);
    }

    #[test]
    fn a_damaged_lock_is_refused_by_line() {
        let check = |text: &str, expected: &str| {
            let error = format!("{:#}", Lock::parse(text).unwrap_err());
            assert!(error.contains(expected), "{text:?}: {error}");
        };
        check(&line(), "line 1 has no section");
        check("[toys]\n", "[toys]");
        check("[base]\nlibc6 2.41\n", "line 2");
        check(&format!("[base]\n{}", line().replace(DIGEST, "107a")), "no SHA-256");
        check(&format!("[base]\n{}", line().replace("security", "attic")), "no archive: attic");
        check(&format!("[base]\n{}", line().replace("2474016", "much")), "number of bytes");
        check(&format!("[base]\n{}", line().replace("pool/", "../")), "no path in the archive");
    }

    #[test]
    fn the_repositorys_lock_pins_what_is_wanted() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("machine/packages.lock");
        let lock = Lock::read(&root).unwrap();
        let has = |section: Section, name: &str| {
            lock.section(section).iter().any(|package| package.name == name)
        };
        assert!(has(Section::Kernel, super::super::packages::KERNEL));
        assert!(has(Section::Tests, super::super::packages::TESTS));
        for name in super::super::packages::BASE {
            assert!(has(Section::Base, name), "{name} is not pinned; fix: repin");
        }
        for name in super::super::packages::NODE {
            assert!(has(Section::Node, name), "{name} is not pinned; fix: repin");
        }
        for name in super::super::packages::LEFT_OUT {
            assert!(!has(Section::Base, name) && !has(Section::Node, name), "{name} is pinned");
        }
    }
}
