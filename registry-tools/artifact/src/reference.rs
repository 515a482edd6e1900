//! How an artifact is referred to: `pi`, `ghcr.io/acme/tool:1.0`, `…@sha256:…`.

use std::fmt;

use crate::digest::{Digest, DigestError};

/// As registries limit it.
const REPOSITORY_MAX_BYTES: usize = 255;
/// A host name and a port.
const REGISTRY_MAX_BYTES: usize = 260;
/// As the distribution specification has it.
const TAG_MAX_BYTES: usize = 128;
/// What stands for no tag.
const TAG_DEFAULT: &str = "latest";

/// A place in a registry: `ghcr.io/acme/tool`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository {
    registry: String,
    path: String,
}

/// An artifact in a repository, by tag, by digest, or by a tag that must have a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    pub repository: Repository,
    tag: Option<String>,
    pub digest: Option<Digest>,
}

/// Why a text refers to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("`{0}` names no registry; write it like `ghcr.io/{0}`")]
    NoRegistry(String),
    #[error("`{0}` is no registry: a host name, and a port behind `:` if need be")]
    Registry(String),
    #[error(
        "`{0}` is no repository: parts of lower-case letters and digits, with `.`, `_` or `-` between them"
    )]
    Repository(String),
    #[error(
        "`{0}` is no tag: at most {TAG_MAX_BYTES} letters, digits, `.`, `_` and `-`, not `.` or `-` first"
    )]
    Tag(String),
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl Repository {
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        match text.split_once('/') {
            Some((registry, path)) if names_registry(registry) => Self::new(registry, path),
            _ => Err(ReferenceError::NoRegistry(short(text))),
        }
    }

    fn new(registry: &str, path: &str) -> Result<Self, ReferenceError> {
        if !is_host(registry) {
            return Err(ReferenceError::Registry(short(registry)));
        }
        if path.len() > REPOSITORY_MAX_BYTES || !path.split('/').all(is_part) {
            return Err(ReferenceError::Repository(short(path)));
        }
        Ok(Self { registry: registry.into(), path: path.into() })
    }

    /// Host and port.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// What stands behind the registry.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// One of its artifacts.
    pub fn at(&self, digest: Digest) -> Reference {
        Reference { repository: self.clone(), tag: None, digest: Some(digest) }
    }
}

impl Reference {
    /// A full reference, or a short one of `namespace`.
    pub fn parse(text: &str, namespace: &str) -> Result<Self, ReferenceError> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        // The colon of a port stands before a slash.
        let (place, tag) = match rest.rsplit_once(':') {
            Some((place, tag)) if !tag.contains('/') => (place, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag
            && !is_tag(tag)
        {
            return Err(ReferenceError::Tag(short(tag)));
        }
        let repository = if place.contains('/') {
            Repository::parse(place)?
        } else {
            Repository::parse(&format!("{namespace}/{place}"))?
        };
        Ok(Self { repository, tag: tag.map(str::to_owned), digest })
    }

    /// The tag that is asked for when there is no digest.
    pub fn tag(&self) -> &str {
        self.tag.as_deref().unwrap_or(TAG_DEFAULT)
    }

    /// Whether a tag was written.
    pub fn has_tag(&self) -> bool {
        self.tag.is_some()
    }

    /// The same place, with this content and no other.
    pub fn pinned(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.repository)?;
        match (&self.tag, &self.digest) {
            (None, None) => write!(f, ":{TAG_DEFAULT}"),
            (Some(tag), None) => write!(f, ":{tag}"),
            (None, Some(digest)) => write!(f, "@{digest}"),
            (Some(tag), Some(digest)) => write!(f, ":{tag}@{digest}"),
        }
    }
}

/// As Docker tells a registry from a name.
fn names_registry(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

fn is_host(text: &str) -> bool {
    if text.len() > REGISTRY_MAX_BYTES {
        return false;
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    if port.is_some_and(|port| {
        !port.bytes().all(|b| b.is_ascii_digit()) || port.parse::<u16>().is_err()
    }) {
        return false;
    }
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let label = |label: &str| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(fits) && !label.starts_with('-')
    };
    host.split('.').all(label)
}

fn is_part(part: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<u8>| b.is_some_and(plain);
    ends(part.bytes().next())
        && ends(part.bytes().last())
        && part.bytes().all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
        && !part.contains("..")
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= TAG_MAX_BYTES
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// As much of a wrong text as fits into an error.
fn short(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICIAL: &str = "ghcr.io/xpressai/harnesses";
    const DIGEST: &str = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    #[test]
    fn references_are_read() {
        for (text, expected) in [
            ("pi", "ghcr.io/xpressai/harnesses/pi:latest"),
            ("pi:0.1.0", "ghcr.io/xpressai/harnesses/pi:0.1.0"),
            ("localhost/x", "localhost/x:latest"),
            ("localhost:5000/a/b", "localhost:5000/a/b:latest"),
            ("127.0.0.1:5000/a:b", "127.0.0.1:5000/a:b"),
            ("[::1]:5000/a:b", "[::1]:5000/a:b"),
            ("ghcr.io/acme/tool__x", "ghcr.io/acme/tool__x:latest"),
        ] {
            let read = Reference::parse(text, OFFICIAL).unwrap();
            assert_eq!(read.to_string(), expected, "{text}");
            assert_eq!(
                Reference::parse(&read.to_string(), OFFICIAL).unwrap().to_string(),
                expected
            );
        }
        let pinned = Reference::parse(&format!("pi:1@{DIGEST}"), OFFICIAL).unwrap();
        assert_eq!((pinned.tag(), pinned.digest.unwrap().to_string()), ("1", DIGEST.into()));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("", "no repository"),
            ("acme/tool", "`ghcr.io/acme/tool`"),
            ("Pi", "no repository"),
            ("ghcr.io/../etc", "no repository"),
            ("ghcr.io/a//b", "no repository"),
            ("ghcr.io/a/..", "no repository"),
            ("pi:", "no tag"),
            ("pi:-x", "no tag"),
            ("pi:a b", "no tag"),
            ("pi@sha256:12", "no digest"),
            ("ghcr.io:99999/x", "no registry"),
            ("ghcr.io:+1/x", "no registry"),
            ("GHCR.io/x", "no registry"),
            ("user:pw@ghcr.io/x", "no digest"),
            ("https://ghcr.io/x", "no registry"),
        ] {
            let error = Reference::parse(text, OFFICIAL).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
