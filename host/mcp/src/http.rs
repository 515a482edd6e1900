//! A server over streamable HTTP.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use reqwest::Url;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::error::StartError;
use crate::limits::MESSAGE_MAX_BYTES;
use crate::spec::Value;

/// The one name that is this machine whatever a resolver says (RFC 6761).
const LOCALHOST: &str = "localhost";

pub(crate) fn transport(
    url: &str,
    headers: &[(String, Value)],
    proxy: Option<&Value>,
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
    let client = client(&Url::parse(url).map_err(|_| StartError::Url)?, proxy)?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(url).custom_headers(headers);
    config.max_sse_event_size = MESSAGE_MAX_BYTES;
    config.max_json_response_size = MESSAGE_MAX_BYTES;
    // The page of whatever stands there is nobody's business.
    config.max_error_response_size = 0;
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

fn client(url: &Url, proxy: Option<&Value>) -> Result<reqwest::Client, StartError> {
    let here = is_here(url);
    if url.scheme() != "https" && !here {
        return Err(StartError::Plain);
    }
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .map_err(StartError::Tls)?;
    // Plain HTTP needs no certificates, and the machine may have none.
    let tls = if url.scheme() == "https" {
        tls.with_platform_verifier().map_err(StartError::Tls)?.with_no_client_auth()
    } else {
        tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
    };
    let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        // The headers hold a key that is meant for this host.
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(LOCALHOST, &loopback.map(|address| SocketAddr::new(address, 0)))
        .no_proxy();
    if let Some(proxy) = proxy.filter(|_| !here) {
        let proxy = reqwest::Proxy::all(proxy.expose()).map_err(|_| StartError::Proxy)?;
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(StartError::Client)
}

/// Whether it is this machine: nobody on the way can read or change anything.
fn is_here(url: &Url) -> bool {
    match url.host_str().map(|host| host.trim_matches(['[', ']'])) {
        Some(LOCALHOST) => true,
        Some(host) => host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn plain_http_is_for_this_machine() {
        for (url, taken) in [
            ("https://example.com/mcp", true),
            ("http://127.0.0.1:1/mcp", true),
            ("http://[::1]:1/mcp", true),
            ("http://localhost/mcp", true),
            ("http://LOCALHOST/mcp", true),
            ("http://localhost.example.com/mcp", false),
            ("http://0.0.0.0/mcp", false),
            ("http://192.168.1.2/mcp", false),
            ("http://10.0.0.1/mcp", false),
            ("http://[::ffff:10.0.0.1]/mcp", false),
            ("http://example.com/mcp", false),
            ("ftp://example.com/mcp", false),
        ] {
            let made = transport(url, &[], None);
            assert_eq!(made.is_ok(), taken, "{url}");
            if let Err(error) = made {
                assert!(matches!(error, StartError::Plain), "{url}: {error}");
            }
        }
        assert!(matches!(transport("nonsense", &[], None), Err(StartError::Url)));
    }

    #[tokio::test]
    async fn a_header_or_a_proxy_that_is_none_is_named_without_its_value() {
        let value = Value::new("very\nsecret");
        let error = transport("https://a", &[("x".into(), value.clone())], None).err().unwrap();
        assert!(matches!(&error, StartError::Header { name } if name == "x"), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"));
        let value = Value::new("secret in a proxy");
        let error = transport("https://a", &[], Some(&value)).err().unwrap();
        assert!(matches!(error, StartError::Proxy), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}
