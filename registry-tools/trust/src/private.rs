//! Private keys: made, kept encrypted, and opened to sign.
//!
//! The file is the one of cosign, so that either program signs with the other's keys: PEM, in it a
//! JSON document with the parameters of scrypt and a nacl secretbox, in that the key as PKCS #8.
//! A key that is not encrypted is never written, and an opened one never leaves this module.

use base64::prelude::{BASE64_STANDARD, Engine};
use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::public::{KEY_FILE_MAX_BYTES, PublicKey};

/// The label that cosign writes today.
const LABEL: &str = "ENCRYPTED SIGSTORE PRIVATE KEY";
/// The one before that.
const LABEL_OLD: &str = "ENCRYPTED COSIGN PRIVATE KEY";

/// scrypt's costs. Each try of a password takes 64 MiB and a good part of a second; it is what
/// cosign writes today.
const LOG_N: u8 = 16;
const R: u32 = 8;
const P: u32 = 1;
/// Files are read with what cosign has written (2^15, 2^16) and twice of that. A file that asks for
/// more could be made to use up the memory.
const LOG_N_READ: std::ops::RangeInclusive<u8> = 15..=17;

const SALT_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const SECRET_BYTES: usize = 32;

/// Why there is no private key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    #[error("it is longer than {KEY_FILE_MAX_BYTES} bytes")]
    TooLong,
    #[error("it is no PEM text; a private key begins with `-----BEGIN {LABEL}-----`")]
    NotPem,
    #[error("it holds a public key; signing needs the private one (`.key`)")]
    Public,
    #[error(
        "it holds `{0}`, not `{LABEL}`; only encrypted keys are read: `cosign import-key-pair` makes one of it"
    )]
    Label(String),
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error(
        "it asks for scrypt with N={n}, r={r}, p={p}; N may be 2^15 to 2^17, with r={R} and p={P}"
    )]
    Costs { n: u64, r: u32, p: u32 },
    #[error("the password does not open it")]
    Password,
    #[error("in it is no key of the curve P-256, the only kind that is used")]
    Kind,
    #[error("the system gives no random numbers")]
    Random,
}

/// A private key, opened.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    public: PublicKey,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

impl SigningKey {
    /// Makes a key and the text of its file, encrypted with the password.
    pub fn generate(password: &str) -> Result<(Self, String), SigningKeyError> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
            .map_err(|_| SigningKeyError::Random)?;
        let file = seal(pkcs8.as_ref(), password, &random)?;
        Ok((Self::from_pkcs8(pkcs8.as_ref(), random)?, file))
    }

    /// Opens the text of a key file.
    pub fn open(text: &str, password: &str) -> Result<Self, SigningKeyError> {
        if text.len() > KEY_FILE_MAX_BYTES {
            return Err(SigningKeyError::TooLong);
        }
        let block = pem::parse(text).map_err(|_| SigningKeyError::NotPem)?;
        match block.tag() {
            LABEL | LABEL_OLD => {}
            "PUBLIC KEY" => return Err(SigningKeyError::Public),
            label => return Err(SigningKeyError::Label(label.chars().take(64).collect())),
        }
        let pkcs8 = unseal(block.contents(), password)?;
        Self::from_pkcs8(&pkcs8, SystemRandom::new())
    }

    fn from_pkcs8(pkcs8: &[u8], random: SystemRandom) -> Result<Self, SigningKeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &random)
            .map_err(|_| SigningKeyError::Kind)?;
        let public = PublicKey::from_point(pair.public_key().as_ref());
        Ok(Self { public: public.ok_or(SigningKeyError::Kind)?, pair, random })
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature over the bytes, in ASN.1.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        let signature = self.pair.sign(&self.random, bytes);
        Ok(signature.map_err(|_| SigningKeyError::Random)?.as_ref().to_vec())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public.id())
    }
}

/// The cipher under the password. `log_n` is within [`LOG_N_READ`].
fn cipher(password: &str, salt: &[u8], log_n: u8) -> Result<XSalsa20Poly1305, SigningKeyError> {
    let params = scrypt::Params::new(log_n, R, P);
    let params = params.map_err(|_| SigningKeyError::Damaged("scrypt refuses its parameters"))?;
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    scrypt::scrypt(password.as_bytes(), salt, &params, secret.as_mut_slice())
        .map_err(|_| SigningKeyError::Damaged("scrypt refuses its parameters"))?;
    Ok(XSalsa20Poly1305::new(secret.as_slice().into()))
}

