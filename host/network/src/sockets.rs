//! `wasi:sockets` under the same policy: outgoing only, to granted addresses and ports.
//!
//! A guest looks a name up first and connects to an address afterwards. The lookup (see
//! `wasi_names`) checks the addresses and pins them to the name; the connection is allowed when
//! its address is pinned to a name that is granted with its port.

use std::collections::VecDeque;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::runtime::spawn;
use wasmtime_wasi::sockets::SocketAddrUse;

use crate::egress::Egress;
use crate::host::{Host, Scheme};
use crate::policy::Allowed;
use crate::refusal::{Reason, Refusal};
use crate::resolve::LookupError;

/// Pairs of a name and an address that are remembered: a few hundred names with a few addresses
/// each. The oldest is forgotten; looking it up again brings it back.
const PINS_MAX: usize = 1_024;

/// Addresses that were checked for a name and may be connected to.
#[derive(Debug, Default)]
pub(crate) struct Pins(Mutex<VecDeque<(String, IpAddr)>>);

impl Pins {
    fn add(&self, name: &str, addresses: &[IpAddr]) {
        let mut pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            if pins.iter().any(|(pinned, at)| pinned == name && at == address) {
                continue;
            }
            if pins.len() >= PINS_MAX {
                pins.pop_front();
            }
            pins.push_back((name.to_owned(), *address));
        }
    }

    fn names(&self, address: IpAddr) -> Vec<String> {
        let pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pins.iter().filter(|(_, at)| *at == address).map(|(name, _)| name.clone()).collect()
    }

    fn knows(&self, name: &str) -> bool {
        let pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pins.iter().any(|(pinned, _)| pinned == name)
    }
}

/// Configures raw sockets. Without `tcp` or `udp` grants none can be made. With some, only
/// connections to granted destinations pass; binding a port and listening never do.
///
/// The name lookup of wasmtime-wasi stays off in any case, because it asks for any name (a way to
/// send data out) and hands out addresses that nobody checked: link [`crate::add_to_linker`]
/// instead.
pub fn configure(builder: &mut WasiCtxBuilder, egress: &Egress) {
    builder
        .allow_tcp(egress.policy.grants_any(Scheme::Tcp))
        .allow_udp(egress.policy.grants_any(Scheme::Udp))
        .allow_ip_name_lookup(false);
    let egress = egress.clone();
    builder.socket_addr_check(move |address, used| check(&egress, address, used));
}

type Answer = Pin<Box<dyn Future<Output = bool> + Send + Sync>>;

fn check(egress: &Egress, address: SocketAddr, used: SocketAddrUse) -> Answer {
    let ip = address.ip().to_canonical();
    let egress = egress.clone();
    match used {
        // The system's implicit bind to any free port, which comes before every connection. A
        // guest may ask for it explicitly; without listening it is of no use.
        SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => {
            let any = ip.is_unspecified() && address.port() == 0;
            Box::pin(async move { any })
        }
        SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => Box::pin(async { false }),
        // Whoever sends to us first is not resolved for, nor reported.
        SocketAddrUse::UdpReceive => {
            let known = egress.is_known(Scheme::Udp, ip, address.port());
            Box::pin(async move { known })
        }
        SocketAddrUse::TcpConnect => egress.answer(Scheme::Tcp, ip, address.port()),
        SocketAddrUse::UdpSend => egress.answer(Scheme::Udp, ip, address.port()),
    }
}

impl Egress {
    fn answer(self, scheme: Scheme, ip: IpAddr, port: u16) -> Answer {
        if self.is_known(scheme, ip, port) && !self.asks() {
            return Box::pin(async { true });
        }
        // A task, because its handle is `Sync` and the future of a resolver is not.
        Box::pin(spawn(async move {
            (self.is_known(scheme, ip, port) || self.reaches(scheme, ip, port).await)
                && self.approves(scheme, ip, port).await
        }))
    }

    /// Rules on hosts, for every granted name that the address stands for: which one the guest
    /// means cannot be told from its connection.
    async fn approves(&self, scheme: Scheme, ip: IpAddr, port: u16) -> bool {
        for host in self.granted(scheme, ip, port) {
            if self.approve(&host, port).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Whether the address itself is granted, or is pinned to a granted name.
    fn is_known(&self, scheme: Scheme, ip: IpAddr, port: u16) -> bool {
        !self.granted(scheme, ip, port).is_empty()
    }

    /// The granted destinations that an address stands for: itself, and the names it is pinned to.
    fn granted(&self, scheme: Scheme, ip: IpAddr, port: u16) -> Vec<Host> {
        let names = self.pins.names(ip).into_iter().map(Host::Name);
        std::iter::once(Host::Address(ip))
            .chain(names)
            .filter(|host| self.policy.check(scheme, host, port).is_ok())
            .collect()
    }

    /// Whether it is after resolving the granted names that were not looked up yet: a guest may
    /// have an address from an earlier session. A refusal is reported.
    async fn reaches(&self, scheme: Scheme, ip: IpAddr, port: u16) -> bool {
        for grant in &self.policy.grants {
            let Some(host @ Host::Name(name)) = grant.host() else { continue };
            if !grant.allows(scheme, host, port) || self.pins.knows(name) {
                continue;
            }
            let allowed = Allowed { scheme, host: host.clone(), port };
            let Ok(found) = self.addresses(&allowed).await else { continue };
            self.pins.add(name, &found);
            if found.contains(&ip) {
                return true;
            }
        }
        let name = self.pins.names(ip).into_iter().next().map(Host::Name);
        let host = name.unwrap_or(Host::Address(ip));
        self.refused(Refusal { scheme, host, port: Some(port), reason: Reason::NotGranted });
        false
    }

    /// A guest's name lookup: only names that a `tcp` or `udp` grant covers are asked for. An
    /// address is its own answer; whether it may be reached is decided when it is connected to.
    pub(crate) async fn look_up(&self, host: Host) -> Result<Vec<IpAddr>, LookupError> {
        let name = match &host {
            Host::Address(address) => return Ok(vec![*address]),
            Host::Name(name) => name.clone(),
        };
        let raw = |scheme| matches!(scheme, Scheme::Tcp | Scheme::Udp);
        let mut grants = self.policy.grants.iter();
        let Some(grant) = grants.find(|grant| raw(grant.scheme()) && grant.covers(&host)) else {
            let reason = Reason::NotGranted;
            return Err(self.refused(Refusal { scheme: Scheme::Tcp, host, port: None, reason }));
        };
        let allowed = Allowed { scheme: grant.scheme(), host, port: grant.port() };
        let found = self.addresses(&allowed).await?;
        self.pins.add(&name, &found);
        Ok(found)
    }
}
