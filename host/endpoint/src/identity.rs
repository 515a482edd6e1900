//! Who asks: from the token alone to the agent's money and models.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use domain::{AgentName, SessionId};
use llm::Caller;
use store::Store;
use store::ledger::Cap;

use crate::error::Refusal;
use crate::request_id::RequestId;
use crate::token::digest;

/// How Anthropic's clients send their key.
const API_KEY: &str = "x-api-key";

/// The name that stands for the agent's own model.
pub(crate) const DEFAULT: &str = "default";

/// What an agent may use.
#[derive(Debug, Clone)]
pub struct Access {
    /// Answers a request whose model is none of `models`' names but `default`, and comes first in
    /// the list.
    pub model: String,
    /// Further models that it may ask for.
    pub models: Vec<String>,
    pub caps: Vec<Cap>,
    /// Where a spent budget degrades to when its cap names nothing.
    pub fallback: Option<String>,
}

/// The agents of the configuration.
pub type Agents = BTreeMap<AgentName, Access>;

/// Turns tokens into callers.
#[derive(Clone)]
pub(crate) struct Identity {
    pub store: Store,
    pub agents: Arc<Agents>,
}

impl Identity {
    /// The caller of a request, by its token alone.
    pub fn caller(&self, headers: &HeaderMap, request: &RequestId) -> Result<Caller, Refusal> {
        let token = token(headers).ok_or(Refusal::NoToken)?;
        let found = self.store.token().find(&digest(token)).map_err(|error| {
            tracing::error!(%error, "the store refused to look a token up");
            Refusal::Broken
        })?;
        let known = found.ok_or(Refusal::BadToken)?;
        let access = self.agents.get(&known.agent);
        let access = access.ok_or_else(|| Refusal::NoAgent(known.agent.to_string()))?;
        Ok(Caller {
            session: session(&known.id.to_string()),
            turn: None,
            task: request.to_string(),
            model: access.model.clone(),
            models: access.models.clone(),
            caps: access.caps.clone(),
            fallback: access.fallback.clone(),
            agent: known.agent,
        })
    }
}

/// All requests of a token are one conversation to the ledger's lists.
fn session(token: &str) -> SessionId {
    SessionId::new(format!("token-{token}")).unwrap_or_else(|_| SessionId::mint())
}

fn token(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim());
    }
    headers.get(API_KEY)?.to_str().ok().map(str::trim)
}
