//! The packages that a project's lock file names, in each language's own format.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::collections::BTreeMap;

use super::{Hash, Package, SbomError};
use crate::files;

/// A package and its hashes take some hundred bytes; this is some ten thousand packages.
const LOCK_MAX_BYTES: u64 = 16 << 20;
/// All but what a part of a package URL may hold as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Of whichever lock files there are.
pub(super) fn packages(project: &Path) -> Result<Vec<Package>, SbomError> {
    type Reader = fn(&str) -> Result<Vec<Package>, String>;
    let known: [(&str, Reader); 3] =
        [("Cargo.lock", cargo), ("package-lock.json", npm), ("requirements.txt", pip)];
    let mut found = Vec::new();
    for (file, read) in known {
        let path = project.join(file);
        if path.is_file() {
            let text = files::read_text(&path, LOCK_MAX_BYTES)?;
            let packages = read(&text);
            found.extend(
                packages.map_err(|reason| SbomError::Lock { file: file.to_owned(), reason })?,
            );
        }
    }
    Ok(found)
}

/// `kind`: that of package URLs, <https://github.com/package-url/purl-spec>.
fn package(kind: &str, name: &str, version: &str) -> Package {
    let (namespace, last) = name.split_once('/').unwrap_or(("", name));
    let encode = |text| utf8_percent_encode(text, ENCODED);
    let path = if namespace.is_empty() {
        encode(last).to_string()
    } else {
        format!("{}/{}", encode(namespace), encode(last))
    };
    let purl = format!("pkg:{kind}/{path}@{}", encode(version));
    Package {
        kind: "library",
        reference: purl.clone(),
        name: name.to_owned(),
        version: version.to_owned(),
        scope: "required",
        hashes: Vec::new(),
        purl,
    }
}

fn cargo(text: &str) -> Result<Vec<Package>, String> {
    let lock: cargo_lock::Lockfile = text.parse().map_err(|error| format!("{error}"))?;
    let mut found = Vec::new();
    // What has no source is the project itself.
    for locked in lock.packages.iter().filter(|package| package.source.is_some()) {
        let mut package = package("cargo", locked.name.as_str(), &locked.version.to_string());
        if let Some(checksum) = &locked.checksum {
            package.hashes.push(Hash { alg: "SHA-256", content: checksum.to_string() });
        }
        found.push(package);
    }
    Ok(found)
}

fn npm(text: &str) -> Result<Vec<Package>, String> {
    #[derive(Deserialize)]
    struct Lock {
        packages: BTreeMap<String, Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        /// When the folder is called otherwise.
        name: Option<String>,
        version: Option<String>,
        integrity: Option<String>,
        #[serde(default)]
        dev: bool,
    }
    let lock: Lock = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for (path, locked) in lock.packages {
        // The project itself, and links into it, stand under other paths.
        let Some((_, folder)) = path.rsplit_once("node_modules/") else { continue };
        let Some(version) = locked.version else { continue };
        let mut package = package("npm", locked.name.as_deref().unwrap_or(folder), &version);
        if locked.dev {
            package.scope = "excluded";
        }
        let digests = locked.integrity.as_deref().unwrap_or_default().split_whitespace();
        for (algorithm, digest) in digests.filter_map(|digest| digest.split_once('-')) {
            let alg = match algorithm {
                "sha256" => "SHA-256",
                "sha384" => "SHA-384",
                "sha512" => "SHA-512",
                _ => continue,
            };
            let bytes = STANDARD.decode(digest).map_err(|error| error.to_string())?;
            let content = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            package.hashes.push(Hash { alg, content });
        }
        found.push(package);
    }
    Ok(found)
}

/// Only `name==version` names a version; other lines say what may be used, not what was.
fn pip(text: &str) -> Result<Vec<Package>, String> {
    let mut found = Vec::new();
    for line in text.replace("\\\n", " ").lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.starts_with(['#', '-']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let Some((name, version)) = words.next().and_then(|word| word.split_once("==")) else {
            continue;
        };
        let version = version.split(';').next().unwrap_or_default();
        let name = name.split('[').next().unwrap_or_default();
        // As the package index writes names.
        let mut package = package("pypi", &name.to_lowercase().replace(['_', '.'], "-"), version);
        for hash in words.filter_map(|word| word.strip_prefix("--hash=sha256:")) {
            package.hashes.push(Hash { alg: "SHA-256", content: hash.to_owned() });
        }
        found.push(package);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purls(packages: Vec<Package>) -> Vec<String> {
        packages.into_iter().map(|package| package.purl).collect()
    }

    #[test]
    fn each_format_is_read() {
        let cargo = cargo(
            "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n[[package]]\n\
             name = \"a\"\nversion = \"1.0.0+x\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\n",
        );
        assert_eq!(purls(cargo.unwrap()), ["pkg:cargo/a@1.0.0%2Bx"]);
        let npm =
            npm(r#"{"packages": {"": {"version": "0.1.0"}, "node_modules/a": {"version": "1.0.0",
                "integrity": "sha1-x sha256-AAA="}, "node_modules/a/node_modules/@s/b":
                {"version": "2.0.0", "dev": true}, "node_modules/l": {"link": true}}}"#)
            .unwrap();
        assert_eq!(npm[0].hashes[0].content, "0000");
        assert_eq!((npm[0].scope, npm[1].scope), ("required", "excluded"));
        assert_eq!(purls(npm), ["pkg:npm/a@1.0.0", "pkg:npm/%40s/b@2.0.0"]);
        let pip = pip(
            "# a comment\n--index-url x\nB_c[extra]==1.0 ; python_version > \"3\" # why\nd>=2\n\
             e==3 \\\n    --hash=sha256:00\n",
        )
        .unwrap();
        assert_eq!(pip[1].hashes.len(), 1);
        assert_eq!(purls(pip), ["pkg:pypi/b-c@1.0", "pkg:pypi/e@3"]);
    }

    #[test]
    fn what_is_broken_is_an_error() {
        assert!(cargo("version = ").is_err());
        assert!(npm("{}").is_err());
        assert!(
            npm(r#"{"packages":{"node_modules/a":{"version":"1","integrity":"sha512-!"}}}"#)
                .is_err()
        );
    }
}
