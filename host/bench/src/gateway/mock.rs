//! The provider: chat completions as OpenAI answers them, in a process of its own.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures::stream;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::process::Running;

/// The limit of output of a request that is answered slowly.
pub const SLOW: u64 = 64;
/// Words of such a stream, and the pause before each but the first: two seconds in all.
const WORDS: usize = 11;
const PAUSE: Duration = Duration::from_millis(200);

/// A provider that runs until it is dropped.
pub struct Mock {
    /// With `/v1`.
    pub url: String,
    _running: Running,
}

/// Starts this program again as the provider.
pub fn start() -> Result<Mock> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["gateway", super::MOCK])
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let url = first_line(&mut child).context("the provider did not start")?;
    Ok(Mock { url, _running: Running(child) })
}

/// What a program says when it is ready.
pub fn first_line(child: &mut Child) -> Result<String> {
    let stdout = child.stdout.take().context("no stdout")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// The provider itself: prints its address, then serves for ever.
pub fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}/v1", listener.local_addr()?);
        let app = Router::new().route("/v1/chat/completions", post(answer));
        axum::serve(listener, app).await?;
        Ok(())
    })
}

async fn answer(request: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&request).unwrap_or_default();
    if request["stream"] == true {
        // A gateway may stream from us what it answers whole, so the pace goes by the request.
        let limit = request.get("max_tokens").or(request.get("max_completion_tokens"));
        let slow = limit.and_then(Value::as_u64) == Some(SLOW);
        let body = if slow { streamed() } else { Body::from(at_once()) };
        return ([(CONTENT_TYPE, "text/event-stream")], body).into_response();
    }
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12});
    let message = json!({"role": "assistant", "content": "Hello."});
    let body = json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    });
    axum::Json(body).into_response()
}

fn at_once() -> String {
    let text = chunk(json!({"role": "assistant", "content": "Hello."}), None);
    text + &chunk(json!({}), Some("stop")) + &usage() + "data: [DONE]\n\n"
}

fn streamed() -> Body {
    Body::from_stream(stream::unfold(0, |number| async move {
        if (1..WORDS).contains(&number) {
            sleep(PAUSE).await;
        }
        let text = match number {
            0..WORDS => chunk(json!({"role": "assistant", "content": "word "}), None),
            WORDS => chunk(json!({}), Some("stop")) + &usage() + "data: [DONE]\n\n",
            _ => return None,
        };
        Some((Ok::<_, Infallible>(Bytes::from(text)), number + 1))
    }))
}

fn chunk(delta: Value, finish: Option<&str>) -> String {
    let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
    event(&json!({
        "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": choices,
    }))
}

fn usage() -> String {
    event(&json!({
        "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
        "usage": {"prompt_tokens": 10, "completion_tokens": 12, "total_tokens": 22},
    }))
}

fn event(data: &Value) -> String {
    format!("data: {data}\n\n")
}
