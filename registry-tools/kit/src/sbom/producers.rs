//! The tools that a component's `producers` sections name, at any depth.
//!
//! <https://github.com/WebAssembly/tool-conventions/blob/main/ProducersSection.md>

use std::collections::BTreeSet;

use wasmparser::{BinaryReader, Parser, Payload, ProducersSectionReader};

const SECTION: &str = "producers";
/// Names and versions of one component; a few dozen are usual.
const TOOLS_MAX: usize = 1_000;
/// A version is a line.
const TEXT_MAX_BYTES: usize = 256;

/// Names with versions, which may be empty. What cannot be read is passed over: it is a hint, and the
/// engine does not ask for it.
pub(super) fn tools(component: &[u8]) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(component) {
        let Ok(payload) = payload else { break };
        if let Payload::CustomSection(section) = payload
            && section.name() == SECTION
        {
            let reader = BinaryReader::new(section.data(), section.data_offset());
            let fields = ProducersSectionReader::new(reader).into_iter().flatten();
            for field in fields.flatten() {
                for value in field.values.into_iter().flatten() {
                    let fits = |text: &str| {
                        text.len() <= TEXT_MAX_BYTES && !text.chars().any(char::is_control)
                    };
                    if fits(value.name) && fits(value.version) && found.len() < TOOLS_MAX {
                        found.insert((value.name.to_owned(), value.version.to_owned()));
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_in_the_depth_and_rubbish_is_passed_over() {
        let component = wat::parse_str(
            r#"(component
                (@custom "producers" "\ff")
                (core module
                    (@custom "producers" "\01\0cprocessed-by\01\05rustc\061.95.0")))"#,
        )
        .unwrap();
        assert_eq!(tools(&component), [("rustc".to_owned(), "1.95.0".to_owned())].into());
    }
}
