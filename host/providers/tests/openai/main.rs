//! The OpenAI-compatible provider against a server of raw bytes on loopback.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod double;
mod request;
mod stream;

use domain::SessionId;
use domain::chat::{Message, Request};
use domain::content::Part;
use domain::provider::Call;
use providers::Secret;
use providers::openai::OpenAiConfig;

const KEY: &str = "sk-test-0123456789abcdef";

fn config(base_url: String) -> OpenAiConfig {
    let key = Some(Secret::new(KEY).unwrap());
    OpenAiConfig { key, ..OpenAiConfig::new("openai", base_url) }
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
