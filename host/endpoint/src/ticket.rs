//! Requests under way: how many there may be, and what the metrics learn of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::http::StatusCode;
use domain::NanoDollars;
use domain::chat::Usage;
use llm::Caller;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::Refusal;
use crate::family::Family;
use crate::request_id::RequestId;
use crate::server::Endpoint;

/// In the metrics, for a client that did not wait for its answer's end; nobody is sent it.
const CLIENT_GONE: u16 = 499;

/// What the metrics call a request's money. It outlives the request's ticket, and with it the
/// place: a call is settled after its client went away.
pub(crate) struct Account {
    endpoint: Endpoint,
    agent: String,
    /// By the name that it was asked for.
    model: String,
}

/// A request under way: counted while it is, and in the metrics when it is not.
pub(crate) struct Ticket {
    pub account: Arc<Account>,
    family: Family,
    request: RequestId,
    spoken: AtomicBool,
    counted: AtomicBool,
    place: Place,
}

/// One of the requests that may be under way.
pub(crate) struct Place {
    endpoint: Endpoint,
    arrived: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// Taken before the body is read: a body is most of what a request costs.
    pub fn take(endpoint: &Endpoint) -> Result<Self, Refusal> {
        let permit = endpoint.place().ok_or(Refusal::Busy)?;
        endpoint.metrics().open.inc();
        Ok(Self { endpoint: endpoint.clone(), arrived: Instant::now(), _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.endpoint.metrics().open.dec();
    }
}

impl Account {
    /// A call was settled, whatever became of the answer.
    pub fn settled(&self, usage: &Usage, cost: NanoDollars) {
        self.endpoint.metrics().settled(&self.agent, &self.model, usage, cost);
    }

    pub fn downgraded(&self) {
        self.endpoint.metrics().downgraded(&self.agent, &self.model);
    }
}

impl Ticket {
    /// `model` by the name that it was asked for.
    pub fn new(
        place: Place,
        family: Family,
        (caller, request): (&Caller, RequestId),
        model: String,
    ) -> Arc<Self> {
        let (endpoint, agent) = (place.endpoint.clone(), caller.agent.to_string());
        let account = Arc::new(Account { endpoint, agent, model });
        let (spoken, counted) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { account, family, request, spoken, counted, place })
    }

    pub fn request(&self) -> &RequestId {
        &self.request
    }

    /// The first word of an answer; later ones change nothing.
    pub fn first_byte(&self) {
        if !self.spoken.swap(true, Ordering::Relaxed) {
            self.place.endpoint.metrics().first_word(self.place.arrived.elapsed());
        }
    }

    pub fn finished(&self) {
        self.ended(StatusCode::OK.as_u16());
    }

    /// On a stream that has begun.
    pub fn failed(&self, refusal: &Refusal) {
        let (agent, request) = (&self.account.agent, &self.request);
        tracing::warn!(%agent, %request, error = %refusal, "a stream failed");
        self.ended(refusal.status().as_u16());
    }

    /// The answer is a refusal, which is counted where all of them are.
    pub fn refused(&self, refusal: Refusal) -> Refusal {
        self.counted.store(true, Ordering::Relaxed);
        refusal
    }

    fn ended(&self, status: u16) {
        if !self.counted.swap(true, Ordering::Relaxed) {
            let metrics = self.place.endpoint.metrics();
            metrics.ended(&self.account.agent, self.family.name(), status);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // A panic is counted as the refusal that it becomes.
        if !std::thread::panicking() {
            self.ended(CLIENT_GONE);
        }
    }
}
