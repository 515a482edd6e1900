//! The endpoint: sends a body, resolves with an answer that is a stream, or with the refusal.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::provider::{ProviderError, Sent};
use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};
use reqwest::{Client, Response, redirect, retry};
use rustls_platform_verifier::BuilderVerifierExt as _;
use serde_json::Value;

use super::address::Address;
use super::refusals::{Credentials, Refusals, retry_after_ms};
use super::settings::{ConfigError, KeyHeader, ModelFacts, Settings, Timeouts};
use crate::Secret;

/// What is read of an error's body: error objects are a few hundred bytes, the rest is a page for
/// browsers.
const ERROR_BODY_MAX_BYTES: usize = 64 << 10;
/// How long an error's body may take after its status arrived; without it the status speaks.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Names of content codings are short; a longer one is shown cut.
const CODING_MAX_CHARS: usize = 20;

/// Headers that this module sets or HTTP owns.
const HEADERS_OF_THE_HOST: [&str; 6] =
    ["accept", "connection", "content-length", "content-type", "host", "transfer-encoding"];

const USER_AGENT_TEXT: &str = concat!("xpressclaw/", env!("CARGO_PKG_VERSION"));

#[derive(Debug)]
pub(crate) struct Endpoint {
    name: String,
    address: Address,
    headers: HeaderMap,
    keys: Vec<Secret>,
    credentials: Credentials,
    key_setting: String,
    base_url_hint: &'static str,
    proxy: Option<Secret>,
    timeouts: Timeouts,
    /// Built by the first call: reading the system's certificates takes milliseconds that a
    /// process which never calls this endpoint should not spend.
    client: OnceLock<Client>,
}

