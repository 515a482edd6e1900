//! How registries are asked.

use std::collections::BTreeSet;
use std::time::Duration;

use url::{Host, Url};

/// Waiting is not a download: a registry that sends nothing for so long has stalled.
const STALL: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
/// Tries in a row without another byte.
const ATTEMPTS: u32 = 4;
/// Between tries; doubled each time.
const PAUSE: Duration = Duration::from_millis(500);
/// A registry that wants more patience than this is reported instead.
const PAUSE_MAX: Duration = Duration::from_secs(20);

#[derive(Debug, Clone)]
pub struct Options {
    /// No bytes for so long: the connection is given up and tried again.
    pub stall: Duration,
    pub connect: Duration,
    /// Tries in a row without another byte, the first included.
    pub attempts: u32,
    /// Between tries, unless the registry says how long; doubled each time.
    pub pause: Duration,
    /// The longest pause that a registry may ask for.
    pub pause_max: Duration,
    /// For all requests, like `http://proxy:3128`.
    pub proxy: Option<String>,
    /// Registries that are asked over plain HTTP although they are on another machine.
    pub insecure: BTreeSet<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            stall: STALL,
            connect: CONNECT,
            attempts: ATTEMPTS,
            pause: PAUSE,
            pause_max: PAUSE_MAX,
            proxy: None,
            insecure: BTreeSet::new(),
        }
    }
}

impl Options {
    /// Whether a registry is asked over plain HTTP.
    pub(crate) fn is_plain(&self, registry: &str) -> bool {
        let loopback =
            Url::parse(&format!("http://{registry}/")).is_ok_and(|url| is_loopback(&url));
        loopback || self.insecure.contains(registry)
    }
}

/// Whether a URL stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_and_what_is_named() {
        let options =
            Options { insecure: ["10.0.0.1:5000".to_owned()].into(), ..Options::default() };
        for (registry, expected) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("[::1]:5000", true),
            ("10.0.0.1:5000", true),
            ("10.0.0.1:5001", false),
            ("localhost.example.com", false),
            ("ghcr.io", false),
        ] {
            assert_eq!(options.is_plain(registry), expected, "{registry}");
        }
    }
}
