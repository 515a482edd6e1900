//! The one object that a session hands to `wasi:http` and `wasi:sockets`.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use approvals::{Action, Approvals, Denial};
use rustls::ClientConfig;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::host::{Host, Scheme};
use crate::policy::{Allowed, Policy};
use crate::refusal::Refusal;
use crate::resolve::{LookupError, Resolve, SystemResolver, addresses};
use crate::sockets::Pins;
use crate::tls::Tls;

/// Open HTTP connections of one session: package managers open up to about 50 at once, and a
/// process may hold 1,024 files by default on Linux, so a dozen busy sessions still fit.
pub const CONNECTIONS_MAX: usize = 64;
/// Distinct refusals that are reported: after so many the user has seen the point, and a guest
/// that scans must not fill the log.
const REFUSALS_REPORTED_MAX: usize = 256;

/// Called once for each distinct refusal, from any thread; it must not block.
pub type OnRefusal = Arc<dyn Fn(Refusal) + Send + Sync>;

/// The egress of one session. Clones share everything: the limit, the addresses that were handed
/// out, what was reported.
#[derive(Clone)]
pub struct Egress {
    pub(crate) policy: Arc<Policy>,
    pub(crate) pins: Arc<Pins>,
    pub(crate) tls: Tls,
    resolver: Arc<dyn Resolve>,
    on_refusal: OnRefusal,
    reported: Arc<Mutex<HashSet<Refusal>>>,
    connections: Arc<Semaphore>,
    approvals: Option<Approvals>,
}

impl Egress {
    /// Refusals are only logged until [`Egress::with_refusals`] names somebody to tell.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy: Arc::new(policy),
            pins: Arc::default(),
            tls: Tls::default(),
            resolver: Arc::new(SystemResolver),
            on_refusal: Arc::new(|_| {}),
            reported: Arc::default(),
            connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            approvals: None,
        }
    }

    /// Tells somebody about refusals, beside the log.
    pub fn with_refusals(mut self, on_refusal: OnRefusal) -> Self {
        self.on_refusal = on_refusal;
        self
    }

    /// Checks each connection against rules on hosts, after its grant and before anything is sent.
    pub fn with_approvals(mut self, approvals: Approvals) -> Self {
        self.approvals = Some(approvals);
        self
    }

    /// Resolves names elsewhere than at the operating system.
    pub fn with_resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = resolver;
        self
    }

    /// Trusts what this configuration trusts instead of the platform's certificates.
    pub fn with_tls(mut self, config: Arc<ClientConfig>) -> Self {
        self.tls = Tls::Given(config);
        self
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Layer one, reporting a refusal.
    pub(crate) fn allow(
        &self,
        scheme: Scheme,
        host: &Host,
        port: u16,
    ) -> Result<Allowed, LookupError> {
        self.policy.check(scheme, host, port).map_err(|refusal| self.refused(refusal))
    }

    /// Rules on a host that is granted. Waits for the user where one asks.
    pub(crate) async fn approve(&self, host: &Host, port: u16) -> Result<(), Denial> {
        match &self.approvals {
            Some(approvals) => approvals.check(&Action::host(&host.to_string(), port)).await,
            None => Ok(()),
        }
    }

    /// Whether rules may have something to say about hosts.
    pub(crate) fn asks(&self) -> bool {
        self.approvals.as_ref().is_some_and(|approvals| approvals.rules().concern_hosts())
    }

    /// Layer two, reporting a refusal: the checked addresses, at least one.
    pub(crate) async fn addresses(&self, allowed: &Allowed) -> Result<Vec<IpAddr>, LookupError> {
        match addresses(&*self.resolver, allowed).await {
            Err(LookupError::Refused(refusal)) => Err(self.refused(refusal)),
            other => other,
        }
    }

    /// Reports a refusal once.
    pub(crate) fn refused(&self, refusal: Refusal) -> LookupError {
        let fresh = {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            reported.len() < REFUSALS_REPORTED_MAX && reported.insert(refusal.clone())
        };
        if fresh {
            tracing::warn!("{refusal}");
            (self.on_refusal)(refusal.clone());
        }
        LookupError::Refused(refusal)
    }

    /// A place among the open connections, `None` when all are taken.
    pub(crate) fn connection(&self) -> Option<OwnedSemaphorePermit> {
        self.connections.clone().try_acquire_owned().ok()
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("policy", &self.policy).finish_non_exhaustive()
    }
}
