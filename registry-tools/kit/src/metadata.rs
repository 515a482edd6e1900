//! What a component says of itself, as custom sections: the ones that registries read (OCI
//! annotations) and one of ours, `xpressclaw:harness`, with all of `harness.yaml` that a user should
//! see. Called by `build`, which writes them, and by `check`, which reads them.
//!
//! They are part of the component's bytes, and so of its digest: who replaces them has another
//! component.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wasm_encoder::{ComponentSection as _, CustomSection};
use wasmparser::{Encoding, Parser, Payload};

use crate::manifest::{Asks, Manifest};

/// Our section, JSON.
pub const SECTION: &str = "xpressclaw:harness";
/// The sections that are kept as OCI annotations, text each.
const STANDARD: [&str; 6] = ["version", "description", "licenses", "authors", "source", "homepage"];

/// What our section holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    pub name: String,
    pub version: String,
    pub description: String,
    pub license: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authors: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    pub asks: Asks,
}

impl Described {
    pub fn of(manifest: &Manifest) -> Self {
        let Manifest {
            name, version, description, license, authors, source, homepage, asks, ..
        } = manifest.clone();
        Self { name, version, description, license, authors, source, homepage, asks }
    }

    fn standard(&self) -> [(&'static str, Option<&str>); 6] {
        let values = [
            Some(self.version.as_str()),
            Some(self.description.as_str()),
            Some(self.license.as_str()),
            self.authors.as_deref(),
            self.source.as_deref(),
            self.homepage.as_deref(),
        ];
        let mut values = values.into_iter();
        STANDARD.map(|name| (name, values.next().flatten()))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum MetadataError {
    #[error("it is a core module, not a component; build it for a component target")]
    Core,
    #[error("it is not a WebAssembly component")]
    Malformed(#[from] wasmparser::BinaryReaderError),
    #[error(
        "its section `{SECTION}` cannot be read; build it again with `xpressclaw harness build`"
    )]
    Section(#[source] serde_json::Error),
}

/// The component with what `described` says, in place of what it said before.
pub fn embed(component: &[u8], described: &Described) -> Result<Vec<u8>, MetadataError> {
    let mut out = Vec::with_capacity(component.len() + 1024);
    let mut copied = 0;
    for payload in outermost(component)? {
        if let (Payload::CustomSection(section), range) = payload
            && is_ours(section.name())
        {
            out.extend_from_slice(&component[copied..range.start]);
            copied = range.end;
        }
    }
    out.extend_from_slice(&component[copied..]);
    for (name, value) in described.standard() {
        if let Some(value) = value {
            append(&mut out, name, value.as_bytes());
        }
    }
    let json = serde_json::to_vec(described).map_err(MetadataError::Section)?;
    append(&mut out, SECTION, &json);
    Ok(out)
}

/// What the component says of itself; `None` if it was not built by the kit.
pub fn read(component: &[u8]) -> Result<Option<Described>, MetadataError> {
    let mut found = None;
    for (payload, _) in outermost(component)? {
        if let Payload::CustomSection(section) = payload
            && section.name() == SECTION
        {
            found = Some(serde_json::from_slice(section.data()).map_err(MetadataError::Section)?);
        }
    }
    Ok(found)
}

fn is_ours(name: &str) -> bool {
    name == SECTION || STANDARD.contains(&name)
}

fn append(out: &mut Vec<u8>, name: &str, data: &[u8]) {
    CustomSection { name: Cow::Borrowed(name), data: Cow::Borrowed(data) }.append_to_component(out);
}

/// The outermost custom sections, each with the bytes that it takes up, header included.
fn outermost(
    component: &[u8],
) -> Result<Vec<(Payload<'_>, std::ops::Range<usize>)>, MetadataError> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut end_of_last = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        match &payload {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(MetadataError::Core);
            }
            Payload::Version { range, .. } if depth == 0 => end_of_last = range.end,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(offset) => {
                depth = depth.saturating_sub(1);
                end_of_last = *offset;
            }
            _ => {}
        }
        if depth > 0 {
            continue;
        }
        if let Some((_, range)) = payload.as_section() {
            let whole = end_of_last..range.end;
            end_of_last = range.end;
            if matches!(payload, Payload::CustomSection(_)) {
                found.push((payload, whole));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(description: &str) -> Described {
        Described {
            name: "a".into(),
            version: "0.1.0".into(),
            description: description.into(),
            license: "MIT".into(),
            authors: None,
            source: Some("https://example.com".into()),
            homepage: None,
            asks: Asks { hosts: vec!["https://example.com".into()], ..Asks::default() },
        }
    }

    #[test]
    fn what_is_embedded_is_read_and_replaced() {
        let component = wat::parse_str(
            r#"(component
                (@custom "other" "kept")
                (component (@custom "description" "inner"))
                (core module (@custom "version" "inner"))
                (core module)
                (@custom "description" "old"))"#,
        )
        .unwrap();
        assert_eq!(read(&component).unwrap(), None);
        let one = embed(&component, &described("First.")).unwrap();
        assert_eq!(read(&one).unwrap(), Some(described("First.")));
        assert!(wasmparser::validate(&one).is_ok());
        let two = embed(&one, &described("Second.")).unwrap();
        assert_eq!(read(&two).unwrap(), Some(described("Second.")));
        assert_eq!(
            embed(&component, &described("Second.")).unwrap(),
            two,
            "same input, same bytes"
        );
        let text = String::from_utf8_lossy(&two);
        assert!(text.contains("kept") && text.contains("inner"), "{text}");
        assert!(!text.contains("old") && !text.contains("First."), "{text}");
    }

    #[test]
    fn other_files_are_refused() {
        let module = wat::parse_str("(module)").unwrap();
        assert!(matches!(embed(&module, &described("")), Err(MetadataError::Core)));
        assert!(matches!(read(b"\0asm\x0d\0\x01\0\xff"), Err(MetadataError::Malformed(_))));
        assert!(matches!(read(b""), Err(MetadataError::Malformed(_))));
    }
}
