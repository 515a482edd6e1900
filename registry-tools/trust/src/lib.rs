//! Who vouches for a harness from a registry, and whether that is enough.
//!
//! Signatures are those of cosign, made and checked with keys: a document that names repository and
//! digest, signed with ECDSA on P-256. What is asked of which namespace is the user's configuration
//! and nothing else ([`Policy`]). The binary makes keys and signs through this crate; nothing pulled
//! from a registry is used before [`Policy::judge`] has said so, at each use anew.
//!
//! This crate must never read the environment, ask for a password, print, or take a rule or a key
//! from what it judges.

mod gate;
mod hex;
mod payload;
mod policy;
mod private;
mod public;
mod sign;
mod stored;
mod verify;

pub use gate::SignatureGate;
pub use payload::{PAYLOAD_MAX_BYTES, PAYLOAD_MEDIA_TYPE, PayloadError, Subject};
pub use policy::{OFFICIAL_KEYS, Policy, Rule, Ruling, Untrusted, Verdict, is_official};
pub use private::{SigningKey, SigningKeyError};
pub use public::{KEY_FILE_MAX_BYTES, KeyId, PublicKey, PublicKeyError};
pub use sign::{SignError, Signed, sign};
pub use verify::{SIGNATURE_MAX_BYTES, SIGNATURES_MAX, Signature, Unproven, verify};
