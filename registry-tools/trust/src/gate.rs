//! The policy as the gate before the cache and the registries.

use artifact::Manifest;
use async_trait::async_trait;
use domain::namespace::Proof;
use registry::{Admission, Asked, Gate, Refused};

use crate::payload::{PAYLOAD_MAX_BYTES, Subject};
use crate::policy::{Policy, Untrusted, Verdict};
use crate::stored::{entries, tag};
use crate::verify::Signature;

/// Lets through what the policy lets through. Signatures are looked for under cosign's tag, at each
/// use, in the cache or the registry as whoever asks permits.
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
        let signatures = match looked_for {
            true => match signatures(asked).await {
                Ok(found) => found,
                // Whoever only wants to be warned is not stopped by a registry that fails.
                Err(error) if ruling.proof == Proof::Warn => {
                    let warning = format!("its signatures cannot be read: {error}");
                    return Ok(Admission { warning: Some(warning), proof: None });
                }
                Err(error) => return Err(error),
            },
            false => Vec::new(),
        };
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

/// What is signed under the artifact's tag, with the signatures; nothing of it is believed yet.
async fn signatures(asked: &Asked<'_>) -> Result<Vec<Signature>, Refused> {
    let Some(bytes) = asked.related.manifest(&tag(asked.digest)).await.map_err(unread)? else {
        return Ok(Vec::new());
    };
    // Something else under the tag is no signature.
    let Ok(manifest) = Manifest::parse(&bytes) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (layer, signature) in entries(&manifest) {
        let max = PAYLOAD_MAX_BYTES as u64;
        if let Some(payload) = asked.related.blob(layer, max).await.map_err(unread)? {
            found.push(Signature { payload, signature });
        }
    }
    Ok(found)
}

fn unread(error: registry::RegistryError) -> Refused {
    Refused { source: Some(Box::new(error)), ..Refused::new("its signatures cannot be read") }
}
