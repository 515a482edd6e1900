//! Layer two: one resolution, every address checked.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

use crate::address::AddressClass;
use crate::host::Host;
use crate::policy::{Allowed, Reach};
use crate::refusal::{Reason, Refusal};

/// A resolver that has not answered after this long will not: the system's own gives up after
/// 10 s with its usual two tries of 5 s each.
const RESOLVE_LIMIT: Duration = Duration::from_secs(10);
/// Addresses that are kept once all were checked: large services answer with 4 to 8.
const ADDRESSES_MAX: usize = 16;

/// Where names become addresses. Tests inject answers here.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// All addresses of a canonical name, in order of preference. May be cancelled by dropping.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Why there is no address to connect to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error("the destination was refused")]
    Refused(#[source] Refusal),
    #[error("the name was not resolved within {RESOLVE_LIMIT:?}")]
    TimedOut,
    #[error("the name could not be resolved")]
    Failed(#[source] io::Error),
    #[error("the name has no address")]
    NoAddress,
}

/// Resolves once. One address of the wrong class refuses the whole name: a name that mixes public
/// and private answers is either an attack or a mistake, and picking the good ones would hide it.
pub(crate) async fn addresses(
    resolver: &dyn Resolve,
    allowed: &Allowed,
) -> Result<Vec<IpAddr>, LookupError> {
    let right = match allowed.reach() {
        Reach::Literal(address) => return Ok(vec![address]),
        Reach::Loopback => AddressClass::Loopback,
        Reach::Public => AddressClass::Public,
    };
    let Host::Name(name) = &allowed.host else { return Err(LookupError::NoAddress) };
    let answers = tokio::time::timeout(RESOLVE_LIMIT, resolver.resolve(name))
        .await
        .map_err(|_| LookupError::TimedOut)?
        .map_err(LookupError::Failed)?;
    let mut kept = Vec::new();
    for address in answers {
        let address = address.to_canonical();
        let class = AddressClass::of(address);
        if class != right {
            let reason = Reason::Address { address, class };
            return Err(LookupError::Refused(allowed.refuse(reason)));
        }
        if kept.len() < ADDRESSES_MAX && !kept.contains(&address) {
            kept.push(address);
        }
    }
    if kept.is_empty() { Err(LookupError::NoAddress) } else { Ok(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Scheme;

    struct Answers(&'static str);

    #[async_trait]
    impl Resolve for Answers {
        async fn resolve(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.split_whitespace().map(|a| a.parse().unwrap()).collect())
        }
    }

    #[tokio::test]
    async fn one_wrong_address_refuses_the_name() {
        for (name, answers, kept) in [
            (
                "example.com",
                "93.184.216.34 2606:2800:220::1",
                Some("93.184.216.34 2606:2800:220::1"),
            ),
            ("example.com", "::ffff:93.184.216.34 93.184.216.34", Some("93.184.216.34")),
            ("example.com", "93.184.216.34 10.0.0.1", None),
            ("example.com", "10.0.0.1 93.184.216.34", None),
            ("example.com", "93.184.216.34 ::1", None),
            ("example.com", "93.184.216.34 ::ffff:127.0.0.1", None),
            ("example.com", "169.254.169.254", None),
            ("example.com", "64:ff9b::169.254.169.254", None),
            ("localhost", "127.0.0.1 ::1", Some("127.0.0.1 ::1")),
            ("localhost", "127.0.0.1 93.184.216.34", None),
            ("localhost", "192.168.0.1", None),
            ("127.0.0.1", "8.8.8.8", Some("127.0.0.1")),
        ] {
            let host = Host::parse(name).unwrap();
            let allowed = Allowed { scheme: Scheme::Https, host, port: 443 };
            let found = addresses(&Answers(answers), &allowed).await;
            let found = match found {
                Ok(found) => {
                    Some(found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
                }
                Err(LookupError::Refused(_)) => None,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(found.as_deref(), kept, "{name} {answers}");
        }
    }

    #[tokio::test]
    async fn a_name_without_addresses_is_an_error() {
        let host = Host::parse("example.com").unwrap();
        let allowed = Allowed { scheme: Scheme::Https, host, port: 443 };
        let found = addresses(&Answers(""), &allowed).await;
        assert!(matches!(found, Err(LookupError::NoAddress)), "{found:?}");
    }
}
