//! A request of the ledger as JSON.

use domain::chat::Usage;
use domain::{AgentName, SessionId, TurnId};
use serde::Serialize;
use store::ledger::{Ending, ReservationId, Spend};

use super::super::output::{Money, PricePerMillion};

#[derive(Serialize)]
pub(super) struct Row {
    kind: &'static str,
    id: ReservationId,
    agent: AgentName,
    session: Option<SessionId>,
    turn: Option<TurnId>,
    task: String,
    requested_model: String,
    /// The one that it was routed to and priced as.
    model: String,
    /// The one that the provider says it served.
    served_model: Option<String>,
    usage: Usage,
    price: PricePerMillion,
    reserved: Money,
    cost: Money,
    overshoot: Money,
    ending: Ending,
    reserved_at: u64,
    settled_at: u64,
}

impl From<Spend> for Row {
    fn from(spend: Spend) -> Self {
        Self {
            kind: "request",
            id: spend.id,
            agent: spend.agent,
            session: spend.session,
            turn: spend.turn,
            task: spend.task,
            requested_model: spend.requested_model,
            model: spend.model,
            served_model: spend.served_model,
            usage: spend.usage,
            price: spend.price.into(),
            reserved: spend.reserved.into(),
            cost: spend.cost.into(),
            overshoot: spend.overshoot.into(),
            ending: spend.ending,
            reserved_at: spend.reserved_at,
            settled_at: spend.settled_at,
        }
    }
}
