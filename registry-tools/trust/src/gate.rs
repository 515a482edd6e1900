//! The policy as the gate before the cache and the registries.

use artifact::{Index, Manifest};
use async_trait::async_trait;
use domain::namespace::Proof;
use registry::{Admission, Asked, Gate, Refused};

use crate::payload::{PAYLOAD_MAX_BYTES, Subject};
use crate::policy::{Policy, Untrusted, Verdict};
use crate::stored::{ARTIFACT_TYPE, entries, tag};
use crate::verify::{SIGNATURES_MAX, Signature};

/// Lets through what the policy lets through. Signatures are looked for where cosign keeps them, at
/// each use, in the cache or the registry as whoever asks permits.
#[derive(Debug, Clone)]
pub struct SignatureGate(Policy);

impl SignatureGate {
    pub fn new(policy: Policy) -> Self {
        Self(policy)
    }
}

#[async_trait]
impl Gate for SignatureGate {
    async fn admit(&self, asked: &Asked<'_>) -> Result<Admission, Refused> {
        let repository = asked.repository.to_string();
        let ruling = self.0.over(&repository);
        let subject = Subject { repository, digest: asked.digest.to_string() };
        let looked_for = ruling.proof != Proof::Off && !ruling.keys.is_empty();
        let mut signatures = Vec::new();
        if looked_for {
            // What cosign writes by default; only if that is not enough, what the registry lists.
            for place in [Place::Tag, Place::Referrers] {
                match place.signatures(asked).await {
                    Ok(found) => signatures.extend(found),
                    // Whoever only wants to be warned is not stopped by a registry that fails.
                    Err(error) if ruling.proof == Proof::Warn => {
                        let warning = format!("its signatures cannot be read: {error}");
                        return Ok(Admission { warning: Some(warning), proof: None });
                    }
                    Err(error) => return Err(error),
                }
                if matches!(self.0.judge(&subject, &signatures), Ok(Verdict::Proven(_))) {
                    break;
                }
            }
        }
        match self.0.judge(&subject, &signatures) {
            Ok(Verdict::Proven(key)) => {
                Ok(Admission { warning: None, proof: Some(format!("signed by key {key}")) })
            }
            Ok(Verdict::Warned(untrusted)) => {
                Ok(Admission { warning: Some(untrusted.to_string()), proof: None })
            }
            Ok(Verdict::NotAsked) => Ok(Admission::default()),
            Err(untrusted) => Err(refused(&untrusted)),
        }
    }
}

fn refused(untrusted: &Untrusted) -> Refused {
    Refused { fix: Some(untrusted.hint()), ..Refused::new(untrusted.to_string()) }
}

/// Where signatures are kept.
#[derive(Clone, Copy)]
enum Place {
    /// Under the artifact's tag.
    Tag,
    /// In manifests that refer to the artifact.
    Referrers,
}

impl Place {
    /// What is signed there, with the signatures; nothing of it is believed yet.
    async fn signatures(self, asked: &Asked<'_>) -> Result<Vec<Signature>, Refused> {
        let related = asked.related;
        let manifests = match self {
            Self::Tag => {
                related.manifest(&tag(asked.digest)).await.map_err(unread)?.into_iter().collect()
            }
            Self::Referrers => referring(asked).await?,
        };
        let mut found = Vec::new();
        // Something else there is no signature.
        for manifest in manifests.iter().filter_map(|bytes| Manifest::parse(bytes).ok()) {
            for (layer, signature) in entries(&manifest) {
                let max = PAYLOAD_MAX_BYTES as u64;
                if found.len() == SIGNATURES_MAX {
                    return Ok(found);
                }
                if let Some(payload) = related.blob(layer, max).await.map_err(unread)? {
                    found.push(Signature { payload, signature });
                }
            }
        }
        Ok(found)
    }
}

