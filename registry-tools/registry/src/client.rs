//! The client: manifests and blobs of one repository at a time, each with a largest size, each
//! verified when its digest is known.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use artifact::{Descriptor, Digest, MANIFEST_MAX_BYTES, MANIFEST_MEDIA_TYPE, Repository};
use bytes::Bytes;
use cache::Incoming;
use http::header::{CONTENT_RANGE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use reqwest::{redirect, retry};
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::Url;

use crate::credential::Sources;
use crate::error::RegistryError;
use crate::options::Options;
use crate::request::{Request, Trouble, body, shown};

const USER_AGENT: &str = concat!("xpressclaw/", env!("CARGO_PKG_VERSION"));
const OCTETS: &str = "application/octet-stream";

/// What is done in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    Pull,
    Push,
}

impl Access {
    pub fn scope(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

/// A client for any registry; keeps the tokens that it was given for as long as it lives.
pub struct Client {
    /// Made when it is first needed: reading the system's certificates takes longer than a start from
    /// the cache, which asks nobody.
    http: OnceLock<reqwest::Client>,
    pub(crate) options: Options,
    pub(crate) sources: Sources,
    tokens: Mutex<HashMap<(Repository, Access), HeaderValue>>,
    requests: AtomicU64,
}

/// A manifest and what it is.
#[derive(Debug, Clone)]
pub struct Answered {
    pub digest: Digest,
    pub bytes: Vec<u8>,
}

impl Client {
    /// Opens no connection yet.
    pub fn new(options: Options, sources: Sources) -> Self {
        let (http, tokens, requests) = Default::default();
        Self { http, options, sources, tokens, requests }
    }

    pub(crate) fn http(&self) -> Result<&reqwest::Client, RegistryError> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let made = self.make_http()?;
        // Two that make one at once: the first is kept.
        Ok(self.http.get_or_init(|| made))
    }

    fn make_http(&self) -> Result<reqwest::Client, RegistryError> {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .map_err(|e| RegistryError::Tls(e.to_string()))?
            .with_platform_verifier()
            .map_err(|e| {
                RegistryError::Tls(format!("{e}; install the system's `ca-certificates`"))
            })?
            .with_no_client_auth();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .user_agent(USER_AGENT)
            .connect_timeout(self.options.connect)
            .read_timeout(self.options.stall);
        if let Some(proxy) = &self.options.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| RegistryError::Proxy)?);
        }
        builder.build().map_err(|e| RegistryError::Tls(e.to_string()))
    }

    /// Requests so far, of every kind.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remember(&self, of: &Repository, access: Access, value: HeaderValue) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert((of.clone(), access), value);
    }

    pub(crate) fn remembered(&self, of: &Repository, access: Access) -> Option<HeaderValue> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&(of.clone(), access)).cloned()
    }

    pub(crate) fn base(&self, registry: &str) -> Result<Url, RegistryError> {
        let scheme = if self.options.is_plain(registry) { "http" } else { "https" };
        Url::parse(&format!("{scheme}://{registry}/v2/"))
            .map_err(|_| artifact::ReferenceError::Registry(registry.into()).into())
    }

    fn url(&self, repository: &Repository, rest: &str) -> Result<Url, RegistryError> {
        let base = self.base(repository.registry())?;
        base.join(&format!("{}/{rest}", repository.path()))
            .map_err(|_| artifact::ReferenceError::Repository(repository.path().into()).into())
    }

    /// The manifest under a tag or a digest, which is verified. `None`: there is none.
    pub async fn manifest(
        &self,
        repository: &Repository,
        tag: &str,
        digest: Option<Digest>,
    ) -> Result<Option<Answered>, RegistryError> {
        let name = digest.map_or_else(|| tag.to_owned(), |digest| digest.to_string());
        let found = self
            .get(
                repository,
                &format!("manifests/{name}"),
                Some(MANIFEST_MEDIA_TYPE),
                MANIFEST_MAX_BYTES,
            )
            .await?;
        let Some((bytes, address)) = found else { return Ok(None) };
        let found = Digest::of(&bytes);
        match digest {
            Some(expected) if expected != found => {
                Err(RegistryError::WrongDigest { address, expected, found })
            }
            _ => Ok(Some(Answered { digest: found, bytes })),
        }
    }

    pub(crate) async fn get(
        &self,
        repository: &Repository,
        rest: &str,
        accept: Option<&'static str>,
        max: u64,
    ) -> Result<Option<(Vec<u8>, String)>, RegistryError> {
        let url = self.url(repository, rest)?;
        let address = shown(&url);
        let request = Request { accept, ..plain(Method::GET, url) };
        let response = self.ask(repository, Access::Pull, &request).await?;
        match response.status() {
            StatusCode::OK => Ok(Some((body(response, &address, max).await?, address))),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(RegistryError::Status { address, status: status.as_u16() }),
        }
    }

    /// Fills `incoming` with a blob, from where it ends. It is verified when it is finished.
    pub(crate) async fn blob(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        incoming: &mut Incoming,
        tell: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), RegistryError> {
        let url = self.url(repository, &format!("blobs/{}", blob.digest))?;
        let address = shown(&url);
        let mut attempt = 1;
        loop {
            let before = incoming.length();
            let request = Request { from: before, ..plain(Method::GET, url.clone()) };
            let mut response = self.ask(repository, Access::Pull, &request).await?;
            match response.status() {
                StatusCode::PARTIAL_CONTENT if starts_at(&response, before) => {}
                StatusCode::OK => incoming.restart()?,
                StatusCode::RANGE_NOT_SATISFIABLE if before > 0 => {
                    incoming.restart()?;
                    continue;
                }
                StatusCode::NOT_FOUND => {
                    return Err(RegistryError::NotFound(format!("{repository}@{}", blob.digest)));
                }
                status => {
                    return Err(RegistryError::Status { address, status: status.as_u16() });
                }
            }
            let due = blob.size - incoming.length();
            if response.content_length().is_some_and(|length| length > due) {
                return Err(RegistryError::TooLarge { address, max: blob.size });
            }
            let trouble = loop {
                match response.chunk().await {
                    Ok(Some(bytes)) => {
                        incoming.append(&bytes)?;
                        tell(incoming.length());
                    }
                    Ok(None) if incoming.length() == blob.size => return Ok(()),
                    Ok(None) => break Trouble::cut_short(&url),
                    Err(error) => break Trouble::broke_off(&url, &error),
                }
            };
            if incoming.length() > before {
                attempt = 1;
            }
            self.rest(&mut attempt, trouble, repository.registry()).await?;
        }
    }

    /// Sends a blob, unless the repository has it. `true`: it was sent.
    pub async fn send_blob(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        bytes: Bytes,
    ) -> Result<bool, RegistryError> {
        let url = self.url(repository, &format!("blobs/{}", blob.digest))?;
        let has = self.ask(repository, Access::Push, &plain(Method::HEAD, url)).await?;
        if has.status() == StatusCode::OK {
            return Ok(false);
        }
        let start = self.url(repository, "blobs/uploads/")?;
        let request = Request { body: Some(Bytes::new()), ..plain(Method::POST, start.clone()) };
        let begun = self.ask(repository, Access::Push, &request).await?;
        expect(&begun, StatusCode::ACCEPTED, &start)?;
        let mut place = self
            .next(repository.registry(), &start, begun.headers())
            .map_err(|_| RegistryError::NoUpload(shown(&start)))?;
        place.query_pairs_mut().append_pair("digest", &blob.digest.to_string());
        let request = Request {
            content_type: Some(OCTETS),
            body: Some(bytes),
            ..plain(Method::PUT, place.clone())
        };
        let sent = self.ask(repository, Access::Push, &request).await?;
        expect(&sent, StatusCode::CREATED, &place)?;
        Ok(true)
    }

    /// Puts a manifest under a tag, or under its digest. What it names must have been sent.
    pub async fn send_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        bytes: Vec<u8>,
    ) -> Result<Digest, RegistryError> {
        let digest = Digest::of(&bytes);
        let name = tag.map_or_else(|| digest.to_string(), str::to_owned);
        self.put_manifest(repository, &name, MANIFEST_MEDIA_TYPE, bytes).await?;
        Ok(digest)
    }

    /// Puts a manifest or an index under a tag or its digest; gives what the registry said to it.
    pub(crate) async fn put_manifest(
        &self,
        repository: &Repository,
        name: &str,
        media_type: &'static str,
        bytes: Vec<u8>,
    ) -> Result<HeaderMap, RegistryError> {
        let url = self.url(repository, &format!("manifests/{name}"))?;
        let request = Request {
            content_type: Some(media_type),
            body: Some(bytes.into()),
            ..plain(Method::PUT, url.clone())
        };
        let sent = self.ask(repository, Access::Push, &request).await?;
        expect(&sent, StatusCode::CREATED, &url)?;
        Ok(sent.headers().clone())
    }
}

fn plain(method: Method, url: Url) -> Request {
    Request { method, url, accept: None, content_type: None, body: None, from: 0 }
}

fn expect(
    response: &reqwest::Response,
    status: StatusCode,
    url: &Url,
) -> Result<(), RegistryError> {
    let found = response.status();
    if found == status {
        return Ok(());
    }
    Err(RegistryError::Status { address: shown(url), status: found.as_u16() })
}

fn starts_at(response: &reqwest::Response, from: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}
