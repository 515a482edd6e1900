//! The OpenAI-compatible provider against a server of raw bytes on loopback.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bad_input;
mod dialects;
#[allow(dead_code, reason = "each protocol uses a part of it")]
#[path = "../support/double.rs"]
mod double;
mod request;
mod stream;

use domain::SessionId;
use domain::chat::{Message, Request};
use domain::content::Part;
use domain::provider::{Call, Provider};
use providers::Secret;
use providers::openai::{OpenAi, OpenAiConfig};

const KEY: &str = "sk-test-0123456789abcdef";

fn config(base_url: String) -> OpenAiConfig {
    let key = Some(Secret::new(KEY).unwrap());
    OpenAiConfig { key, ..OpenAiConfig::new("openai", base_url) }
}

/// For the tests that both protocols share.
fn provider(base_url: &str) -> Box<dyn Provider> {
    let key = Some(Secret::new(KEY).unwrap());
    let key_setting = "providers.p.api_key".into();
    let config = OpenAiConfig { key, key_setting, ..OpenAiConfig::new("p", base_url) };
    Box::new(OpenAi::new(config).unwrap())
}

fn call() -> Call {
    Call {
        request: Request {
            messages: vec![Message::User(vec![Part::text("Hi")])],
            ..Request::default()
        },
        model: "gpt-x".into(),
        max_output_tokens: 100,
        session: SessionId::new("s").unwrap(),
    }
}
