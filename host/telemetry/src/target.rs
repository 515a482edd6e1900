//! Where spans go, as OpenTelemetry's exporter specification has it.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// What is appended to the endpoint of all signals.
const TRACES: [&str; 2] = ["v1", "traces"];

/// A collector. Its headers may hold keys: they are never shown.
pub struct Target {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) service: String,
}

#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("the collector's address is no http or https URL without user and password")]
    Url,
    #[error("header {number} is not `name=value`")]
    Header { number: usize },
    #[error("the connection cannot be set up: {reason}")]
    Client { reason: String },
}

impl Target {
    /// `endpoint` is the base for all signals (`http://localhost:4318`); `headers` are pairs
    /// `name=value` with commas between, values percent-encoded.
    pub fn new(endpoint: &str, headers: &str, service: &str) -> Result<Self, TargetError> {
        let mut url = Url::parse(endpoint).map_err(|_| TargetError::Url)?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !plain {
            return Err(TargetError::Url);
        }
        url.path_segments_mut().map_err(|()| TargetError::Url)?.pop_if_empty().extend(TRACES);
        Ok(Self { url, headers: parse(headers)?, service: service.to_owned() })
    }

    /// For messages: no path, no query, no header.
    pub fn host(&self) -> String {
        match (self.url.host_str(), self.url.port_or_known_default()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            _ => String::new(),
        }
    }
}

fn parse(headers: &str) -> Result<HeaderMap, TargetError> {
    let mut map = HeaderMap::new();
    let pairs = headers.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    for (number, pair) in (1..).zip(pairs) {
        let bad = || TargetError::Header { number };
        let (name, value) = pair.split_once('=').ok_or_else(bad)?;
        let name: HeaderName = name.trim().parse().map_err(|_| bad())?;
        let value = decoded(value.trim()).ok_or_else(bad)?;
        let mut value = HeaderValue::from_bytes(&value).map_err(|_| bad())?;
        value.set_sensitive(true);
        map.append(name, value);
    }
    Ok(map)
}

/// Percent-encoding undone (RFC 3986).
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        out.push(u8::try_from(value).ok()?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test reports by panicking")]
    use super::*;

    #[test]
    fn the_path_of_traces_is_appended() {
        for (endpoint, url) in [
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
            ("https://c.example/otlp", "https://c.example/otlp/v1/traces"),
        ] {
            assert_eq!(Target::new(endpoint, "", "s").unwrap().url.as_str(), url);
        }
        for bad in ["", "localhost:4318", "grpc://x:1", "http://u:p@x", "file:///x"] {
            assert!(matches!(Target::new(bad, "", "s"), Err(TargetError::Url)), "{bad}");
        }
    }

    #[test]
    fn headers_are_pairs() {
        let target = Target::new("http://x", "a=1, authorization=Basic%20eA==,", "s").unwrap();
        assert_eq!(target.headers["a"], "1");
        assert_eq!(target.headers["authorization"], "Basic eA==");
        assert!(!format!("{:?}", target.headers).contains("Basic"));
        for (bad, at) in [("a", 1), ("a=1,b", 2), ("a b=1", 1), ("a=%4", 1), ("a=%zz", 1)] {
            let error = Target::new("http://x", bad, "s").err();
            assert!(matches!(error, Some(TargetError::Header { number }) if number == at), "{bad}");
        }
    }
}