impl Endpoint {
    pub fn new(config: &Settings<'_>) -> Result<Self, ConfigError> {
        let address = Address::new(config)?;
        let credentials = match (config.key, config.headers.is_empty()) {
            (Some(_), _) => Credentials::Key,
            (None, false) => Credentials::Headers,
            (None, true) => Credentials::None,
        };
        if let Some(proxy) = config.proxy {
            reqwest::Proxy::all(proxy.expose()).map_err(|_| ConfigError::Proxy)?;
        }
        let header_values = config.headers.iter().map(|(_, value)| value.clone());
        Ok(Self {
            name: config.name.to_owned(),
            address,
            headers: headers(config)?,
            keys: config.key.cloned().into_iter().chain(header_values).collect(),
            credentials,
            key_setting: config.key_setting.to_owned(),
            proxy: config.proxy.cloned(),
            timeouts: config.timeouts,
            base_url_hint: config.base_url_hint,
            client: OnceLock::new(),
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn host(&self) -> &str {
        self.address.host()
    }

    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    pub fn refusals(&self, facts: &ModelFacts) -> Refusals {
        Refusals {
            provider: self.name.clone(),
            model: facts.id.clone(),
            window: facts.context_window,
            key_setting: self.key_setting.clone(),
            credentials: self.credentials,
            base_url_hint: self.base_url_hint,
            keys: self.keys.clone(),
        }
    }

    /// Sends the body once and resolves when the headers of a stream arrived.
    pub async fn post(&self, body: &Value, facts: &ModelFacts) -> Result<Response, ProviderError> {
        let refusals = self.refusals(facts);
        let request = self
            .client()?
            .post(self.address.of(&facts.id))
            .headers(self.headers.clone())
            .body(body.to_string());
        let response = request.send().await.map_err(|error| self.send_error(&refusals, &error))?;
        let status = response.status();
        if !status.is_success() {
            let wait = retry_after_ms(response.headers(), Timestamp::now());
            let body = beginning(response).await;
            return Err(refusals.of_status(status, wait, &body));
        }
        if let Some(coding) = coding(response.headers()) {
            let reason = format!("the answer is in the content coding `{coding}`, unasked for");
            return Err(refusals.malformed(reason));
        }
        if is_json(response.headers()) {
            // A refusal in the dress of a success, or a server that cannot stream.
            let body: Value =
                serde_json::from_slice(&beginning(response).await).unwrap_or_default();
            return Err(match body.get("error").filter(|error| !error.is_null()) {
                Some(error) => refusals.in_stream(error),
                None => refusals.malformed("it sent one JSON text where a stream was asked for"),
            });
        }
        Ok(response)
    }

    fn client(&self) -> Result<&Client, ProviderError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = self.build_client().map_err(|reason| {
            ProviderError::Other(format!("{}: TLS cannot be set up: {reason}", self.name))
        })?;
        Ok(self.client.get_or_init(|| client))
    }

    fn build_client(&self) -> Result<Client, String> {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(crypto)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        // Plain HTTP needs no certificates, and the machine may have none.
        let mut tls = if self.address.is_tls() || self.proxy.is_some() {
            tls.with_platform_verifier()
                .map_err(|error| format!("{error}; install the system's `ca-certificates`"))?
                .with_no_client_auth()
        } else {
            tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
        };
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Handing the configuration over keeps the process-wide default provider of rustls, which
        // reqwest would otherwise panic without, out of it.
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .connect_timeout(self.timeouts.connect)
            .read_timeout(self.timeouts.idle);
        if let Some(proxy) = &self.proxy {
            let proxy = reqwest::Proxy::all(proxy.expose()).map_err(|error| root_cause(&error))?;
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(|error| root_cause(&error))
    }

    fn send_error(&self, refusals: &Refusals, error: &reqwest::Error) -> ProviderError {
        let address = self.address.shown();
        if error.is_connect() {
            let reason = if error.is_timeout() {
                format!("no connection to {address} within {:?}", self.timeouts.connect)
            } else {
                format!("no connection to {address}: {}", root_cause(error))
            };
            return refusals.broken(reason, Sent::No);
        }
        if error.is_timeout() {
            let reason = format!("{address} sent nothing for {:?}", self.timeouts.idle);
            return refusals.broken(reason, Sent::Maybe);
        }
        refusals.broken(format!("{address} broke off: {}", root_cause(error)), Sent::Maybe)
    }
}

/// The innermost reason: the outer ones repeat the URL.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn headers(config: &Settings<'_>) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_TEXT));
    for (name, value) in config.fixed_headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(key) = config.key {
        let (name, value) = match config.key_header {
            KeyHeader::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose())),
            KeyHeader::ApiKey => (HeaderName::from_static("x-api-key"), key.expose().to_owned()),
        };
        let value = sensitive(&value, name.as_str())?;
        headers.insert(name, value);
    }
    for (name, value) in config.headers {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| ConfigError::HeaderName(name.clone()))?;
        if HEADERS_OF_THE_HOST.contains(&header.as_str()) {
            return Err(ConfigError::HeaderOfTheHost(name.clone()));
        }
        headers.insert(header, sensitive(value.expose(), name)?);
    }
    Ok(headers)
}

/// A value that no debug output shows.
fn sensitive(value: &str, name: &str) -> Result<HeaderValue, ConfigError> {
    let mut value =
        HeaderValue::from_str(value).map_err(|_| ConfigError::HeaderName(name.to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A content coding that nobody asked for and that nothing here decodes.
fn coding(headers: &HeaderMap) -> Option<String> {
    let coding = headers.get(CONTENT_ENCODING)?.to_str().unwrap_or("unknown").trim();
    let is_plain = coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    (!is_plain).then(|| coding.chars().take(CODING_MAX_CHARS).collect())
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("application/json"))
}

/// What arrives of a short body within limits; a broken one gives what came until then.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = ERROR_BODY_MAX_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == ERROR_BODY_MAX_BYTES {
                break;
            }
        }
    };
    // Too late is as good as cut: the status alone must do.
    let _ = tokio::time::timeout(ERROR_BODY_TIMEOUT, read).await;
    body
}
