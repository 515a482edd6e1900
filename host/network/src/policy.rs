//! Layer one: the list of grants.

use std::net::IpAddr;

use crate::grant::Grant;
use crate::host::{Host, Scheme};
use crate::refusal::{Reason, Refusal};

/// The name that may resolve to loopback addresses, and to nothing else (RFC 6761, section 6.3).
const LOCALHOST: &str = "localhost";

/// What one agent may reach. The default denies everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub grants: Vec<Grant>,
}

/// A destination that layer one let through; layer two says which of its addresses may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
}

/// Which addresses a granted host may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The address was written in the grant: its class does not matter.
    Literal(IpAddr),
    /// `localhost`: loopback only.
    Loopback,
    /// A name: public addresses only.
    Public,
}

impl Policy {
    pub fn deny_all() -> Self {
        Self::default()
    }

    /// Whether any grant has this scheme.
    pub fn grants_any(&self, scheme: Scheme) -> bool {
        self.grants.iter().any(|grant| grant.scheme() == scheme)
    }

    /// Asks layer one. The host is compared in its canonical form.
    pub fn check(&self, scheme: Scheme, host: &Host, port: u16) -> Result<Allowed, Refusal> {
        if self.grants.iter().any(|grant| grant.allows(scheme, host, port)) {
            Ok(Allowed { scheme, host: host.clone(), port })
        } else {
            Err(Refusal {
                scheme,
                host: host.clone(),
                port: Some(port),
                reason: Reason::NotGranted,
            })
        }
    }
}

impl Allowed {
    pub(crate) fn reach(&self) -> Reach {
        match &self.host {
            Host::Address(address) => Reach::Literal(*address),
            Host::Name(name) if name == LOCALHOST => Reach::Loopback,
            Host::Name(_) => Reach::Public,
        }
    }

    /// A refusal of this destination by layer two.
    pub(crate) fn refuse(&self, reason: Reason) -> Refusal {
        Refusal { scheme: self.scheme, host: self.host.clone(), port: Some(self.port), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(grants: &[&str]) -> Policy {
        Policy { grants: grants.iter().map(|g| g.parse().unwrap()).collect() }
    }

    #[test]
    fn only_what_is_granted_passes() {
        let policy =
            policy(&["https://example.com", "http://*.local.test:8080", "tcp://1.2.3.4:5"]);
        for (scheme, host, port, passes) in [
            (Scheme::Https, "example.com", 443, true),
            (Scheme::Https, "EXAMPLE.com.", 443, true),
            (Scheme::Https, "example.com", 8443, false),
            (Scheme::Http, "example.com", 443, false),
            (Scheme::Tcp, "example.com", 443, false),
            (Scheme::Https, "www.example.com", 443, false),
            (Scheme::Http, "a.local.test", 8080, true),
            (Scheme::Tcp, "1.2.3.4", 5, true),
            (Scheme::Udp, "1.2.3.4", 5, false),
            (Scheme::Tcp, "1.2.3.5", 5, false),
        ] {
            let host = Host::parse(host).unwrap();
            let found = policy.check(scheme, &host, port);
            assert_eq!(found.is_ok(), passes, "{scheme} {host} {port}");
            assert!(Policy::deny_all().check(scheme, &host, port).is_err());
        }
    }

    #[test]
    fn a_refusal_names_the_grant_that_would_help() {
        for (scheme, host, port, grant) in [
            (Scheme::Https, "example.com", 443, "https://example.com"),
            (Scheme::Http, "example.com", 8080, "http://example.com:8080"),
            (Scheme::Tcp, "::1", 22, "tcp://[::1]:22"),
        ] {
            let host = Host::parse(host).unwrap();
            let refusal = Policy::deny_all().check(scheme, &host, port).unwrap_err();
            let text = refusal.to_string();
            assert!(text.contains(&format!("`network: [\"{grant}\"]`")), "{text}");
            assert!(text.contains(&format!("`--allow-net {grant}`")), "{text}");
            let policy = policy(&[&refusal.grant()]);
            assert!(policy.check(scheme, &host, port).is_ok(), "the hint works: {text}");
        }
    }
}