fn seal(pkcs8: &[u8], password: &str, random: &SystemRandom) -> Result<String, SigningKeyError> {
    let mut salt = [0; SALT_BYTES];
    let mut nonce = [0; NONCE_BYTES];
    random.fill(&mut salt).map_err(|_| SigningKeyError::Random)?;
    random.fill(&mut nonce).map_err(|_| SigningKeyError::Random)?;
    let ciphertext = cipher(password, &salt, LOG_N)?
        .encrypt(Nonce::from_slice(&nonce), pkcs8)
        .map_err(|_| SigningKeyError::Damaged("it cannot be encrypted"))?;
    let sealed = Sealed {
        kdf: Kdf {
            name: "scrypt".to_owned(),
            params: Params { n: 1 << LOG_N, r: R, p: P },
            salt: BASE64_STANDARD.encode(salt),
        },
        cipher: Cipher { name: "nacl/secretbox".to_owned(), nonce: BASE64_STANDARD.encode(nonce) },
        ciphertext: BASE64_STANDARD.encode(ciphertext),
    };
    let json = serde_json::to_vec(&sealed);
    let json = json.map_err(|_| SigningKeyError::Damaged("it cannot be written"))?;
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    Ok(pem::encode_config(&pem::Pem::new(LABEL, json), config))
}

fn unseal(json: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
    let damaged = SigningKeyError::Damaged;
    let sealed: Sealed =
        serde_json::from_slice(json).map_err(|_| damaged("it is not the JSON of such a key"))?;
    let Sealed { kdf, cipher: sealer, ciphertext } = sealed;
    if kdf.name != "scrypt" {
        return Err(damaged("its password is not stretched with scrypt"));
    }
    if sealer.name != "nacl/secretbox" {
        return Err(damaged("its cipher is not nacl/secretbox"));
    }
    let Params { n, r, p } = kdf.params;
    let log_n = LOG_N_READ.into_iter().find(|log_n| n == 1 << log_n);
    let Some(log_n) = log_n.filter(|_| r == R && p == P) else {
        return Err(SigningKeyError::Costs { n, r, p });
    };
    let bytes = |text: &str| BASE64_STANDARD.decode(text).map_err(|_| damaged("it is no base64"));
    let (salt, nonce, ciphertext) = (bytes(&kdf.salt)?, bytes(&sealer.nonce)?, bytes(&ciphertext)?);
    if nonce.len() != NONCE_BYTES {
        return Err(damaged("its nonce has another length"));
    }
    let opened = cipher(password, &salt, log_n)?
        .decrypt(Nonce::from_slice(&nonce), ciphertext.as_slice())
        .map_err(|_| SigningKeyError::Password)?;
    Ok(Zeroizing::new(opened))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_opened_and_signs() {
        let (key, file) = SigningKey::generate("correct horse").unwrap();
        assert!(file.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"), "{file}");
        let opened = SigningKey::open(&file, "correct horse").unwrap();
        assert_eq!(opened.public(), key.public());
        let signature = opened.sign(b"payload").unwrap();
        assert!(key.public().made(&signature, b"payload"));
        assert!(!key.public().made(&signature, b"another"));
        assert_eq!(SigningKey::open(&file, "wrong").unwrap_err(), SigningKeyError::Password);
        assert_eq!(SigningKey::open(&file, "").unwrap_err(), SigningKeyError::Password);
        assert!(!format!("{opened:?}").contains("BEGIN"));
    }

    /// The JSON of a key file, changed.
    fn changed(file: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
        let block = pem::parse(file).unwrap();
        let mut json = serde_json::from_slice(block.contents()).unwrap();
        change(&mut json);
        pem::encode(&pem::Pem::new(block.tag(), serde_json::to_vec(&json).unwrap()))
    }

    #[test]
    fn a_damaged_file_says_what_is_wrong_with_it() {
        let (key, file) = SigningKey::generate("p").unwrap();
        let open = |text: &str| SigningKey::open(text, "p").unwrap_err().to_string();
        for (text, expected) in [
            (String::new(), "no PEM text"),
            ("x".repeat(KEY_FILE_MAX_BYTES + 1), "longer than"),
            (key.public().to_pem(), "holds a public key"),
            (file.replace("ENCRYPTED SIGSTORE ", ""), "only encrypted keys are read"),
            (pem::encode(&pem::Pem::new(LABEL, "{}")), "not the JSON"),
            (changed(&file, |v| v["kdf"]["name"] = "argon2".into()), "not stretched with scrypt"),
            (changed(&file, |v| v["cipher"]["name"] = "aes".into()), "not nacl/secretbox"),
            (changed(&file, |v| v["kdf"]["params"]["N"] = (1_u64 << 40).into()), "asks for scrypt"),
            (changed(&file, |v| v["kdf"]["params"]["N"] = 65_537.into()), "asks for scrypt"),
            (changed(&file, |v| v["kdf"]["params"]["r"] = 1_000.into()), "asks for scrypt"),
            (changed(&file, |v| v["cipher"]["nonce"] = "AAAA".into()), "nonce has another length"),
            (changed(&file, |v| v["ciphertext"] = "%".into()), "no base64"),
            (changed(&file, |v| v["ciphertext"] = "AAAA".into()), "password does not open"),
        ] {
            let error = open(&text);
            assert!(error.contains(expected), "{expected}: {error}");
        }
        // The older label means the same.
        let old = file.replace("SIGSTORE", "COSIGN");
        assert_eq!(SigningKey::open(&old, "p").unwrap().public(), key.public());
    }
}
