//! Counters for Prometheus. Labels are agents, models and statuses of this configuration: never a
//! token, never anything that was said, and no name that a provider made up.

use std::time::Duration;

use domain::NanoDollars;
use domain::chat::Usage;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Seconds until the first word: from a local echo to a model that thinks for minutes.
const FIRST_WORD: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    agent: String,
    protocol: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Model {
    agent: String,
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    agent: String,
    model: String,
    kind: &'static str,
}

/// All of them. Cloning shares them.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    tokens: Family<Kind, Counter>,
    cost: Family<Model, Counter>,
    downgrades: Family<Model, Counter>,
    pub open: Gauge,
    first_word: Histogram,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("xpressclaw");
        let requests = Family::default();
        let tokens = Family::default();
        let cost = Family::default();
        let downgrades = Family::default();
        let open = Gauge::default();
        let first_word = Histogram::new(FIRST_WORD);
        registry.register("requests", "Requests that ended", requests.clone());
        registry.register("tokens", "Tokens that were settled", tokens.clone());
        registry.register("cost_nanodollars", "Money that was settled", cost.clone());
        registry.register(
            "downgrades",
            "Requests that another model than the one asked for answered",
            downgrades.clone(),
        );
        registry.register("open_requests", "Requests under way", open.clone());
        registry.register_with_unit(
            "first_word",
            "From a request's arrival to the first word of its answer",
            Unit::Seconds,
            first_word.clone(),
        );
        Self { registry, requests, tokens, cost, downgrades, open, first_word }
    }

    pub fn ended(&self, agent: &str, protocol: &'static str, status: u16) {
        let labels = Request { agent: agent.to_owned(), protocol, status };
        self.requests.get_or_create(&labels).inc();
    }

    /// A call as the ledger has it. `model` by the name that it was asked for.
    pub fn settled(&self, agent: &str, model: &str, usage: &Usage, cost: NanoDollars) {
        let labels = || Model { agent: agent.to_owned(), model: model.to_owned() };
        self.cost.get_or_create(&labels()).inc_by(cost.0);
        for (kind, tokens) in [
            ("input", usage.input),
            ("cached", usage.cached),
            ("cache_written", usage.cache_written),
            ("output", usage.output),
            ("reasoning", usage.reasoning),
        ] {
            let Model { agent, model } = labels();
            self.tokens.get_or_create(&Kind { agent, model, kind }).inc_by(tokens);
        }
    }

    pub fn downgraded(&self, agent: &str, model: &str) {
        let labels = Model { agent: agent.to_owned(), model: model.to_owned() };
        self.downgrades.get_or_create(&labels).inc();
    }

    pub fn first_word(&self, after: Duration) {
        self.first_word.observe(after.as_secs_f64());
    }

    /// OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
