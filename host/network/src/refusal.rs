//! What a guest was refused, and the line that would allow it.

use std::fmt;
use std::net::IpAddr;

use crate::address::AddressClass;
use crate::grant::written;
use crate::host::{Host, Scheme};

/// A destination that was refused. Displayed, it is one sentence with the fix in it; the session
/// shows it to the user. The guest only sees an error code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    pub scheme: Scheme,
    pub host: Host,
    /// `None` for a name lookup: the guest had not said yet what it wants to connect to.
    pub port: Option<u16>,
    pub reason: Reason,
}

/// Which of the two layers refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No grant covers it.
    NotGranted,
    /// The name is granted, but one of its addresses is not a public one.
    Address { address: IpAddr, class: AddressClass },
}

impl Refusal {
    /// The grant that would allow it, as it would be written.
    pub fn grant(&self) -> String {
        match self.reason {
            Reason::NotGranted => self.target(),
            Reason::Address { address, .. } => self.at(&Host::Address(address)),
        }
    }

    fn target(&self) -> String {
        self.at(&self.host)
    }

    fn at(&self, host: &Host) -> String {
        match self.port {
            Some(port) => written(self.scheme, &host.to_string(), port),
            None => format!("{}://{host}:PORT", self.scheme),
        }
    }

    /// What to write where.
    pub fn hint(&self) -> String {
        let grant = self.grant();
        let lead = match self.reason {
            Reason::NotGranted => "to allow it,",
            Reason::Address { .. } => "to allow that address, reach it by its number and",
        };
        format!(
            "{lead} add `network: [\"{grant}\"]` to the agent in xpressclaw.yaml or pass \
             `--allow-net {grant}`"
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.target();
        match self.reason {
            Reason::NotGranted => write!(f, "{target} is not allowed")?,
            Reason::Address { address, class } => {
                write!(f, "{target} is not allowed: it resolves to {address}, {class}")?;
            }
        }
        write!(f, "; {}", self.hint())
    }
}

impl std::error::Error for Refusal {}
