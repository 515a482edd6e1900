//! The tests, one file per concern. See the support library for what they stand on.

mod budgets;
mod echo;
mod local_model;
mod openai;
mod pi;
mod prompt;
mod provider_failures;
mod sessions;
mod usage;
