//! Whether one of the keys vouches for an artifact.

use crate::payload::{PAYLOAD_MAX_BYTES, PayloadError, Subject};
use crate::private::{SigningKey, SigningKeyError};
use crate::public::{KeyId, PublicKey};

/// Signatures of one artifact that are looked at. Builders, maintainers and testers may each sign;
/// a list beyond this keeps the reader busy and proves nothing more.
pub const SIGNATURES_MAX: usize = 64;

/// A signature in ASN.1 has at most 72 bytes.
pub const SIGNATURE_MAX_BYTES: usize = 128;

/// A signature as it was found: nothing of it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// What was signed.
    pub payload: Vec<u8>,
    /// Over the payload, in ASN.1.
    pub signature: Vec<u8>,
}

/// Why no key vouches for an artifact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// There is no signature at all.
    #[error("it is not signed")]
    Unsigned,
    /// No signature was made by one of the keys.
    #[error("{}", by_others(*.signatures))]
    ByOthers { signatures: usize },
    /// One of the keys made a signature, for something else.
    #[error("the signature by key {key} is not for it: {reason}")]
    ForOther { key: KeyId, reason: PayloadError },
}

fn by_others(signatures: usize) -> String {
    match signatures {
        1 => "it has a signature, which none of the keys made".to_owned(),
        many => format!("it has {many} signatures, none of which the keys made"),
    }
}

impl Signature {
    /// Signs the subject.
    pub fn make(subject: &Subject, key: &SigningKey) -> Result<Self, SigningKeyError> {
        let payload = subject.payload();
        Ok(Self { signature: key.sign(&payload)?, payload })
    }

    fn maker<'a>(&self, keys: &'a [PublicKey]) -> Option<&'a PublicKey> {
        if self.payload.len() > PAYLOAD_MAX_BYTES || self.signature.len() > SIGNATURE_MAX_BYTES {
            return None;
        }
        keys.iter().find(|key| key.made(&self.signature, &self.payload))
    }
}

/// The key that vouches for the subject: a signature of it is good, and it is for this very digest
/// in this very repository. Of several signatures one is enough, whatever the others are.
pub fn verify<'a>(
    subject: &Subject,
    signatures: &[Signature],
    keys: &'a [PublicKey],
) -> Result<&'a PublicKey, Unproven> {
    let mut unproven = match signatures.len() {
        0 => Unproven::Unsigned,
        signatures => Unproven::ByOthers { signatures },
    };
    for signature in signatures.iter().take(SIGNATURES_MAX) {
        let Some(key) = signature.maker(keys) else { continue };
        match subject.vouched_by(&signature.payload) {
            Ok(()) => return Ok(key),
            // It tells more than that others signed.
            Err(reason) => unproven = Unproven::ForOther { key: key.id(), reason },
        }
    }
    Err(unproven)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(repository: &str, digit: &str) -> Subject {
        let digest = format!("sha256:{}", digit.repeat(64));
        Subject { repository: repository.to_owned(), digest }
    }

    #[test]
    fn one_good_signature_by_one_of_the_keys_is_enough() {
        let keys: Vec<_> = (0..3).map(|_| SigningKey::generate("").unwrap().0).collect();
        let public: Vec<_> = keys.iter().map(|key| key.public().clone()).collect();
        let own = subject("ghcr.io/acme/tool", "1");
        let other = subject("ghcr.io/acme/tool", "2");
        let elsewhere = subject("ghcr.io/evil/tool", "1");
        let sign = |subject, key: usize| Signature::make(subject, &keys[key]).unwrap();
        let junk = Signature { payload: own.payload(), signature: vec![0x30; 70] };
        let moved = Signature { payload: own.payload(), ..sign(&other, 0) };
        let huge = Signature { payload: vec![b' '; PAYLOAD_MAX_BYTES + 1], ..sign(&own, 0) };
        let good = || Ok(0);
        let by_others = |signatures| Err(Unproven::ByOthers { signatures });
        let for_other =
            |key: usize, reason| Err(Unproven::ForOther { key: public[key].id(), reason });
        for (case, signatures, keys, expected) in [
            ("unsigned", vec![], 0..1, Err(Unproven::Unsigned)),
            ("signed", vec![sign(&own, 0)], 0..1, good()),
            ("by another key", vec![sign(&own, 1)], 0..1, by_others(1)),
            ("without keys", vec![sign(&own, 0)], 0..0, by_others(1)),
            ("by the second key", vec![sign(&own, 1)], 0..3, Ok(1)),
            (
                "after junk and others",
                vec![junk.clone(), sign(&own, 2), sign(&other, 0), sign(&own, 0)],
                0..1,
                good(),
            ),
            ("junk alone", vec![junk.clone(), moved], 0..3, by_others(2)),
            (
                "for another digest",
                vec![sign(&other, 0), junk.clone()],
                0..1,
                for_other(0, PayloadError::Digest(other.digest.clone())),
            ),
            (
                "for another repository",
                vec![sign(&elsewhere, 0)],
                0..1,
                for_other(0, PayloadError::Repository(elsewhere.repository.clone())),
            ),
            ("too long to look at", vec![huge], 0..1, by_others(1)),
            (
                "behind too many",
                [vec![junk; SIGNATURES_MAX], vec![sign(&own, 0)]].concat(),
                0..1,
                by_others(SIGNATURES_MAX + 1),
            ),
        ] {
            let found = verify(&own, &signatures, &public[keys]);
            let found = found.map(|key| public.iter().position(|known| known == key).unwrap());
            assert_eq!(found, expected, "{case}");
        }
    }
}
