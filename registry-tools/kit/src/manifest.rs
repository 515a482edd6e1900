//! `harness.yaml`: what a harness is, what it asks its user for, and how it is built and tested.
//! Written by its author, read by every command of the kit, embedded into the component by
//! `harness build`.
//!
//! What it asks for is a request that is shown to the user. It grants nothing.

use std::path::{Path, PathBuf};

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::files::{self, FileError};

/// In the root of a project.
pub const FILE: &str = "harness.yaml";
/// A page of text is more than anybody writes there.
const FILE_MAX_BYTES: u64 = 64 << 10;
/// As long as a folder's name may be on every platform, with room for an ending.
const NAME_MAX_BYTES: usize = 64;
/// One paragraph: it is shown in lists and stored as an annotation.
const TEXT_MAX_BYTES: usize = 1024;

/// A project's manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What the component is called: lower-case letters, digits and dashes.
    pub name: String,
    pub version: String,
    pub description: String,
    /// An SPDX expression, like `Apache-2.0`.
    pub license: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<String>,
    /// Where the source is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    pub language: Language,
    #[serde(default)]
    pub asks: Asks,
    #[serde(default)]
    pub test: Test,
}

/// Which tools build the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Rust,
    Js,
    Python,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::Rust, Self::Js, Self::Python];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Python => "python",
        }
    }
}

/// What a harness asks its user for, beyond what its imports say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// Destinations, like `https://api.example.com`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Tools of MCP servers, like `files.read_file`.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Whether it is of no use without a machine.
    #[serde(default)]
    pub machine: bool,
    /// Whether it keeps notes that outlive a conversation.
    #[serde(default)]
    pub memory: bool,
}

/// What the conformance suite needs to know.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// A call of one of the harness's tools that succeeds. Without it the suite makes one up from
    /// the schema of the first tool that the harness offers to a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<ToolCall>,
    /// The settings that the harness gets, an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<serde_json::Map<String, Value>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    pub name: String,
    #[serde(default)]
    pub arguments: serde_json::Map<String, Value>,
}

#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("there is no {FILE} in {}; `xpressclaw harness new` makes a project with one", .0.display())]
    Missing(PathBuf),
    #[error("{}: {reason}", path.display())]
    Malformed { path: PathBuf, reason: String },
    #[error("{}: `{field}` {reason}", path.display())]
    Invalid { path: PathBuf, field: &'static str, reason: String },
}

/// Why a text is no name of a harness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to {NAME_MAX_BYTES} lower-case letters, digits and dashes, a letter first, and no dash at the end"
)]
pub struct NameError;

/// Checks a harness's name: it is a file's, an agent's and a package's name in every language.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    let good = begins
        && name.len() <= NAME_MAX_BYTES
        && name.bytes().all(fits)
        && !name.ends_with('-')
        && !name.contains("--");
    if good { Ok(()) } else { Err(NameError) }
}

impl Manifest {
    /// Reads the manifest of the project in `folder`.
    pub fn read(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(ManifestError::Missing(folder.into()));
        }
        Self::parse(&path, &files::read_text(&path, FILE_MAX_BYTES)?)
    }

    /// Parses a manifest; `path` is what errors call it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ManifestError> {
        let manifest: Self = serde_saphyr::from_str(text).map_err(|error| {
            ManifestError::Malformed { path: path.into(), reason: error.to_string() }
        })?;
        manifest.check(path)?;
        Ok(manifest)
    }

    fn check(&self, path: &Path) -> Result<(), ManifestError> {
        let invalid =
            |field, reason: String| ManifestError::Invalid { path: path.into(), field, reason };
        check_name(&self.name).map_err(|error| invalid("name", error.to_string()))?;
        Version::parse(&self.version)
            .map_err(|error| invalid("version", format!("must be like 0.1.0: {error}")))?;
        let texts = [
            ("description", Some(&self.description)),
            ("license", Some(&self.license)),
            ("authors", self.authors.as_ref()),
            ("source", self.source.as_ref()),
            ("homepage", self.homepage.as_ref()),
        ];
        for (field, text) in texts {
            let Some(text) = text else { continue };
            if text.trim().is_empty() {
                return Err(invalid(field, "must not be empty".into()));
            }
            if text.len() > TEXT_MAX_BYTES {
                return Err(invalid(field, format!("must have at most {TEXT_MAX_BYTES} bytes")));
            }
            if text.chars().any(char::is_control) {
                return Err(invalid(field, "must be one line".into()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\
name: my-harness
version: 0.1.0
description: Answers.
license: Apache-2.0
language: rust
asks: {hosts: [\"https://example.com\"], memory: true}
test: {tool: {name: remember, arguments: {text: crabs}}}
";

    fn parse(text: &str) -> Result<Manifest, String> {
        Manifest::parse(Path::new(FILE), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_manifest_is_read() {
        let manifest = parse(WHOLE).unwrap();
        assert_eq!((manifest.name.as_str(), manifest.language), ("my-harness", Language::Rust));
        assert_eq!(manifest.asks.hosts, ["https://example.com"]);
        assert_eq!(manifest.test.tool.unwrap().arguments["text"], "crabs");
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, expected) in [
            ("name: my-harness", "name: My_Harness", "`name` must be"),
            ("name: my-harness", "name: ../up", "`name` must be"),
            ("version: 0.1.0", "version: one", "`version` must be like 0.1.0"),
            ("description: Answers.", "description: ' '", "`description` must not be empty"),
            ("description: Answers.", "description: \"a\\nb\"", "`description` must be one line"),
            ("language: rust", "language: cobol", "cobol"),
            ("language: rust", "language: rust\ncolour: red", "colour"),
            ("asks: {", "asks: {money: 1, ", "money"),
        ] {
            let error = parse(&WHOLE.replace(from, to)).unwrap_err();
            assert!(error.starts_with(FILE) && error.contains(expected), "{to}: {error}");
        }
    }

    #[test]
    fn a_folder_without_one_says_how_to_make_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = Manifest::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("harness new"), "{error}");
    }
}
