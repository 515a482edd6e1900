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
