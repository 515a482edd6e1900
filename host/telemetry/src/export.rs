//! The exporter: one request for each batch, from the processor's own thread.

use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, redirect, retry};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::runtime::Runtime;

use crate::encode::encode;
use crate::target::{Target, TargetError};

/// A collector beside us answers in milliseconds, one across the world in a second.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) struct Exporter {
    url: url::Url,
    host: String,
    client: Client,
    /// The processor's thread has none.
    runtime: Runtime,
    resource: Resource,
    /// The first reason for which spans were lost.
    failure: Arc<OnceLock<String>>,
}

impl Exporter {
    pub fn new(target: &Target, failure: Arc<OnceLock<String>>) -> Result<Self, TargetError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| TargetError::Client { reason: error.to_string() })?;
        Ok(Self {
            url: target.url.clone(),
            host: target.host(),
            client: client(target).map_err(|reason| TargetError::Client { reason })?,
            runtime,
            resource: Resource::builder_empty().build(),
            failure,
        })
    }

    fn send(&self, batch: &[SpanData]) -> OTelSdkResult {
        let body = encode(&self.resource, batch).to_string();
        let request =
            self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        // Sending looks for the runtime when it is made, so it is made inside.
        let reason = match self.runtime.block_on(async { request.send().await }) {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => format!("{} answered {}", self.host, answer.status()),
            Err(error) if error.is_timeout() => format!("{} does not answer", self.host),
            Err(_) => format!("no connection to {}", self.host),
        };
        // One reason is told; the others are the same, as a rule.
        let _ = self.failure.set(reason.clone());
        Err(OTelSdkError::InternalFailure(reason))
    }
}

impl SpanExporter for Exporter {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        ready(self.send(&batch))
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.clone();
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("host", &self.host).finish_non_exhaustive()
    }
}

/// The same HTTP stack as the providers', set up for one address.
fn client(target: &Target) -> Result<Client, String> {
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    // Plain HTTP needs no certificates, and the machine may have none.
    let tls = if target.url.scheme() == "https" {
        tls.with_platform_verifier().map_err(|error| error.to_string())?.with_no_client_auth()
    } else {
        tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
    };
    Client::builder()
        .tls_backend_preconfigured(tls)
        .default_headers(target.headers.clone())
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .timeout(REQUEST_TIMEOUT)
        .build()
        .map_err(|error| error.to_string())
}
