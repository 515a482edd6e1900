//! What stands behind a model's name: implementations of [`domain::provider::Provider`].
//!
//! The pipeline drives them, the binary configures them. A provider translates one call and
//! streams its answer. It never retries, never prices, never picks a model and never shows a key:
//! those are the pipeline's, the ledger's, the router's and nobody's business.

pub mod anthropic;
pub mod endpoint;
pub mod openai;
pub mod script;
pub mod secret;
mod tokens;

pub use secret::{Secret, SecretRef};
