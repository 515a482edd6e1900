//! Asks for a file, or for the rest of one, and follows redirects by hand: each step must be a
//! permitted address, and what the first server says of the file is on the first answer only.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, HeaderValue, IF_RANGE, LOCATION, RANGE, USER_AGENT};
use reqwest::{Client, Response, redirect, retry};
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::Url;

use crate::error::PullError;
use crate::reply::{Claim, retry_after};
use crate::route::{Route, shown};

/// A file of the hub is two redirects away.
const REDIRECTS_MAX: usize = 10;
const USER_AGENT_TEXT: &str = concat!("xpressclaw/", env!("CARGO_PKG_VERSION"));

/// Which bytes are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// The first of them.
    pub from: u64,
    /// Only if the file still has this version; otherwise all of it.
    pub version: Option<String>,
}

pub(crate) struct Answer {
    pub response: Response,
    pub claim: Claim,
}

/// Why there is no answer to use.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It may go away.
    Passing {
        reason: String,
        wait: Option<Duration>,
    },
    Final(PullError),
}

impl<E: Into<PullError>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Final(error.into())
    }
}

pub(crate) struct Fetcher {
    client: Client,
    route: Route,
}

impl Fetcher {
    pub fn new(
        route: Route,
        proxy: Option<&str>,
        connect: Duration,
        stall: Duration,
    ) -> Result<Self, PullError> {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let broken = |reason: String| PullError::Tls { reason };
        let tls = rustls::ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .map_err(|e| broken(e.to_string()))?
            .with_platform_verifier()
            .map_err(|e| broken(format!("{e}; install the system's `ca-certificates`")))?
            .with_no_client_auth();
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .connect_timeout(connect)
            .read_timeout(stall);
        if let Some(proxy) = proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| PullError::Proxy)?);
        }
        let client = builder.build().map_err(|e| broken(root_cause(&e)))?;
        Ok(Self { client, route })
    }

    /// Where a download of `url` starts.
    pub fn start(&self, url: &Url) -> Result<Url, PullError> {
        Ok(self.route.start(url)?)
    }

    /// Asks, until an answer is no redirect. Statuses that may pass are `Trouble::Passing`.
    pub async fn get(&self, start: &Url, wanted: &Wanted) -> Result<Answer, Trouble> {
        let mut url = start.clone();
        let mut claim = None;
        for _ in 0..=REDIRECTS_MAX {
            let mut request = self
                .client
                .get(url.clone())
                .header(USER_AGENT, USER_AGENT_TEXT)
                // A compressed body would have other bytes at every position.
                .header(ACCEPT_ENCODING, "identity");
            if wanted.from > 0 {
                request = request.header(RANGE, format!("bytes={}-", wanted.from));
                if let Some(version) = wanted.version.as_deref().map(HeaderValue::from_str)
                    && let Ok(version) = version
                {
                    request = request.header(IF_RANGE, version);
                }
            }
            let response = request.send().await.map_err(|error| passing(&url, &error))?;
            let claim = *claim.get_or_insert_with(|| Claim::read(response.headers()));
            let status = response.status();
            if status.is_redirection() {
                let location = response.headers().get(LOCATION).and_then(|l| l.to_str().ok());
                let location =
                    location.ok_or_else(|| PullError::NoLocation { address: shown(&url) })?;
                url = self.route.redirect(&url, location).map_err(PullError::from)?;
                continue;
            }
            if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) {
                return Err(Trouble::Passing {
                    reason: format!("{} answered with {}", shown(&url), status.as_u16()),
                    wait: retry_after(response.headers()).map(Duration::from_secs),
                });
            }
            return Ok(Answer { response, claim });
        }
        let address = shown(start);
        Err(PullError::Redirects { address, max: REDIRECTS_MAX }.into())
    }
}

/// What a broken connection is reported as.
pub(crate) fn passing(url: &Url, error: &reqwest::Error) -> Trouble {
    let host = url.host_str().unwrap_or_default();
    let reason = match (error.is_timeout(), error.is_connect()) {
        (true, true) => format!("no connection to {host} in time"),
        (true, false) => format!("{host} sent nothing for too long"),
        (false, true) => format!("no connection to {host}: {}", root_cause(error)),
        (false, false) => format!("{host} broke off: {}", root_cause(error)),
    };
    Trouble::Passing { reason, wait: None }
}

/// The innermost reason: the outer ones repeat the URL.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
