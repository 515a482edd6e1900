//! Names of interfaces, and which of them a middleware may import.

use wac_graph::types::are_semver_compatible;

/// The interfaces that middleware can stand at.
pub const SEAMS: [&str; 2] = ["xpressclaw:llm/chat", "xpressclaw:tools/tools"];

/// What the middleware worlds import of the contract.
const MIDDLEWARE: [&str; 7] = [
    "xpressclaw:base/content",
    "xpressclaw:base/wait",
    "xpressclaw:llm/chat",
    "xpressclaw:llm/models",
    "xpressclaw:llm/types",
    "xpressclaw:tools/tools",
    "xpressclaw:xclaw/log",
];

/// A name without its version.
pub fn interface(name: &str) -> &str {
    name.split_once('@').map_or(name, |(interface, _)| interface)
}

/// Whether a middleware may import it: what its world has, and WASI, which the host links for every
/// part of an agent alike.
pub fn is_for_middleware(import: &str) -> bool {
    import.starts_with("wasi:") || MIDDLEWARE.contains(&interface(import))
}

/// Whether one stands for the other: the same interface in compatible versions.
pub fn fits(offered: &str, wanted: &str) -> bool {
    offered == wanted || are_semver_compatible(offered, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_fit_by_semver() {
        for (offered, wanted, expected) in [
            ("a:b/c@0.1.0", "a:b/c@0.1.0", true),
            ("a:b/c@0.1.0", "a:b/c@0.1.9", true),
            ("a:b/c@0.1.0", "a:b/c@0.2.0", false),
            ("a:b/c@0.1.0", "a:b/d@0.1.0", false),
        ] {
            assert_eq!(fits(offered, wanted), expected, "{offered} {wanted}");
        }
    }

    #[test]
    fn a_middleware_reaches_no_verbs_and_no_machine() {
        for allowed in ["wasi:io/poll@0.2.12", "xpressclaw:xclaw/log@0.1.0"] {
            assert!(is_for_middleware(allowed), "{allowed}");
        }
        for refused in
            ["xpressclaw:xclaw/memory@0.1.0", "xpressclaw:machine/shell@0.1.0", "vendor:a/b@1.0.0"]
        {
            assert!(!is_for_middleware(refused), "{refused}");
        }
    }
}
