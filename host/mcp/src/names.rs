//! The name under which a tool is offered: `SERVER__TOOL`, in the alphabet that models take.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::list::Tool;

/// As the contract and the providers have it.
const NAME_MAX: usize = 64;
/// Of a hash, in hexadecimal: enough to tell the tools of one agent apart.
const HASH_LEN: usize = 8;
const JOINT: &str = "__";

/// Gives every tool its name. A name that was changed to fit, or that another tool has already,
/// ends in a hash of the server's and the tool's own names, so it is the same in every session and
/// whatever the other tools are called.
pub(crate) fn name(tools: &mut Vec<Tool>) {
    let mut taken = HashSet::new();
    tools.retain_mut(|tool| {
        tool.offered = plain(tool);
        if !is_exact(tool) || !taken.insert(tool.offered.clone()) {
            tool.offered = hashed(tool);
            // Two equal hashes: the second tool cannot be told from the first.
            return taken.insert(tool.offered.clone());
        }
        true
    });
}

fn is_exact(tool: &Tool) -> bool {
    tool.offered.len() <= NAME_MAX && tool.offered == format!("{}{JOINT}{}", tool.server, tool.name)
}

fn plain(tool: &Tool) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || "_-".contains(c) { c } else { '_' };
    format!("{}{JOINT}{}", tool.server, tool.name).chars().map(letter).collect()
}

fn hashed(tool: &Tool) -> String {
    let mut hash = Sha256::new();
    hash.update(tool.server.as_bytes());
    hash.update([0]);
    hash.update(tool.name.as_bytes());
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut name = tool.offered.clone();
    name.truncate(NAME_MAX - HASH_LEN - 1);
    format!("{name}_{}", &hash[..HASH_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[(&str, &str)]) -> Vec<String> {
        let mut tools = names
            .iter()
            .map(|(server, name)| Tool {
                offered: String::new(),
                server: (*server).into(),
                name: (*name).into(),
                description: String::new(),
                parameters: "{}".into(),
            })
            .collect();
        name(&mut tools);
        tools.into_iter().map(|tool| tool.offered).collect()
    }

    #[test]
    fn names_fit_and_do_not_clash() {
        assert_eq!(named(&[("files", "read")]), ["files__read"]);
        let long = "x".repeat(200);
        let found = named(&[
            ("a", "b__c"),
            ("a__b", "c"),
            ("s", "read file"),
            ("s", "read/file"),
            ("s", &long),
            ("s", &format!("{long}y")),
            ("s", "läs"),
            ("s", ""),
        ]);
        assert_eq!(found[0], "a__b__c");
        assert!(found[1].starts_with("a__b__c_"), "{found:?}");
        let unique: HashSet<_> = found.iter().collect();
        assert_eq!(unique.len(), found.len(), "{found:?}");
        for name in &found {
            assert!((1..=NAME_MAX).contains(&name.len()), "{name}");
            assert!(
                name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)),
                "{name}"
            );
        }
        // Whatever stands beside it.
        assert_eq!(named(&[("s", "read/file")])[0], found[3]);
    }
}
