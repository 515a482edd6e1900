//! Namespaces of registries, and how much proof is asked of what comes from one.
//!
//! The configuration writes patterns of them, `trust` looks up the one that decides. Both must read
//! a pattern alike, so that it is here.

use std::fmt;

/// Longest pattern in bytes: a registry's repository names end at 255, its host name at 253.
pub const PATTERN_MAX_BYTES: usize = 512;

/// Where official harnesses live. What is in here is never run without a valid signature.
pub const OFFICIAL: &str = "ghcr.io/xpressai/harnesses";

/// What is asked of an artifact before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Nothing.
    Off,
    /// A signature by one of the keys; without one the user is told, and it is used all the same.
    Warn,
    /// A signature by one of the keys, or it is not used.
    Require,
}

impl Proof {
    /// In the order of the documentation.
    pub const NAMES: [&'static str; 3] = ["require", "warn", "off"];

    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "require" => Self::Require,
            "warn" => Self::Warn,
            "off" => Self::Off,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::Warn => "warn",
            Self::Off => "off",
        }
    }
}

/// Why a pattern was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("`{0}` is longer than {PATTERN_MAX_BYTES} bytes")]
    TooLong(String),
    #[error("`{0}` has an empty part; write it like `ghcr.io/acme`, without `/` at its ends")]
    EmptyPart(String),
    #[error(
        "`{pattern}` holds `{character}`; write a registry and a path like `ghcr.io/acme`, in which `*` stands for one whole part"
    )]
    Character { pattern: String, character: char },
    #[error(
        "`{0}` begins with no registry; write it like `ghcr.io/acme`, or `*` for every registry"
    )]
    NoRegistry(String),
}

/// A pattern of namespaces: a registry and the beginning of a path, part by part. `ghcr.io/acme`
/// covers `ghcr.io/acme` and everything below it, and not `ghcr.io/acmes`. A part `*` stands for any
/// one part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(String);

impl Pattern {
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > PATTERN_MAX_BYTES {
            return Err(PatternError::TooLong(text.to_owned()));
        }
        for (at, part) in text.split('/').enumerate() {
            let plain = |c: char| {
                c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
            };
            // Ports, and IPv6 addresses in brackets, are for the registry alone.
            let registry = |c: char| at == 0 && matches!(c, ':' | '[' | ']');
            match part.chars().find(|c| !plain(*c) && !registry(*c)) {
                _ if part.is_empty() => return Err(PatternError::EmptyPart(text.to_owned())),
                Some(_) if part == "*" => {}
                Some(character) => {
                    return Err(PatternError::Character { pattern: text.to_owned(), character });
                }
                None if at == 0 && !is_registry(part) => {
                    return Err(PatternError::NoRegistry(text.to_owned()));
                }
                None => {}
            }
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the repository, like `ghcr.io/acme/tool`, is in here.
    pub fn covers(&self, repository: &str) -> bool {
        let mut parts = repository.split('/');
        self.0.split('/').all(|own| match parts.next() {
            Some(part) => own == "*" || own == part,
            None => false,
        })
    }

    /// Whether everything that this covers is in `namespace`, which has no `*`.
    pub fn is_within(&self, namespace: &str) -> bool {
        let mut parts = self.0.split('/');
        namespace.split('/').all(|part| parts.next() == Some(part))
    }

    /// Sorts the more specific after the less: a longer pattern, and among equally long ones the one
    /// that spells a part where the other has `*`, from the left. Two different patterns that cover
    /// one repository are never equal in this.
    pub fn specificity(&self) -> (usize, Vec<bool>) {
        let spelt: Vec<bool> = self.0.split('/').map(|part| part != "*").collect();
        (spelt.len(), spelt)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As Docker tells a registry from a name.
fn is_registry(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_pattern_covers_whole_parts() {
        for (text, repository, expected) in [
            ("ghcr.io/acme", "ghcr.io/acme/tool", true),
            ("ghcr.io/acme", "ghcr.io/acme/tools/deep", true),
            ("ghcr.io/acme", "ghcr.io/acme", true),
            ("ghcr.io/acme", "ghcr.io/acmes/tool", false),
            ("ghcr.io/acme", "ghcr.io", false),
            ("ghcr.io/acme/tool", "ghcr.io/acme", false),
            ("ghcr.io", "ghcr.io/any/thing", true),
            ("ghcr.io", "ghcr.io.evil.example/any", false),
            ("*", "localhost:5000/x", true),
            ("*/acme", "quay.io/acme/x", true),
            ("ghcr.io/*/tool", "ghcr.io/acme/tool", true),
            ("ghcr.io/*/tool", "ghcr.io/acme/deep/tool", false),
            ("localhost:5000/x", "localhost:5001/x", false),
        ] {
            assert_eq!(pattern(text).covers(repository), expected, "{text} {repository}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (text, expected) in [
            ("", "empty part"),
            ("/ghcr.io", "empty part"),
            ("ghcr.io/", "empty part"),
            ("ghcr.io//acme", "empty part"),
            ("ghcr.io/a*", "holds `*`"),
            ("ghcr.io/**", "holds `*`"),
            ("ghcr.io/Acme", "holds `A`"),
            ("https://ghcr.io", "empty part"),
            ("ghcr.io/acme:latest", "holds `:`"),
            ("ghcr.io/acme@sha256:00", "holds `@`"),
            ("acme", "begins with no registry"),
            ("acme/tool", "begins with no registry"),
        ] {
            let error = Pattern::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(Pattern::parse(&format!("ghcr.io/{}", "a".repeat(512))).is_err());
    }

    #[test]
    fn the_more_specific_is_the_longer_and_then_the_spelt() {
        let order = ["*", "ghcr.io", "*/acme", "ghcr.io/*", "ghcr.io/acme", "*/*/*"];
        for pair in order.windows(2) {
            let (less, more) = (pattern(pair[0]), pattern(pair[1]));
            assert!(less.specificity() < more.specificity(), "{less} {more}");
        }
    }

    #[test]
    fn a_pattern_with_stars_is_within_nothing_spelt() {
        for (text, expected) in [
            ("ghcr.io/xpressai/harnesses", true),
            ("ghcr.io/xpressai/harnesses/pi", true),
            ("ghcr.io/xpressai/harnesses/*", true),
            ("ghcr.io/xpressai", false),
            ("ghcr.io/*/harnesses", false),
            ("*", false),
        ] {
            assert_eq!(pattern(text).is_within(OFFICIAL), expected, "{text}");
        }
    }

    #[test]
    fn the_names_of_proof_are_read_back() {
        for name in Proof::NAMES {
            assert_eq!(Proof::from_name(name).map(Proof::as_str), Some(name));
        }
        assert_eq!(Proof::from_name("maybe"), None);
    }
}
