//! A server over streamable HTTP.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::error::StartError;
use crate::limits::MESSAGE_MAX_BYTES;
use crate::spec::Value;

const HTTPS: &str = "https://";

pub(crate) fn transport(
    url: &str,
    headers: &[(String, Value)],
) -> Result<StreamableHttpClientTransport<reqwest::Client>, StartError> {
    let headers = headers
        .iter()
        .map(|(name, value)| {
            let error = || StartError::Header { name: name.clone() };
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| error())?;
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| error())?;
            value.set_sensitive(true);
            Ok((key, value))
        })
        .collect::<Result<HashMap<_, _>, StartError>>()?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(url).custom_headers(headers);
    config.max_sse_event_size = MESSAGE_MAX_BYTES;
    config.max_json_response_size = MESSAGE_MAX_BYTES;
    Ok(StreamableHttpClientTransport::with_client(client(url)?, config))
}

fn client(url: &str) -> Result<reqwest::Client, StartError> {
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .map_err(StartError::Tls)?;
    // Plain HTTP needs no certificates, and the machine may have none.
    let tls = if url.starts_with(HTTPS) {
        tls.with_platform_verifier().map_err(StartError::Tls)?.with_no_client_auth()
    } else {
        tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        // The headers hold a key that is meant for this host.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(StartError::Client)
}
