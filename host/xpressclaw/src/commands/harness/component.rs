//! What a component file says about itself, read from its binary without compiling it.
//!
//! Only the outermost imports and exports count: what the parts of a component ask of each other
//! never leaves it.

use std::path::Path;

use anyhow::{Context as _, Result};
use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::exit::{Exit, Failure};

/// Largest file that is read: what the engine would load at most.
const FILE_MAX_BYTES: u64 = 256 << 20;

/// The surface of a component.
#[derive(Debug, PartialEq, Eq)]
pub struct Surface {
    pub size_bytes: u64,
    /// `sha256:` and the digest of the file in hexadecimal digits.
    pub digest: String,
    /// In the order of the file.
    pub imports: Vec<String>,
    pub exports: Vec<String>,
}

pub fn read(path: &Path) -> Result<Surface> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    if size > FILE_MAX_BYTES {
        let reason = format!("{shown} has {size} bytes; a harness may have {FILE_MAX_BYTES}");
        return Err(Failure::new(Exit::Failed, reason).into());
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let (imports, exports) = outermost(&bytes).map_err(|why| match why {
        Unusable::Core => Failure::new(Exit::Failed, format!("{shown} is a core module"))
            .hint("make a component of it: `wasm-tools component new`, or a component target"),
        Unusable::Malformed(error) => {
            Failure::new(Exit::Failed, format!("{shown} is not a WebAssembly component"))
                .because(error)
        }
    })?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let digest = format!("sha256:{digest}");
    Ok(Surface { size_bytes: bytes.len() as u64, digest, imports, exports })
}

#[derive(Debug)]
enum Unusable {
    Core,
    Malformed(wasmparser::BinaryReaderError),
}

fn outermost(bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), Unusable> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(Unusable::Malformed)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(Unusable::Core);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(Unusable::Malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(Unusable::Malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_outermost_names_count() {
        let component = wat::parse_str(
            r#"(component
                (import "xpressclaw:llm/chat@0.1.0" (instance))
                (component $inner (import "secret" (func)) (export "hidden" (func 0)))
                (core module (import "core" "f" (func)))
                (import "wasi:io/poll@0.2.12" (instance $poll))
                (export "xpressclaw:harness/agent@0.1.0" (instance $poll)))"#,
        )
        .unwrap();
        let (imports, exports) = outermost(&component).unwrap();
        assert_eq!(imports, ["xpressclaw:llm/chat@0.1.0", "wasi:io/poll@0.2.12"]);
        assert_eq!(exports, ["xpressclaw:harness/agent@0.1.0"]);
    }

    #[test]
    fn other_files_are_refused() {
        let module = wat::parse_str("(module)").unwrap();
        assert!(matches!(outermost(&module), Err(Unusable::Core)));
        for bad in [&b""[..], b"PK\x03\x04", b"\0asm", b"\0asm\x0d\0\x01\0\xff"] {
            assert!(matches!(outermost(bad), Err(Unusable::Malformed(_))), "{bad:?}");
        }
    }
}
