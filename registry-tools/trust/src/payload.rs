//! What is signed: the "simple signing" document, as cosign and Red Hat's tools write it.
//!
//! A signature over these bytes says that the digest belongs to the repository. The bytes are
//! checked against the signature before they are read as JSON, and only what is acted on is read.

use serde::{Deserialize, Serialize};

/// The media type of a layer that holds one.
pub const PAYLOAD_MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// `critical.type`.
const TYPE: &str = "cosign container image signature";

/// A payload has some 250 bytes; notes of the signer may make it longer.
pub const PAYLOAD_MAX_BYTES: usize = 64 << 10;

/// What a signature is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Registry and path, without tag and digest: `ghcr.io/acme/tool`.
    pub repository: String,
    /// `sha256:` and 64 hex digits: of the manifest.
    pub digest: String,
}

/// Why a signed document does not vouch for the subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    #[error("what it signs is longer than {PAYLOAD_MAX_BYTES} bytes")]
    TooLong,
    #[error("what it signs is not the JSON of a signature")]
    Malformed,
    #[error("what it signs has the type `{0}`")]
    Type(String),
    #[error("it is for the digest {0}")]
    Digest(String),
    #[error("it is for the repository {0}")]
    Repository(String),
}

#[derive(Deserialize)]
struct Read {
    critical: Critical,
}

/// In cosign's order, with its `null` where the signer notes nothing.
#[derive(Serialize)]
struct Written {
    critical: Critical,
    optional: (),
}

#[derive(Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Serialize, Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

impl Subject {
    /// The bytes to sign. The same subject gives the same bytes.
    pub fn payload(&self) -> Vec<u8> {
        let critical = Critical {
            identity: Identity { reference: self.repository.clone() },
            image: Image { digest: self.digest.clone() },
            kind: TYPE.to_owned(),
        };
        // Texts alone: writing them cannot fail.
        serde_json::to_vec(&Written { critical, optional: () }).unwrap_or_default()
    }

    /// Whether bytes whose signature is good vouch for this.
    pub fn vouched_by(&self, payload: &[u8]) -> Result<(), PayloadError> {
        if payload.len() > PAYLOAD_MAX_BYTES {
            return Err(PayloadError::TooLong);
        }
        let Read { critical: Critical { identity, image, kind } } =
            serde_json::from_slice(payload).map_err(|_| PayloadError::Malformed)?;
        if kind != TYPE {
            return Err(PayloadError::Type(shown(&kind)));
        }
        if image.digest != self.digest {
            return Err(PayloadError::Digest(shown(&image.digest)));
        }
        if one_name(repository_of(&identity.reference)) != one_name(&self.repository) {
            return Err(PayloadError::Repository(shown(&identity.reference)));
        }
        Ok(())
    }
}

/// A reference without its tag or digest. Some tools sign the tag as well; it is the digest that
/// binds, so that a tag says nothing further.
fn repository_of(reference: &str) -> &str {
    let reference = reference.split_once('@').map_or(reference, |(before, _)| before);
    match reference.rsplit_once(':') {
        // A port is followed by a path.
        Some((before, after)) if !after.contains('/') => before,
        _ => reference,
    }
}

/// Docker's own registry has two names.
fn one_name(repository: &str) -> &str {
    repository
        .strip_prefix("index.")
        .filter(|rest| rest.starts_with("docker.io/"))
        .unwrap_or(repository)
}

/// On one line, without anything that acts on a terminal.
fn shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(SHOWN_MAX).collect()
}

/// Characters: a repository's longest name, and its digest.
const SHOWN_MAX: usize = 384;

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7";

    fn subject() -> Subject {
        Subject { repository: "ghcr.io/acme/tool".to_owned(), digest: DIGEST.to_owned() }
    }

    /// The bytes are those of cosign, to the letter.
    #[test]
    fn the_payload_is_cosigns() {
        let expected = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"ghcr.io/acme/tool"}},"image":{{"docker-manifest-digest":"{DIGEST}"}},"type":"cosign container image signature"}},"optional":null}}"#
        );
        assert_eq!(String::from_utf8(subject().payload()).unwrap(), expected);
        assert_eq!(subject().vouched_by(expected.as_bytes()), Ok(()));
    }

    fn payload(reference: &str, digest: &str, kind: &str) -> String {
        serde_json::json!({
            "critical": {
                "identity": { "docker-reference": reference },
                "image": { "docker-manifest-digest": digest },
                "type": kind,
            },
            "optional": { "creator": "somebody", "timestamp": 1_700_000_000 },
        })
        .to_string()
    }

    #[test]
    fn a_reference_counts_by_its_repository() {
        for (reference, expected) in [
            ("ghcr.io/acme/tool", true),
            ("ghcr.io/acme/tool:1.0", true),
            (&format!("ghcr.io/acme/tool@{DIGEST}"), true),
            ("ghcr.io/acme/tool2", false),
            ("ghcr.io/acme", false),
            ("evil.example/acme/tool", false),
            ("ghcr.io:443/acme/tool", false),
            ("", false),
        ] {
            let found = subject().vouched_by(payload(reference, DIGEST, TYPE).as_bytes());
            assert_eq!(found.is_ok(), expected, "{reference}: {found:?}");
        }
        let docker = Subject { repository: "docker.io/acme/tool".to_owned(), ..subject() };
        let signed = payload("index.docker.io/acme/tool", DIGEST, TYPE);
        assert_eq!(docker.vouched_by(signed.as_bytes()), Ok(()));
        let local = Subject { repository: "localhost:5000/tool".to_owned(), ..subject() };
        for (reference, expected) in [
            ("localhost:5000/tool", true),
            ("localhost:5000/tool:1", true),
            ("localhost/tool", false),
        ] {
            let found = local.vouched_by(payload(reference, DIGEST, TYPE).as_bytes());
            assert_eq!(found.is_ok(), expected, "{reference}");
        }
    }

    #[test]
    fn what_is_for_something_else_says_for_what() {
        let other = DIGEST.replace('3', "4");
        let repository = "ghcr.io/acme/tool";
        let doubled = payload(repository, DIGEST, TYPE).replacen(
            r#""image":"#,
            &format!(r#""image":{{"docker-manifest-digest":"{other}"}},"image":"#),
            1,
        );
        for (bytes, expected) in [
            (payload(repository, &other, TYPE), PayloadError::Digest(other.clone())),
            (
                payload("ghcr.io/\u{1b}[2Jx", DIGEST, TYPE),
                PayloadError::Repository("ghcr.io/[2Jx".to_owned()),
            ),
            (
                payload(repository, DIGEST, "atomic container signature"),
                PayloadError::Type("atomic container signature".to_owned()),
            ),
            (String::new(), PayloadError::Malformed),
            ("{}".to_owned(), PayloadError::Malformed),
            ("[".repeat(60_000), PayloadError::Malformed),
            // Which of two values holds must not be a matter of the reader.
            (doubled, PayloadError::Malformed),
            (" ".repeat(PAYLOAD_MAX_BYTES + 1), PayloadError::TooLong),
        ] {
            assert_eq!(subject().vouched_by(bytes.as_bytes()), Err(expected), "{bytes:.200}");
        }
    }
}
