//! What a component is made of, as a CycloneDX document: the component with its hash, the tools that
//! its sections name, and the packages of its project's lock file. Called by `harness push`, which
//! attaches it to what was pushed.
//!
//! A lock file names what a build could use; what the linker or bundler left out of the component is
//! in the list all the same. The same component and lock file give the same document: it has no time
//! and no serial number.
//!
//! <https://cyclonedx.org/docs/1.5/json/>

mod locks;
mod producers;

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::files::FileError;
use crate::metadata::{self, MetadataError};

/// The document's media type.
pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";
/// What the file is called in a registry.
pub const TITLE: &str = "sbom.cdx.json";

#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("{file} cannot be read: {reason}; build the project again")]
    Lock { file: String, reason: String },
}

/// A package that a build could use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Package {
    #[serde(rename = "type")]
    kind: &'static str,
    /// The package URL, which names it in the whole document.
    #[serde(rename = "bom-ref")]
    reference: String,
    name: String,
    version: String,
    /// `excluded`: a tool of the build, which is not put into the component.
    scope: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    purl: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Hash {
    alg: &'static str,
    /// Hexadecimal.
    content: String,
}

/// Describes `component`, which was built from `project` if one is known. `sha256` is its hash, in
/// hexadecimal.
pub fn of(component: &[u8], sha256: &str, project: Option<&Path>) -> Result<Vec<u8>, SbomError> {
    let described = metadata::read(component)?;
    let mut packages = project.map(locks::packages).transpose()?.unwrap_or_default();
    packages.sort();
    packages.dedup();
    let hash = Hash { alg: "SHA-256", content: sha256.to_owned() };
    let mut root = json!({ "type": "application", "bom-ref": "component", "hashes": [hash] });
    match described {
        Some(described) => {
            root["name"] = described.name.into();
            root["version"] = described.version.into();
            root["description"] = described.description.into();
            root["licenses"] = json!([{ "expression": described.license }]);
        }
        // The format requires one.
        None => root["name"] = "component".into(),
    }
    let tools = producers::tools(component).into_iter().map(|(name, version)| {
        let mut tool = json!({ "type": "application", "name": name });
        if !version.is_empty() {
            tool["version"] = version.into();
        }
        tool
    });
    let depends_on: Vec<_> = packages.iter().map(|package| package.reference.clone()).collect();
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": root, "tools": { "components": tools.collect::<Vec<Value>>() } },
        "components": packages,
        "dependencies": [{ "ref": "component", "dependsOn": depends_on }],
    });
    let mut text = format!("{document:#}");
    text.push('\n');
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_alone_is_described_by_its_hash_and_its_tools() {
        let component = wat::parse_str("(component (core module))").unwrap();
        let text = of(&component, "00", None).unwrap();
        assert_eq!(text, of(&component, "00", None).unwrap(), "same input, same bytes");
        let read: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read["bomFormat"], "CycloneDX");
        assert_eq!(read["metadata"]["component"]["hashes"][0]["content"], "00");
        assert_eq!(read["components"], json!([]));
        assert!(of(b"no wasm", "00", None).is_err());
    }

    /// Each language's template, as its author would push it.
    #[test]
    fn projects_list_what_their_lock_files_name() {
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        let component = wat::parse_str("(component)").unwrap();
        for (language, purl, hash) in [
            ("rust", "pkg:cargo/wit-bindgen@", "SHA-256"),
            ("js", "pkg:npm/%40bytecodealliance/componentize-js@", "SHA-512"),
            ("python", "pkg:pypi/componentize-py@", ""),
        ] {
            let text = of(&component, "00", Some(&templates.join(language))).unwrap();
            let read: Value = serde_json::from_slice(&text).unwrap();
            let found = read["components"].as_array().unwrap();
            let listed = |p: &&Value| p["purl"].as_str().unwrap().starts_with(purl);
            let package = found.iter().find(listed).unwrap_or_else(|| panic!("{read:#}"));
            assert_eq!(package["bom-ref"], package["purl"]);
            match hash {
                "" => assert_eq!(package.get("hashes"), None),
                _ => assert_eq!(package["hashes"][0]["alg"], hash),
            }
            let depends_on = read["dependencies"][0]["dependsOn"].as_array().unwrap();
            assert_eq!(depends_on.len(), found.len());
        }
    }
}