/// The manifests of signatures that refer to the artifact.
async fn referring(asked: &Asked<'_>) -> Result<Vec<Vec<u8>>, Refused> {
    let listed = asked.related.referrers(asked.digest).await.map_err(unread)?;
    let Some(Ok(index)) = listed.map(|bytes| Index::parse(&bytes)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for listed in index.of_kind(ARTIFACT_TYPE).take(SIGNATURES_MAX) {
        found.extend(asked.related.at(listed.digest).await.map_err(unread)?);
    }
    Ok(found)
}

fn unread(error: registry::RegistryError) -> Refused {
    Refused { source: Some(Box::new(error)), ..Refused::new("its signatures cannot be read") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use artifact::{Descriptor, Digest, MANIFEST_MEDIA_TYPE, Repository};
    use domain::namespace::Pattern;
    use registry::{RegistryError, Related};

    use super::*;
    use crate::policy::Rule;
    use crate::private::SigningKey;
    use crate::stored::{image, layer};

    /// A repository whose signatures are listed as referrers, and under no tag.
    struct Listed {
        index: Vec<u8>,
        content: BTreeMap<Digest, Vec<u8>>,
        lists: AtomicUsize,
    }

    #[async_trait]
    impl Related for Listed {
        async fn manifest(&self, _: &str) -> Result<Option<Vec<u8>>, RegistryError> {
            Ok(None)
        }

        async fn at(&self, digest: Digest) -> Result<Option<Vec<u8>>, RegistryError> {
            Ok(self.content.get(&digest).cloned())
        }

        async fn blob(&self, blob: &Descriptor, _: u64) -> Result<Option<Vec<u8>>, RegistryError> {
            self.at(blob.digest).await
        }

        async fn referrers(&self, _: Digest) -> Result<Option<Vec<u8>>, RegistryError> {
            self.lists.fetch_add(1, Ordering::Relaxed);
            Ok(Some(self.index.clone()))
        }
    }

    /// Lists a signature of `of` by `key` as an attachment of this kind.
    fn listed(of: Digest, key: &SigningKey, kind: &str) -> Listed {
        let subject = Subject { repository: "ghcr.io/acme/tool".into(), digest: of.to_string() };
        let made = Signature::make(&subject, key).unwrap();
        let (manifest, _) = image(vec![layer(&made.payload, &made.signature)]);
        let manifest = serde_json::to_vec(&manifest).unwrap();
        let mut entry = Descriptor::of(MANIFEST_MEDIA_TYPE, &manifest);
        entry.artifact_type = Some(kind.into());
        let index = Index { manifests: vec![entry], ..Index::default() }.to_bytes().unwrap();
        let content = [manifest, made.payload].map(|bytes| (Digest::of(&bytes), bytes)).into();
        Listed { index, content, lists: AtomicUsize::new(0) }
    }

    #[test]
    fn signatures_are_found_among_referrers_and_only_signatures() {
        let (key, _) = SigningKey::generate("").unwrap();
        let (other, _) = SigningKey::generate("").unwrap();
        let repository = Repository::parse("ghcr.io/acme/tool").unwrap();
        let (manifest, elsewhere) = (b"{}", Digest::of(b"something else"));
        let digest = Digest::of(manifest);
        let rule = Rule {
            pattern: Pattern::parse("ghcr.io/acme").unwrap(),
            proof: Proof::Require,
            keys: vec![key.public().clone()],
        };
        let gate = SignatureGate::new(Policy::new(vec![rule]));
        for (of, by, kind, good) in [
            (digest, &key, ARTIFACT_TYPE, true),
            (digest, &other, ARTIFACT_TYPE, false),
            (elsewhere, &key, ARTIFACT_TYPE, false),
            (digest, &key, "text/plain", false),
        ] {
            let related = listed(of, by, kind);
            let asked = Asked { repository: &repository, digest, manifest, related: &related };
            let answer = futures::executor::block_on(gate.admit(&asked));
            assert_eq!(answer.is_ok_and(|admission| admission.proof.is_some()), good, "{kind}");
            assert_eq!(related.lists.load(Ordering::Relaxed), 1);
        }
    }
}
