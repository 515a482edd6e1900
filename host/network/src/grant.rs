//! One grant: `scheme://host[:port]`, as it stands in `network:` and after `--allow-net`.

use std::fmt;
use std::str::FromStr;

use crate::host::{Host, Scheme};

/// Permission to reach one host, or all subdomains of one, on one port with one scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    scheme: Scheme,
    pattern: Pattern,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Pattern {
    Host(Host),
    /// `*.name`: the names under it, at any depth, not the name itself.
    Below(String),
}

/// Why a grant could not be read; each text says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    #[error("`{text}` names no scheme; write `https://{text}`, or `tcp://` with a port")]
    NoScheme { text: String },
    #[error("`{scheme}` is not a scheme of a grant; write http, https, tcp or udp")]
    Scheme { scheme: String },
    /// The text itself is left out: what stands before an `@` may be a password.
    #[error("a grant holds a scheme, a host and a port and nothing else; write `{fix}`")]
    More { fix: String },
    #[error("`{text}` names no host; write `{scheme}://example.com`")]
    NoHost { text: String, scheme: Scheme },
    #[error("`{host}` is not a host name, `*.name` or an IP address")]
    Host { host: String },
    #[error("`{text}` would allow every host; name the hosts, or a domain like `*.example.com`")]
    Everything { text: String },
    #[error("`{port}` is not a port; write a number from 1 to 65535")]
    Port { port: String },
    #[error("`{text}` needs a port, since {scheme} has no default; write `{text}:5432`")]
    NoPort { text: String, scheme: Scheme },
    #[error("`{host}` is no destination; name the address that is meant, like `127.0.0.1`")]
    Unspecified { host: String },
}

impl Grant {
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The one host that is granted; `None` for a wildcard.
    pub fn host(&self) -> Option<&Host> {
        match &self.pattern {
            Pattern::Host(host) => Some(host),
            Pattern::Below(_) => None,
        }
    }

    /// Whether the grant covers this host, whatever the scheme and the port.
    pub fn covers(&self, host: &Host) -> bool {
        match (&self.pattern, host) {
            (Pattern::Host(granted), host) => granted == host,
            (Pattern::Below(domain), Host::Name(name)) => {
                name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            (Pattern::Below(_), Host::Address(_)) => false,
        }
    }

    pub(crate) fn allows(&self, scheme: Scheme, host: &Host, port: u16) -> bool {
        self.scheme == scheme && self.port == port && self.covers(host)
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let text = text.trim();
        let Some((scheme, authority)) = text.split_once("://") else {
            return Err(GrantError::NoScheme { text: text.to_owned() });
        };
        let Some(scheme) = Scheme::from_name(scheme) else {
            return Err(GrantError::Scheme { scheme: scheme.to_owned() });
        };
        if let Some(at) = authority.find(['/', '?', '#']) {
            let fix = format!("{scheme}://{}", &authority[..at]);
            return Err(GrantError::More { fix });
        }
        if let Some((_, rest)) = authority.rsplit_once('@') {
            return Err(GrantError::More { fix: format!("{scheme}://{rest}") });
        }
        let (host, port) = split_port(authority);
        if host.is_empty() {
            return Err(GrantError::NoHost { text: text.to_owned(), scheme });
        }
        let pattern = pattern(host, text)?;
        let port = match port {
            Some(port) => number(port)?,
            None => scheme
                .default_port()
                .ok_or_else(|| GrantError::NoPort { text: text.to_owned(), scheme })?,
        };
        Ok(Self { scheme, pattern, port })
    }
}

/// Cuts `:port` off, leaving the colons of a bracketed IPv6 address alone.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn pattern(host: &str, text: &str) -> Result<Pattern, GrantError> {
    let bad = || GrantError::Host { host: host.to_owned() };
    if matches!(host, "*" | "*.") {
        return Err(GrantError::Everything { text: text.to_owned() });
    }
    if let Some(domain) = host.strip_prefix("*.") {
        return match Host::parse(domain) {
            Ok(Host::Name(name)) => Ok(Pattern::Below(name)),
            _ => Err(bad()),
        };
    }
    // `[::1]` and only that: `::1:80` could mean two things.
    if host.contains(':') && !host.starts_with('[') {
        return Err(bad());
    }
    match Host::parse(host).map_err(|_| bad())? {
        Host::Address(address) if address.is_unspecified() => {
            Err(GrantError::Unspecified { host: host.to_owned() })
        }
        host => Ok(Pattern::Host(host)),
    }
}

