//! One request, with patience: what passes is tried again, redirects are followed by hand so that
//! no credential goes with them, and an answer has a largest size.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
    RETRY_AFTER,
};
use http::{Method, StatusCode};
use reqwest::Response;
use url::Url;

use artifact::Repository;

use crate::client::{Access, Client};
use crate::error::RegistryError;
use crate::options::is_loopback;
use crate::token::{Challenge, basic};

/// A registry sends to its storage, which may send to a place near by.
const REDIRECTS_MAX: usize = 5;

/// What is asked.
pub(crate) struct Request {
    pub method: Method,
    pub url: Url,
    pub accept: Option<&'static str>,
    pub content_type: Option<&'static str>,
    pub body: Option<Bytes>,
    pub from: u64,
}

/// Why a request should be tried again.
pub(crate) struct Trouble {
    reason: String,
    wait: Option<u64>,
    busy: bool,
}

impl Client {
    /// Asks until there is an answer that is neither passing trouble nor a redirect. 401, 403 and
    /// 429 are errors; every other status is the caller's.
    pub(crate) async fn ask(
        &self,
        repository: &Repository,
        access: Access,
        request: &Request,
    ) -> Result<Response, RegistryError> {
        let registry = repository.registry();
        let (mut attempt, mut signed_in) = (1, false);
        loop {
            let sent = self.follow(repository, access, request).await?;
            if let Some(trouble) = self.passing(&request.url, &sent) {
                self.rest(&mut attempt, trouble, registry).await?;
                continue;
            }
            let address = shown(&request.url);
            let response = sent.map_err(|error| RegistryError::GivenUp {
                reason: broken(&request.url, &error),
                attempts: attempt,
            })?;
            match response.status() {
                StatusCode::UNAUTHORIZED if !signed_in => {
                    signed_in = true;
                    self.sign_in(repository, access, &address, response.headers()).await?;
                }
                StatusCode::UNAUTHORIZED => {
                    return Err(RegistryError::SignIn { address, registry: registry.into() });
                }
                StatusCode::FORBIDDEN => {
                    return Err(RegistryError::Forbidden { address, registry: registry.into() });
                }
                _ => return Ok(response),
            }
        }
    }

    async fn sign_in(
        &self,
        repository: &Repository,
        access: Access,
        address: &str,
        headers: &HeaderMap,
    ) -> Result<(), RegistryError> {
        let registry = repository.registry();
        let nobody =
            || RegistryError::SignIn { address: address.to_owned(), registry: registry.into() };
        let credential = self.sources.find(registry).await?;
        let value = match Challenge::read(headers).ok_or_else(nobody)? {
            Challenge::Basic => credential.as_ref().and_then(basic).ok_or_else(nobody)?,
            Challenge::Bearer { realm, service } => {
                let scope = format!("repository:{}:{}", repository.path(), access.scope());
                let service = service.as_deref();
                self.exchange(registry, &realm, service, &scope, credential.as_ref()).await?
            }
        };
        self.remember(repository, access, value);
        Ok(())
    }

