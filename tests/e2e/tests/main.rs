//! The tests, one file per concern. See the support library for what they stand on.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod anthropic;
mod approvals;
mod ask;
mod attach;
mod authoring;
mod budgets;
mod builtin;
mod builtin_history;
mod cancel;
mod conversation;
mod criteria;
mod downgrade;
mod echo;
mod echo_languages;
mod hostile;
mod local_model;
mod mcp;
mod model_pull;
mod observability;
mod openai;
mod output;
mod pi;
mod prompt;
mod provider_failures;
mod redactor;
mod serve;
mod serve_clients;
mod serve_details;
mod serve_end;
mod serve_pi;
mod serve_refusals;
mod serve_streams;
mod sessions;
mod steer;
mod usage;
