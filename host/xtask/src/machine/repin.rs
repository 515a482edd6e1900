//! `cargo xtask machine-image --repin`: asks the mirrors what the wanted packages and all they need are
//! today, and writes that down. Called by people, when a pinned version left the mirrors or to take in
//! corrections; never by a build.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::lock::{Lock, Package, Section};
use super::packages;
use crate::apt::{Archive, PrivateApt};
use crate::process::say;
use crate::settings::Settings;

const FIX: &str = "try again later: a mirror that is being renewed contradicts itself";

/// Renews the lock file.
pub fn repin(settings: &Settings) -> Result<()> {
    let dir = settings.machine().join("apt");
    let apt = PrivateApt::new(&dir, FIX)?.for_architecture(packages::ARCHITECTURE);
    let main = [(Archive::Main, packages::SUITE), (Archive::Main, packages::NODE_SUITE)];
    let all = [main[0], packages::CORRECTIONS, main[1]];
    if let Err(error) = apt.update(&all) {
        // The release's own versions are corrected, too, every few weeks.
        say(format_args!("{error:#}"));
        say(format_args!("pinning without {}: repin when it answers", packages::CORRECTIONS.1));
        apt.update(&main)?;
    }
    let mut lock = Lock::default();
    for section in Section::ALL {
        let (suite, wanted) = match section {
            Section::Kernel => (packages::SUITE, &[packages::KERNEL][..]),
            Section::Base => (packages::SUITE, packages::BASE),
            Section::Node => (packages::NODE_SUITE, packages::NODE),
            Section::Tests => (packages::SUITE, &[packages::TESTS][..]),
        };
        let mut found = parse(&apt.closure(suite, wanted)?, |archive| apt.root(archive))?;
        match section {
            Section::Kernel => found.retain(|package| package.name == packages::KERNEL),
            Section::Tests => found.retain(|package| package.name == packages::TESTS),
            Section::Base | Section::Node => {
                found.retain(|package| !packages::LEFT_OUT.contains(&package.name.as_str()));
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        *lock.section_mut(section) = found;
    }
    let path = Lock::path(settings);
    fs::write(&path, lock.to_string())
        .with_context(|| format!("cannot write {}", path.display()))?;
    say(format_args!("wrote {}", path.display()));
    Ok(())
}

/// Understands apt's answer; `root` is the address of an archive.
fn parse<'a>(answer: &str, root: impl Fn(Archive) -> &'a str) -> Result<Vec<Package>> {
    let packages: Vec<_> = answer
        .lines()
        .filter(|line| line.starts_with('\''))
        .map(|line| package(line, &root).with_context(|| format!("apt said {line:?}")))
        .collect::<Result<_>>()?;
    ensure!(!packages.is_empty(), "apt named no package: {answer:?}");
    Ok(packages)
}

fn package<'a>(line: &str, root: &impl Fn(Archive) -> &'a str) -> Result<Package> {
    let mut words = line.split_whitespace();
    let mut word = || words.next().context("too few words");
    let uri = word()?.trim_matches('\'');
    let (file, bytes, digest) = (word()?, word()?, word()?);
    let (archive, path) = [Archive::Main, Archive::Security]
        .into_iter()
        .find_map(|archive| Some((archive, uri.strip_prefix(root(archive))?.strip_prefix('/')?)))
        .with_context(|| format!("{uri} is in neither archive"))?;
    let mut parts = file.split('_');
    let (name, version) = (parts.next().unwrap_or_default(), parts.next().context("no version")?);
    Ok(Package {
        name: name.to_owned(),
        // The colon of an epoch is escaped in the name of a file.
        version: version.replace("%3a", ":"),
        bytes: bytes.parse()?,
        sha256: digest.strip_prefix("SHA256:").context("no SHA-256")?.to_owned(),
        archive,
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(archive: Archive) -> &'static str {
        match archive {
            Archive::Main => "http://one.example/debian",
            Archive::Security => "http://one.example/debian-security",
        }
    }

    #[test]
    fn apts_answer_becomes_packages() {
        let answer = "Reading package lists...\nThe following NEW packages\n  vim-tiny\n\
            'http://one.example/debian/pool/main/v/vim/vim-tiny_9.1_riscv64.deb' vim-tiny_2%3a9.1.1230-2+deb13u2_riscv64.deb 791228 SHA256:ab01\n\
            'http://one.example/debian-security/pool/updates/main/b/x_1_all.deb' x_1_all.deb 5 SHA256:cd\n";
        let found = parse(answer, root).unwrap();
        let said = found.iter().map(|p| (p.name.as_str(), p.version.as_str(), p.archive, &*p.path));
        let expected = [
            (
                "vim-tiny",
                "2:9.1.1230-2+deb13u2",
                Archive::Main,
                "pool/main/v/vim/vim-tiny_9.1_riscv64.deb",
            ),
            ("x", "1", Archive::Security, "pool/updates/main/b/x_1_all.deb"),
        ];
        assert_eq!(said.collect::<Vec<_>>(), expected);
        assert_eq!((found[0].bytes, found[0].sha256.as_str()), (791_228, "ab01"));
    }

    #[test]
    fn an_answer_that_cannot_be_pinned_is_refused() {
        for (answer, expected) in [
            ("E: Unable to locate package", "named no package"),
            ("'http://two.example/debian/pool/x_1_all.deb' x_1_all.deb 5 SHA256:cd", "neither"),
            ("'http://one.example/debian/pool/x_1_all.deb' x_1_all.deb 5 MD5Sum:cd", "SHA-256"),
            ("'http://one.example/debian/pool/x_1_all.deb' x_1_all.deb", "too few"),
        ] {
            let error = format!("{:#}", parse(answer, root).unwrap_err());
            assert!(error.contains(expected), "{answer}: {error}");
        }
    }
}
