//! Names of interfaces and their versions. Called by the report.

use semver::Version;

/// How a name stands to what the host offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Offered,
    /// Another version that the host's stands for.
    Compatible,
    Older,
    Newer,
    /// Nobody offers it in any version.
    Unknown,
}

/// What the host has under the name of an import, and in which version.
pub fn standing<'o>(
    import: &str,
    mut offered: impl Iterator<Item = &'o str>,
) -> (Standing, String) {
    let (interface, wanted) = parts(import);
    let Some(own) = offered.find(|name| parts(name).0 == interface) else {
        return (Standing::Unknown, String::new());
    };
    let (_, have) = parts(own);
    let shown = have.as_ref().map(ToString::to_string).unwrap_or_default();
    let standing = match (have, wanted) {
        _ if own == import => Standing::Offered,
        (Some(have), Some(wanted)) if line(&have) == line(&wanted) => Standing::Compatible,
        (Some(have), Some(wanted)) if wanted > have => Standing::Newer,
        _ => Standing::Older,
    };
    (standing, shown)
}

/// Whether it is the interface that harnesses export, in whatever version.
pub fn is_agent(export: &str) -> bool {
    matches!(parts(export).0, "xpressclaw:harness/agent" | "xpressclaw:harness/agent-sync")
}

fn parts(name: &str) -> (&str, Option<Version>) {
    match name.split_once('@') {
        Some((interface, version)) => (interface, Version::parse(version).ok()),
        None => (name, None),
    }
}

/// Versions of one line stand for each other.
fn line(version: &Version) -> (u64, u64, u64) {
    match (version.major, version.minor) {
        (0, 0) => (0, 0, version.patch),
        (0, minor) => (0, minor, 0),
        (major, _) => (major, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_by_semver() {
        let offered = ["a:b/c@0.2.5", "a:b/plain"];
        for (import, expected) in [
            ("a:b/c@0.2.5", Standing::Offered),
            ("a:b/c@0.2.0", Standing::Compatible),
            ("a:b/c@0.2.9", Standing::Compatible),
            ("a:b/c@0.1.0", Standing::Older),
            ("a:b/c@0.3.0", Standing::Newer),
            ("a:b/c", Standing::Older),
            ("a:b/plain", Standing::Offered),
            ("a:b/d@0.2.5", Standing::Unknown),
        ] {
            assert_eq!(standing(import, offered.into_iter()).0, expected, "{import}");
        }
    }
}