    async fn follow(
        &self,
        repository: &Repository,
        access: Access,
        request: &Request,
    ) -> Result<reqwest::Result<Response>, RegistryError> {
        let home = self.base(repository.registry());
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let mut next = self
                .http()?
                .request(request.method.clone(), url.clone())
                .header(ACCEPT_ENCODING, "identity");
            if let Some(accept) = request.accept {
                next = next.header(ACCEPT, accept);
            }
            if let Some(kind) = request.content_type {
                next = next.header(CONTENT_TYPE, kind);
            }
            if request.from > 0 {
                next = next.header(http::header::RANGE, format!("bytes={}-", request.from));
            }
            if let Some(body) = &request.body {
                next = next.body(body.clone());
            }
            // Nobody but the registry itself sees who we are.
            if home.as_ref().is_ok_and(|home| home.origin() == url.origin())
                && let Some(value) = self.remembered(repository, access)
            {
                next = next.header(AUTHORIZATION, value);
            }
            self.count();
            let sent = next.send().await;
            let Ok(response) = &sent else { return Ok(sent) };
            let reads = matches!(request.method, Method::GET | Method::HEAD);
            if !(response.status().is_redirection() && reads) {
                return Ok(sent);
            }
            url = self.next(repository.registry(), &url, response.headers())?;
        }
        Err(RegistryError::Redirects(shown(&request.url)))
    }

    /// Where a registry sends on to: HTTPS, or this machine when the registry is on it.
    pub(crate) fn next(
        &self,
        registry: &str,
        from: &Url,
        headers: &HeaderMap,
    ) -> Result<Url, RegistryError> {
        let location = headers.get(LOCATION).and_then(|l| l.to_str().ok()).unwrap_or_default();
        let wrong = |to: String| RegistryError::Redirect { from: shown(from), to };
        if location.is_empty() {
            return Err(wrong("nowhere".into()));
        }
        let to = from.join(location).map_err(|_| wrong("what is no address".into()))?;
        let same = to.origin() == from.origin();
        let plain =
            to.scheme() == "http" && self.options.is_plain(registry) && (same || is_loopback(&to));
        if to.scheme() == "https" || plain { Ok(to) } else { Err(wrong(shown(&to))) }
    }

    /// Trouble that may pass, if this is some.
    pub(crate) fn passing(&self, url: &Url, sent: &reqwest::Result<Response>) -> Option<Trouble> {
        match sent {
            Err(error) => Some(Trouble { reason: broken(url, error), wait: None, busy: false }),
            Ok(response) => {
                let status = response.status();
                let busy = status == StatusCode::TOO_MANY_REQUESTS;
                let passes = busy || status.is_server_error() || status.as_u16() == 408;
                passes.then(|| Trouble {
                    reason: format!("{} answered with {}", shown(url), status.as_u16()),
                    wait: seconds(response.headers().get(RETRY_AFTER)),
                    busy,
                })
            }
        }
    }

    /// Waits before the next try, or says that there is none.
    pub(crate) async fn rest(
        &self,
        attempt: &mut u32,
        trouble: Trouble,
        registry: &str,
    ) -> Result<(), RegistryError> {
        let asked = trouble.wait.map(Duration::from_secs);
        let impatient = asked.is_some_and(|wait| wait > self.options.pause_max);
        if *attempt >= self.options.attempts || impatient {
            if trouble.busy {
                let address = self.base(registry).map(|url| shown(&url)).unwrap_or_default();
                let wait = trouble.wait;
                return Err(RegistryError::TooMany { address, registry: registry.into(), wait });
            }
            return Err(RegistryError::GivenUp { reason: trouble.reason, attempts: *attempt });
        }
        let pause = self.options.pause.saturating_mul(1 << (*attempt - 1).min(8));
        tracing::debug!(reason = trouble.reason, attempt, "asking again");
        tokio::time::sleep(asked.unwrap_or(pause).min(self.options.pause_max)).await;
        *attempt += 1;
        Ok(())
    }
}

impl Trouble {
    pub fn broke_off(url: &Url, error: &reqwest::Error) -> Self {
        Self { reason: broken(url, error), wait: None, busy: false }
    }

    pub fn cut_short(url: &Url) -> Self {
        Self { reason: format!("{} sent too little", shown(url)), wait: None, busy: false }
    }
}

/// An answer's bytes, if they are not too many.
pub(crate) async fn body(
    mut response: Response,
    address: &str,
    max: u64,
) -> Result<Vec<u8>, RegistryError> {
    let too_large = || RegistryError::TooLarge { address: address.to_owned(), max };
    if response.content_length().is_some_and(|length| length > max) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|error| RegistryError::GivenUp {
            reason: format!("{address} broke off: {}", root_cause(&error)),
            attempts: 1,
        })?;
        let Some(chunk) = chunk else { return Ok(bytes) };
        if (bytes.len() + chunk.len()) as u64 > max {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
}

/// A URL without what may be a secret.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Only addresses without a host cannot have them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

fn broken(url: &Url, error: &reqwest::Error) -> String {
    let host = url.host_str().unwrap_or_default();
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => format!("no connection to {host} in time"),
        (true, false) => format!("{host} sent nothing for too long"),
        (false, true) => format!("no connection to {host}: {}", root_cause(error)),
        (false, false) => format!("{host} broke off: {}", root_cause(error)),
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn seconds(value: Option<&HeaderValue>) -> Option<u64> {
    value?.to_str().ok()?.trim().parse().ok()
}
