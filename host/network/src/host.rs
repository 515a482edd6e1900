//! Schemes and hosts in their canonical form, so that two spellings of one destination compare
//! equal before any rule looks at them.

use std::fmt;
use std::net::IpAddr;

/// What a grant speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    Http,
    Https,
    /// `wasi:sockets` streams.
    Tcp,
    /// `wasi:sockets` datagrams.
    Udp,
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// The reverse of `as_str`; any letter case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Https, Self::Tcp, Self::Udp]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(name))
    }

    /// The port when none is written; raw sockets have none.
    pub fn default_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::Tcp | Self::Udp => None,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A destination host: a name in lower-case ASCII without a final dot, or an address with an
/// IPv4-mapped IPv6 address written as the IPv4 address that it means.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    Name(String),
    Address(IpAddr),
}

/// A text that is neither a host name nor an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host name or an IP address")]
pub struct HostError(pub String);

impl Host {
    /// Reads a host as a URL holds it: `example.com`, `127.0.0.1`, `[::1]`. An IPv6 address may
    /// stand without brackets. Odd spellings of IPv4 (`127.1`, `0x7f000001`, `2130706433`) are
    /// addresses, because resolvers take them for such.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        let error = || HostError(text.to_owned());
        match url::Host::parse(text).map_err(|_| error())? {
            url::Host::Ipv4(address) => Ok(Self::Address(address.into())),
            url::Host::Ipv6(address) => Ok(Self::Address(IpAddr::V6(address).to_canonical())),
            url::Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                if is_name(name) { Ok(Self::Name(name.to_owned())) } else { Err(error()) }
            }
        }
    }
}

/// The host names that resolvers take: labels of 1 to 63 letters, digits, `-` and `_`, 253 bytes
/// together (RFC 1035, with the underscore that service names use).
fn is_name(name: &str) -> bool {
    const NAME_MAX_BYTES: usize = 253;
    const LABEL_MAX_BYTES: usize = 63;
    name.len() <= NAME_MAX_BYTES
        && name.split('.').all(|label| {
            (1..=LABEL_MAX_BYTES).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

impl fmt::Display for Host {
    /// As in a URL: IPv6 in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_host_are_one_host() {
        for (text, shown) in [
            ("Example.COM", "example.com"),
            ("example.com.", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0177.0.0.1", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("::1", "[::1]"),
            ("[::ffff:127.0.0.1]", "127.0.0.1"),
            ("[0:0:0:0:0:ffff:7f00:1]", "127.0.0.1"),
            ("_dns.example.com", "_dns.example.com"),
        ] {
            assert_eq!(Host::parse(text).map(|h| h.to_string()).as_deref(), Ok(shown), "{text}");
        }
        let long = ["x".repeat(63).as_str(); 4].join(".");
        for bad in ["", ".", "a..b", "a b", "a/b", "a@b", "[::1", "1.2.3.4.5", "a\0b", "*", &long] {
            assert_eq!(Host::parse(bad), Err(HostError(bad.to_owned())), "{bad}");
        }
    }
}
