//! What a component says of itself in its binary: the outermost imports and exports, and what its
//! author wrote into custom sections. Nothing of it is believed further than to be shown.

use std::collections::BTreeMap;

use wasmparser::{Encoding, Parser, Payload};

use crate::manifest::ManifestError;

/// The custom section in which a harness says what it asks for, as JSON.
pub const HARNESS_SECTION: &str = "xpressclaw:harness";
/// An annotation of a registry is a line, not a book.
const TEXT_MAX_BYTES: usize = 4096;

/// Sections that tools for WebAssembly agree on, and the annotation each becomes.
const STANDARD: [(&str, &str); 7] = [
    ("version", "org.opencontainers.image.version"),
    ("description", "org.opencontainers.image.description"),
    ("licenses", "org.opencontainers.image.licenses"),
    ("authors", "org.opencontainers.image.authors"),
    ("source", "org.opencontainers.image.source"),
    ("homepage", "org.opencontainers.image.url"),
    ("revision", "org.opencontainers.image.revision"),
];

/// A component as it is described in its manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// In the order of the file.
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    /// Annotations of the image specification.
    pub annotations: BTreeMap<String, String>,
    /// The bytes of [`HARNESS_SECTION`].
    pub harness: Option<Vec<u8>>,
}

/// Reads a component. A core module is refused.
pub fn describe(component: &[u8]) -> Result<Described, ManifestError> {
    let mut found = Described::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(ManifestError::NotComponent)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(ManifestError::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let name = import.map_err(ManifestError::NotComponent)?.name.name;
                    found.imports.push(name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let name = export.map_err(ManifestError::NotComponent)?.name.name;
                    found.exports.push(name.to_owned());
                }
            }
            Payload::CustomSection(section) if depth == 0 => {
                if section.name() == HARNESS_SECTION {
                    found.harness = Some(section.data().to_vec());
                }
                let known = STANDARD.iter().find(|(name, _)| *name == section.name());
                if let (Some((_, annotation)), Ok(text)) =
                    (known, std::str::from_utf8(section.data()))
                    && text.len() <= TEXT_MAX_BYTES
                    && !text.chars().any(char::is_control)
                {
                    found.annotations.insert((*annotation).to_owned(), text.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_outermost_counts() {
        let component = wat::parse_str(
            r#"(component
                (@custom "version" "1.2.3") (@custom "xpressclaw:harness" "{}")
                (@custom "source" "two\nlines")
                (import "a:b/c@0.1.0" (instance))
                (component (@custom "version" "inner") (import "secret" (func))))"#,
        )
        .unwrap();
        let found = describe(&component).unwrap();
        assert_eq!(found.imports, ["a:b/c@0.1.0"]);
        assert_eq!(found.annotations.len(), 1, "{:?}", found.annotations);
        assert_eq!(found.annotations["org.opencontainers.image.version"], "1.2.3");
        assert_eq!(found.harness.as_deref(), Some(&b"{}"[..]));
        let module = wat::parse_str("(module)").unwrap();
        assert!(matches!(describe(&module), Err(ManifestError::CoreModule)));
        assert!(matches!(describe(b"PK"), Err(ManifestError::NotComponent(_))));
    }
}
