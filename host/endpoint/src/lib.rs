//! The LLM endpoint over HTTP: a second thin door to the one pipeline, beside the guests'.
//!
//! | | |
//! |---|---|
//! | `POST /v1/chat/completions` | OpenAI's chat completions, streamed or whole ([`openai`]) |
//! | `POST /v1/messages` | Anthropic's messages, streamed or whole ([`anthropic`]) |
//! | `GET /v1/models`, `/v1/models/NAME` | what the agent may ask for, in the shape of either |
//! | `GET /health` | `ok`, without a token |
//! | `GET /metrics` | counters for Prometheus, with any agent's token |
//!
//! **Identity.** A bearer token (or `x-api-key`) names the agent; nothing in a request does. Without a
//! good one nothing is served. Budgets, routing and downgrades are the pipeline's, the same for every
//! door: a client gets the agent's money, never its keys.
//!
//! **Flow.** [`identity`] → body to [`domain::chat::Request`] (`request.rs` of a family) →
//! [`llm::Pipeline::complete`] ([`call`]) → deltas to the family's events (`answer.rs`), with its own
//! errors ([`error`]). A client that goes away drops the completion, which cancels the provider's call
//! and settles what was used. A request that panics ends alone: the server answers it with 500.
//!
//! It must never: log a token, a prompt or an answer; let a request choose agent, key or price; cut a
//! stream without its family's end, because clients repeat cut streams and pay twice; compute for more
//! than a millisecond or so in a request's task, because all requests may share one thread (ADR 0040).

mod anthropic;
mod call;
mod error;
mod family;
mod identity;
mod limits;
mod listen;
mod metrics;
mod openai;
mod read;
mod request_id;
mod server;
mod sse;
mod ticket;
mod token;
mod whole;

pub use identity::{Access, Agents};
pub use limits::{
    BODY_MAX_BYTES, CONNECTIONS_MAX, DRAIN_MAX, HEAD_READ_MAX, OPEN_REQUESTS_MAX, PAUSE_MAX,
};
pub use listen::serve;
pub use server::{Endpoint, router};
pub use token::{Token, digest, mint};
