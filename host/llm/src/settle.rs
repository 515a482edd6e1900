//! Counting and settling: what a call really used, whatever way it ended.

use domain::chat::{Delta, Request, Usage};
use domain::{BudgetLine, Event, NanoDollars};
use store::ledger::{Cap, ReservationId, Settlement};

use crate::pipeline::{Observer, Pipeline};
use crate::price::{Quote, text_of};
use crate::route::Route;

/// The running count of one call.
#[derive(Default)]
pub(crate) struct Count {
    reported: Option<Usage>,
    served: Option<String>,
    /// Text of the answer so far, for counting when the provider is silent.
    output: String,
    thinking: String,
}

impl Count {
    pub fn see(&mut self, delta: &Delta) {
        match delta {
            Delta::Text(text) => self.output.push_str(text),
            Delta::Thinking(text) => self.thinking.push_str(text),
            Delta::ToolCallStart { name, .. } => self.output.push_str(name),
            Delta::ToolCallArguments { fragment, .. } => self.output.push_str(fragment),
            Delta::Usage(usage) => self.reported = Some(*usage),
            Delta::Model(model) => self.served = Some(model.clone()),
            Delta::ThinkingSignature(_) | Delta::ToolCallSignature { .. } | Delta::Finished(_) => {}
        }
    }

    /// What the provider reported; counted with its tokenizer where it said nothing.
    pub fn usage(&self, request: &Request, route: &Route) -> Usage {
        self.reported.unwrap_or_else(|| {
            let count = |text: &str| route.provider.count_tokens(text);
            let reasoning = count(&self.thinking);
            Usage {
                input: count(&text_of(request)),
                output: count(&self.output).saturating_add(reasoning),
                reasoning,
                ..Usage::default()
            }
        })
    }

    pub fn served<'a>(&'a self, route: &'a Route) -> &'a str {
        self.served.as_deref().unwrap_or(&route.info.name)
    }
}

/// Books what was used. Returns the cost as booked.
pub(crate) fn settle(
    pipeline: &Pipeline,
    reservation: ReservationId,
    quote: &Quote,
    usage: Usage,
    served: &str,
    observer: &dyn Observer,
) -> NanoDollars {
    let cost = quote.price.cost(&usage);
    let settlement = Settlement { usage, cost, served_model: served };
    match pipeline.store().ledger().settle(reservation, &settlement, pipeline.now_ms()) {
        Ok(settled) => {
            if let Some(over) = settled.overshoot {
                tracing::error!(
                    model = served, reserved = %over.reserved, cost = %over.cost,
                    "the provider charged more than was reserved; booked in full"
                );
                observer.event(Event::Overshoot {
                    model: served.into(),
                    reserved: over.reserved,
                    cost: over.cost,
                });
            }
            settled.cost
        }
        Err(error) => {
            // The reservation stands and is booked in full by the next recovery: fail closed.
            tracing::error!(%error, "a settlement failed; its whole reservation stays booked");
            cost
        }
    }
}

/// Warnings of caps that passed a percentage with this reservation.
pub(crate) fn warn(lines: &[(Cap, BudgetLine)], observer: &dyn Observer) {
    for (cap, line) in lines {
        if let Some(percent) = cap.warning(line) {
            observer.event(Event::Budget {
                scope: line.scope,
                window: line.window,
                cap: line.cap,
                used: line.settled.saturating_add(line.reserved),
                message: format!(
                    "{percent} % of the {} {} budget is used or reserved",
                    line.scope, line.window
                ),
            });
        }
    }
}
