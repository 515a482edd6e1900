//! Public keys: read from PEM files, used to check signatures.
//!
//! Keys are of P-256, as cosign makes them. A file of another kind is refused with its name, rather
//! than taken for one that no signature matches.

use std::fmt;

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use sha2::{Digest, Sha256};

use crate::hex;

/// A key in PEM has some 180 bytes; a file above this is something else.
pub const KEY_FILE_MAX_BYTES: usize = 64 << 10;

/// The label of public keys.
const LABEL: &str = "PUBLIC KEY";

/// What stands before the point in the one DER encoding that a P-256 key has (RFC 5480): a sequence
/// of 89 bytes, in it the algorithm (`id-ecPublicKey`, `prime256v1`) and a bit string of 66.
const SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// An uncompressed point: `04`, then two coordinates.
const POINT_BYTES: usize = 65;

/// Why a text is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    #[error("it is longer than {KEY_FILE_MAX_BYTES} bytes")]
    TooLong,
    #[error("it is no PEM text; a public key begins with `-----BEGIN PUBLIC KEY-----`")]
    NotPem,
    #[error(
        "it holds a private key; give the file with the public one (`.pub`), and keep this one"
    )]
    Private,
    #[error("it holds `{0}`, not `PUBLIC KEY`")]
    Label(String),
    #[error("it holds {0} keys; a file has one")]
    Several(usize),
    #[error(
        "it is not a key of the curve P-256, the only kind that is read; `xpressclaw harness key new` and `cosign generate-key-pair` make such keys"
    )]
    Kind,
}

/// A public key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    point: [u8; POINT_BYTES],
}

impl PublicKey {
    /// Reads the text of a PEM file.
    pub fn from_pem(text: &str) -> Result<Self, PublicKeyError> {
        if text.len() > KEY_FILE_MAX_BYTES {
            return Err(PublicKeyError::TooLong);
        }
        let blocks = pem::parse_many(text).map_err(|_| PublicKeyError::NotPem)?;
        let block = match blocks.as_slice() {
            [] => return Err(PublicKeyError::NotPem),
            [block] => block,
            several => return Err(PublicKeyError::Several(several.len())),
        };
        match block.tag() {
            LABEL => Self::from_der(block.contents()).ok_or(PublicKeyError::Kind),
            label if label.ends_with("PRIVATE KEY") => Err(PublicKeyError::Private),
            label => Err(PublicKeyError::Label(label.chars().take(64).collect())),
        }
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        Self::from_point(der.strip_prefix(&SPKI_PREFIX)?)
    }

    /// `None`: not an uncompressed point. Whether it is on the curve is seen when it is used.
    pub(crate) fn from_point(point: &[u8]) -> Option<Self> {
        let point: [u8; POINT_BYTES] = point.try_into().ok()?;
        (point[0] == 4).then_some(Self { point })
    }

    fn to_der(&self) -> Vec<u8> {
        [SPKI_PREFIX.as_slice(), &self.point].concat()
    }

    /// As a file.
    pub fn to_pem(&self) -> String {
        let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        pem::encode_config(&pem::Pem::new(LABEL, self.to_der()), config)
    }

    /// The SHA-256 of the key in DER, in hex: what it is called in output and logs.
    pub fn id(&self) -> KeyId {
        KeyId(hex::encode(&Sha256::digest(self.to_der())))
    }

    /// Whether this key made the signature (ASN.1, as cosign writes it) over the bytes.
    pub fn made(&self, signature: &[u8], bytes: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.point).verify(bytes, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

/// What a key is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    /// The first sixteen digits: enough to tell one's keys apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public key that stands in cosign's own specification.
    const COSIGNS: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAELigCnlLNKgOglRTx1D7JhI7eRw99\n\
        QolE9Jo4QUxnbMy5nUuBL+UZF9qqfm/Dg1BNeHRThHzWh2ki9vAEgWEDOw==\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn a_key_of_cosign_is_read_and_written_back() {
        let key = PublicKey::from_pem(COSIGNS).unwrap();
        assert_eq!(key.to_pem(), COSIGNS);
        assert_eq!(key.id().as_str().len(), 64);
        let windows = COSIGNS.replace('\n', "\r\n");
        assert_eq!(PublicKey::from_pem(&windows), Ok(key));
    }

    #[test]
    fn what_is_no_public_key_says_what_it_is() {
        let ed25519 = "-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
            -----END PUBLIC KEY-----\n";
        let private = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n\
            e30=\n\
            -----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
        let certificate = "-----BEGIN CERTIFICATE-----\ne30=\n-----END CERTIFICATE-----\n";
        for (text, expected) in [
            ("", PublicKeyError::NotPem),
            ("ssh-ed25519 AAAA", PublicKeyError::NotPem),
            (&COSIGNS[..90], PublicKeyError::NotPem),
            (ed25519, PublicKeyError::Kind),
            (private, PublicKeyError::Private),
            (certificate, PublicKeyError::Label("CERTIFICATE".to_owned())),
            (&COSIGNS.repeat(2), PublicKeyError::Several(2)),
            (&"x".repeat(KEY_FILE_MAX_BYTES + 1), PublicKeyError::TooLong),
        ] {
            assert_eq!(PublicKey::from_pem(text), Err(expected), "{text:.80}");
        }
    }

    #[test]
    fn a_point_off_the_curve_has_made_nothing() {
        let mut point = [7; POINT_BYTES];
        point[0] = 4;
        let key = PublicKey::from_point(&point).unwrap();
        assert!(!key.made(b"signature", b"bytes"));
        assert!(!key.made(b"", b""));
    }
}
