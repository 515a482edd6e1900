//! Where a download may lead: HTTPS, wherever redirects go. Plain HTTP exists for a mirror on this
//! very machine that the user configured, and for nothing else.

use std::net::IpAddr;

use url::{Host, Url};

/// What a mirror stands for: the hub of the catalogue.
const HUB: &str = "https://huggingface.co";

/// Why an address is not asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    #[error("`{text}` is not a URL: {reason}")]
    Url { text: String, reason: String },
    #[error("{address} is not HTTPS")]
    Scheme { address: String },
    #[error("a URL with a user name or a password is not taken: it would end up in records")]
    Credentials,
    #[error("the mirror `{text}` must be an https URL, or plain http to this machine's loopback")]
    Mirror { text: String },
}

/// A server that has the hub's files under the same paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror(Url);

impl Mirror {
    /// `https://…`, or `http://` with a loopback address.
    pub fn new(text: &str) -> Result<Self, RouteError> {
        let wrong = || RouteError::Mirror { text: text.to_owned() };
        let url = Url::parse(text.trim_end_matches('/')).map_err(|_| wrong())?;
        let plain = url.scheme() == "http" && is_loopback(&url);
        if !(url.scheme() == "https" || plain) || has_credentials(&url) || url.query().is_some() {
            return Err(wrong());
        }
        Ok(Self(url))
    }
}

/// The addresses that one download may go to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Route {
    mirror: Option<Mirror>,
}

impl Route {
    pub fn new(mirror: Option<Mirror>) -> Self {
        Self { mirror }
    }

    /// Where the bytes of `url` are asked for first: at the mirror when it is one of the hub's.
    pub fn start(&self, url: &Url) -> Result<Url, RouteError> {
        let mirrored = match &self.mirror {
            Some(Mirror(mirror)) => url.as_str().strip_prefix(HUB).and_then(|path| {
                let base = mirror.as_str().trim_end_matches('/');
                path.starts_with('/').then(|| Url::parse(&format!("{base}{path}")).ok())?
            }),
            None => None,
        };
        self.check(mirrored.unwrap_or_else(|| url.clone()))
    }

    /// The address that a redirect from `from` leads to.
    pub fn redirect(&self, from: &Url, location: &str) -> Result<Url, RouteError> {
        let to = from
            .join(location)
            .map_err(|e| RouteError::Url { text: location.to_owned(), reason: e.to_string() })?;
        self.check(to)
    }

    fn check(&self, url: Url) -> Result<Url, RouteError> {
        if has_credentials(&url) {
            return Err(RouteError::Credentials);
        }
        let plain_allowed = self.mirror.as_ref().is_some_and(|m| m.0.scheme() == "http");
        match url.scheme() {
            "https" => Ok(url),
            "http" if plain_allowed && is_loopback(&url) => Ok(url),
            _ => Err(RouteError::Scheme { address: shown(&url) }),
        }
    }
}

/// An address for messages: without a query, which may hold a signature.
pub(crate) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // Both fail only where there is nothing to take away.
    let _ = (shown.set_username(""), shown.set_password(None));
    shown.to_string()
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// By address only: a name is what a resolver says it is.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn mirrored(mirror: &str) -> Route {
        Route::new(Some(Mirror::new(mirror).unwrap()))
    }

    #[test]
    fn only_https_is_asked() {
        let route = Route::default();
        assert!(route.start(&url("https://example.com/x.gguf")).is_ok());
        for bad in ["http://example.com/x", "http://127.0.0.1/x", "file:///x", "ftp://a/x"] {
            assert!(matches!(route.start(&url(bad)), Err(RouteError::Scheme { .. })), "{bad}");
        }
        let from = url("https://example.com/a/b");
        assert_eq!(route.redirect(&from, "/c?s=1").unwrap().as_str(), "https://example.com/c?s=1");
        assert!(route.redirect(&from, "//cdn.example.com/c").is_ok());
        for bad in ["http://example.com/c", "http://127.0.0.1/c", "data:text/plain,x"] {
            assert!(route.redirect(&from, bad).is_err(), "{bad}");
        }
        let secret = url("https://me:key@example.com/x.gguf");
        assert_eq!(route.start(&secret), Err(RouteError::Credentials));
    }

    #[test]
    fn a_mirror_stands_for_the_hub_only() {
        let route = mirrored("https://mirror.example.com/hf/");
        let from_hub = route.start(&url("https://huggingface.co/a/resolve/main/x.gguf")).unwrap();
        assert_eq!(from_hub.as_str(), "https://mirror.example.com/hf/a/resolve/main/x.gguf");
        let other = route.start(&url("https://huggingface.co.example.com/x.gguf")).unwrap();
        assert_eq!(other.host_str(), Some("huggingface.co.example.com"));
        assert!(route.start(&url("http://127.0.0.1/x")).is_err(), "an https mirror opens no http");
    }

    #[test]
    fn plain_http_is_for_a_mirror_on_this_machine() {
        let route = mirrored("http://127.0.0.1:8000");
        let start = route.start(&url("https://huggingface.co/x.gguf")).unwrap();
        assert_eq!(start.as_str(), "http://127.0.0.1:8000/x.gguf");
        assert!(route.redirect(&start, "http://[::1]:9/y").is_ok());
        assert!(route.redirect(&start, "http://10.0.0.1/y").is_err());
        for bad in ["http://mirror.example.com", "http://localhost:1", "ftp://127.0.0.1", "x"] {
            assert!(Mirror::new(bad).is_err(), "{bad}");
        }
        assert!(Mirror::new("https://me:key@example.com").is_err());
    }

    #[test]
    fn a_signature_is_not_shown() {
        let shown = shown(&url("https://me:key@cdn.example.com/x?X-Signature=secret#y"));
        assert_eq!(shown, "https://cdn.example.com/x");
    }
}