fn number(port: &str) -> Result<u16, GrantError> {
    let error = || GrantError::Port { port: port.to_owned() };
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(error());
    }
    port.parse().ok().filter(|port| *port != 0).ok_or_else(error)
}

/// `scheme://host[:port]`, the port left out when it is the scheme's own.
pub(crate) fn written(scheme: Scheme, host: &str, port: u16) -> String {
    if scheme.default_port() == Some(port) {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{port}")
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match &self.pattern {
            Pattern::Host(host) => host.to_string(),
            Pattern::Below(domain) => format!("*.{domain}"),
        };
        f.write_str(&written(self.scheme, &host, self.port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_and_written() {
        for (text, shown) in [
            ("https://example.com", "https://example.com"),
            (" HTTPS://Example.com:443 ", "https://example.com"),
            ("http://example.com:8080", "http://example.com:8080"),
            ("http://example.com:80", "http://example.com"),
            ("https://*.Example.com", "https://*.example.com"),
            ("tcp://db.example.com:5432", "tcp://db.example.com:5432"),
            ("udp://1.1.1.1:53", "udp://1.1.1.1:53"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
            ("http://[::ffff:127.0.0.1]:8080", "http://127.0.0.1:8080"),
            ("http://localhost:3000", "http://localhost:3000"),
        ] {
            let grant: Grant = text.parse().unwrap();
            assert_eq!(grant.to_string(), shown, "{text}");
            assert_eq!(shown.parse(), Ok(grant), "{text}");
        }
    }

    #[test]
    fn errors_name_the_fix() {
        for (text, error) in [
            ("example.com", "write `https://example.com`"),
            ("", "names no scheme"),
            ("ftp://example.com", "write http, https, tcp or udp"),
            ("https://example.com/", "write `https://example.com`"),
            ("https://example.com/api?x", "write `https://example.com`"),
            ("https://me:secret@example.com:8443", "write `https://example.com:8443`"),
            ("https://", "write `https://example.com`"),
            ("https://:443", "names no host"),
            ("https://*", "`*.example.com`"),
            ("https://*.", "`*.example.com`"),
            ("https://a.*.com", "`a.*.com` is not a host name"),
            ("https://*.1.2.3.4", "`*.1.2.3.4` is not a host name"),
            ("https://::1", "is not a host name"),
            ("https://exa mple.com", "`exa mple.com` is not a host name"),
            ("https://example.com:", "from 1 to 65535"),
            ("https://example.com:0", "from 1 to 65535"),
            ("https://example.com:+80", "from 1 to 65535"),
            ("https://example.com:65536", "from 1 to 65535"),
            ("tcp://db.example.com", "write `tcp://db.example.com:5432`"),
            ("udp://[::1]", "write `udp://[::1]:5432`"),
            ("http://0.0.0.0:80", "no destination"),
            ("http://[::]:80", "no destination"),
        ] {
            let found = text.parse::<Grant>().unwrap_err().to_string();
            assert!(found.contains(error), "{text}: {found}");
        }
    }

    #[test]
    fn a_password_in_a_grant_is_not_repeated() {
        let error = "https://me:secret@example.com".parse::<Grant>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_wildcard_covers_subdomains_only() {
        let grant: Grant = "https://*.example.com".parse().unwrap();
        for (host, covered) in [
            ("a.example.com", true),
            ("a.b.example.com", true),
            ("A.Example.Com.", true),
            ("example.com", false),
            ("badexample.com", false),
            ("a.example.com.evil.net", false),
            ("1.2.3.4", false),
        ] {
            assert_eq!(grant.covers(&Host::parse(host).unwrap()), covered, "{host}");
        }
    }
}
