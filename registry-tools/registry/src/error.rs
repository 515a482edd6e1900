//! Why an artifact was not fetched, not sent, or not handed out. Every text says what can be done;
//! none holds a credential, a query of an address, or a page that a server sent.

use artifact::{Digest, ManifestError, Reference, ReferenceError};
use cache::CacheError;

use crate::gate::Refused;

#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    #[error("the proxy cannot be used")]
    Proxy,
    #[error(
        "{0} is not on this machine, and without `--offline` it would be fetched; pull it first"
    )]
    Offline(Box<Reference>),
    #[error(
        "{address} asks who you are (401); sign in with `docker login {registry}`, or set XPRESSCLAW_REGISTRY_TOKEN{}",
        github(registry)
    )]
    SignIn { address: String, registry: String },
    #[error(
        "{address} refuses it (403): these credentials may not do that, or it is not public; {}",
        rights(registry)
    )]
    Forbidden { address: String, registry: String },
    #[error("there is no {0} (404); a private one is not found without signing in, either")]
    NotFound(String),
    #[error(
        "{address} has been asked too often (429){}; wait a while, or sign in with `docker login {registry}`: those who do may ask more",
        wait.map(|s| format!(" and wants {s} s of rest")).unwrap_or_default()
    )]
    TooMany { address: String, registry: String, wait: Option<u64> },
    #[error("{address} answered with {status}")]
    Status { address: String, status: u16 },
    #[error("{reason}, {attempts} times in a row; try again, what arrived is kept and continued")]
    GivenUp { reason: String, attempts: u32 },
    #[error("{0} leads through too many redirects")]
    Redirects(String),
    #[error("{from} redirects to {to}, which is not followed: only HTTPS is")]
    Redirect { from: String, to: String },
    #[error("the token service of {registry} is at {realm}, which is not asked: only HTTPS is")]
    Realm { registry: String, realm: String },
    #[error("the token service {address} sent no token")]
    Token { address: String },
    #[error("{address} sends more than {max} bytes; nothing of it was kept")]
    TooLarge { address: String, max: u64 },
    #[error(
        "{address} sent content with the digest {found} and not {expected}; nothing of it was kept"
    )]
    WrongDigest { address: String, expected: Digest, found: Digest },
    #[error("{0} accepts no upload: it named no place for it")]
    NoUpload(String),
    #[error("{reference} is no harness")]
    Unfit { reference: Box<Reference>, source: ManifestError },
    #[error("it cannot be packed")]
    Pack(#[from] ManifestError),
    #[error("the content that is pushed cannot be read")]
    Content(#[source] std::io::Error),
    #[error("the credential helper {program} failed: {reason}")]
    Helper { program: String, reason: String },
    #[error("{path} cannot be read as Docker's configuration; correct or remove it")]
    DockerConfig { path: std::path::PathBuf },
    #[error("the cache failed")]
    Cache(#[from] CacheError),
    #[error("{reference} is not used")]
    Refused { reference: Box<Reference>, source: Refused },
}

fn github(registry: &str) -> &'static str {
    if registry == "ghcr.io" { ", or GITHUB_TOKEN, or sign in with `gh auth login`" } else { "" }
}

fn rights(registry: &str) -> &'static str {
    if registry == "ghcr.io" {
        "the token needs `read:packages`, and `write:packages` to push"
    } else {
        "ask its owner"
    }
}
