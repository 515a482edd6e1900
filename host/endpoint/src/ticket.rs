//! Requests under way: how many there may be, and what the metrics learn of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::http::StatusCode;
use domain::chat::Outcome;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::Refusal;
use crate::family::Family;
use crate::server::Endpoint;

/// A request under way: counted while it is, and in the metrics when it is not.
pub(crate) struct Ticket {
    endpoint: Endpoint,
    family: Family,
    agent: String,
    model: String,
    spoken: AtomicBool,
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

impl Ticket {
    /// `model` by the name that it was asked for.
    pub fn new(place: Place, family: Family, agent: String, model: String) -> Arc<Self> {
        let (endpoint, spoken) = (place.endpoint.clone(), AtomicBool::new(false));
        Arc::new(Self { endpoint, family, agent, model, spoken, place })
    }

    /// The first word of an answer; later ones change nothing.
    pub fn first_byte(&self) {
        if !self.spoken.swap(true, Ordering::Relaxed) {
            self.endpoint.metrics().first_word(self.place.arrived.elapsed());
        }
    }

    pub fn finished(&self, outcome: &Outcome) {
        self.endpoint.metrics().settled(&self.agent, &self.model, outcome);
        self.ended(StatusCode::OK);
    }

    pub fn failed(&self, refusal: &Refusal) {
        tracing::warn!(agent = %self.agent, error = %refusal, "a stream failed");
        self.ended(refusal.status());
    }

    fn ended(&self, status: StatusCode) {
        self.endpoint.metrics().ended(&self.agent, self.family.name(), status.as_u16());
    }
}
