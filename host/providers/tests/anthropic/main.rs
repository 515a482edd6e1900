//! The Anthropic provider against a server of raw bytes on loopback.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bad_input;
#[allow(dead_code, reason = "each protocol uses a part of it")]
#[path = "../support/double.rs"]
mod double;
mod refusals;
mod stream;
mod wire;

use domain::SessionId;
use domain::chat::{Message, Request};
use domain::content::Part;
use domain::provider::{Call, Provider};
use providers::Secret;
use providers::anthropic::{Anthropic, AnthropicConfig};

const KEY: &str = "sk-ant-test-0123456789abcdef";

fn config(base_url: &str) -> AnthropicConfig {
    let key = Some(Secret::new(KEY).unwrap());
    let key_setting = "providers.p.api_key".into();
    AnthropicConfig { key, key_setting, ..AnthropicConfig::new("p", base_url) }
}

fn provider(base_url: &str) -> Box<dyn Provider> {
    Box::new(Anthropic::new(config(base_url)).unwrap())
}

fn call() -> Call {
    Call {
        request: Request {
            messages: vec![Message::User(vec![Part::text("Hi")])],
            ..Request::default()
        },
        model: "claude-x".into(),
        max_output_tokens: 100,
        session: SessionId::new("s").unwrap(),
    }
}
