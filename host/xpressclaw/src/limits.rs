//! From limits in the configuration to the pipeline's.

use config::Config;
use llm::{Limits, RateLimits};

/// How often each agent may ask.
pub fn limits(config: &Config) -> RateLimits {
    let agents = config.agents.iter().map(|agent| (agent.name.clone(), of(&agent.limits)));
    RateLimits {
        default: of(&config.limits),
        agents: agents.collect(),
        together: config.concurrent_together,
    }
}

fn of(limits: &config::Limits) -> Limits {
    let config::Limits { requests_per_minute, tokens_per_minute, concurrent } = *limits;
    Limits { requests_per_minute, tokens_per_minute, concurrent }
}
