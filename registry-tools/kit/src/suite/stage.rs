//! The model of the suite: it says what a scenario lets it say, keeps what it was asked, and can
//! hold an answer half-way until something has happened.
//!
//! Each answer is played by the scripted provider, so that it arrives as a real one does: in words,
//! with calls in fragments.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::chat::{Delta, Request};
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};
use futures::{StreamExt as _, stream};
use providers::script::Script;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use super::scenario::{self, Answer};
use super::tool;
use crate::manifest::ToolCall;

/// A tool that no harness has.
const UNKNOWN_TOOL: &str = "conformance_no_such_tool";

/// A failure that no second try mends.
const REFUSED: u16 = 403;
/// Room for the longest answer of a scenario.
const MAX_OUTPUT_TOKENS: u32 = 1 << 20;

/// See the module. Clones are one model.
#[derive(Clone)]
pub struct Stage(Arc<Inner>);

struct Inner {
    /// Dollars for a million tokens of output, like `$1000`.
    output_price: Option<String>,
    tool: Option<ToolCall>,
    state: Mutex<State>,
    /// Answers that were held so far.
    held: watch::Sender<usize>,
    release: Semaphore,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    asked: Vec<Request>,
    /// What the answers that were begun say.
    said: String,
    /// Requests for which there was no answer.
    beyond: usize,
}

impl Stage {
    pub fn new(output_price: Option<&str>, tool: Option<&ToolCall>) -> Self {
        Self(Arc::new(Inner {
            output_price: output_price.map(str::to_owned),
            tool: tool.cloned(),
            state: Mutex::default(),
            held: watch::Sender::new(0),
            release: Semaphore::new(0),
        }))
    }

    /// What it answers from now on; what it was asked and said before is forgotten.
    pub fn set(&self, answers: &[Answer]) {
        *self.state() = State { answers: answers.iter().cloned().collect(), ..State::default() };
        self.0.held.send_replace(0);
        // What was released and no answer waited for.
        self.0.release.forget_permits(Semaphore::MAX_PERMITS);
    }

    /// Resolves when an answer is held.
    pub async fn held(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.held.subscribe().wait_for(|held| *held > 0).await;
    }

    /// Lets the held answer go on.
    pub fn release(&self) {
        self.0.release.add_permits(1);
    }

    pub fn asked(&self) -> Vec<Request> {
        self.state().asked.clone()
    }

    pub fn said(&self) -> String {
        self.state().said.clone()
    }

    /// Answers that nobody asked for, and requests that had none.
    pub fn left(&self) -> (usize, usize) {
        let state = self.state();
        (state.answers.len(), state.beyond)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer as a line of a script.
    fn line(&self, answer: &Answer, request: &Request) -> Result<String, ProviderError> {
        let mut line = json!({});
        if !answer.text.is_empty() {
            line["text"] = Value::String(answer.whole_text());
        }
        if let Some(call) = answer.call {
            let own = || {
                tool::choose(self.0.tool.as_ref(), &request.tools)
                    .ok_or_else(|| ProviderError::Other("no tool is offered".into()))
            };
            let call = match call {
                scenario::Call::Own => {
                    let own = own()?;
                    json!({ "name": own.name, "arguments": own.arguments })
                }
                scenario::Call::Broken => {
                    json!({ "name": own()?.name, "arguments": "{\"text\": " })
                }
                scenario::Call::Unknown => json!({ "name": UNKNOWN_TOOL, "arguments": {} }),
            };
            line["tool_calls"] = json!([call]);
        }
        if let Some(output) = answer.output {
            line["usage"] = json!({ "input": 1, "output": output });
        }
        Ok(line.to_string())
    }

    fn script(&self, line: &str) -> Result<Script, ProviderError> {
        let mut text = line.to_owned();
        if let Some(price) = &self.0.output_price {
            let price = json!({ "price": { "input": "$0", "output": price } });
            text = format!("{price}\n{text}");
        }
        Script::parse("conformance", &text).map_err(|e| ProviderError::Other(e.to_string()))
    }
}

#[async_trait]
impl Provider for Stage {
    fn name(&self) -> &str {
        "conformance"
    }

    fn model(&self, _: &str) -> Option<ModelInfo> {
        let info = self.script(r#"{"text": "-"}"#).ok()?.model("conformance")?;
        Some(ModelInfo { max_output_tokens: MAX_OUTPUT_TOKENS, ..info })
    }

    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        let answer = {
            let mut state = self.state();
            state.asked.push(call.request.clone());
            let Some(answer) = state.answers.pop_front() else {
                state.beyond += 1;
                let reason = "the scenario has no further answer".to_owned();
                return Err(ProviderError::InvalidRequest(reason));
            };
            state.said.push_str(&answer.whole_text());
            answer
        };
        if let Some(reason) = &answer.refuse {
            return Err(ProviderError::Status {
                provider: self.name().into(),
                status: REFUSED,
                reason: reason.clone(),
                retry_after_ms: None,
            });
        }
        let script = self.script(&self.line(&answer, &call.request)?)?;
        let deltas = script.call(call).await?;
        let finish = answer.finish;
        let deltas = deltas.map(move |delta| match (delta, finish) {
            (Ok(Delta::Finished(_)), Some(finish)) => Ok(Delta::Finished(finish)),
            (delta, _) => delta,
        });
        if !answer.hold {
            return Ok(deltas.boxed());
        }
        let stage = self.clone();
        let held = stream::unfold((deltas, Some(stage)), |(mut deltas, mut stage)| async move {
            let delta = deltas.next().await?;
            if !matches!(delta, Ok(Delta::Text(_) | Delta::Thinking(_)))
                && let Some(stage) = stage.take()
            {
                stage.0.held.send_modify(|held| *held += 1);
                if let Ok(permit) = stage.0.release.acquire().await {
                    permit.forget();
                }
            }
            Some((delta, (deltas, stage)))
        });
        Ok(held.boxed())
    }
}
