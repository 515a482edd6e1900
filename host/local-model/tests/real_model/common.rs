//! The real model for tests, and how its answers are read.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use domain::SessionId;
use domain::chat::{Delta, Finish, Message, Request, Tool, Usage};
use domain::content::Part;
use domain::provider::{Call, Deltas, Provider, ProviderError};
use futures::StreamExt;
use local_model::{LocalModel, Options, Seed};
use serde_json::Value as Json;

/// Far above what any step takes on a busy machine: a test that hangs must fail.
const PATIENCE: Duration = Duration::from_secs(300);

/// The first GGUF file of the directory that `XPRESSCLAW_MODEL_PATH` names.
pub fn model_path() -> PathBuf {
    let directory = std::env::var_os("XPRESSCLAW_MODEL_PATH").expect(
        "XPRESSCLAW_MODEL_PATH is not set; `cargo xtask test` downloads the model and sets it",
    );
    let directory = PathBuf::from(directory);
    let entries = std::fs::read_dir(&directory)
        .unwrap_or_else(|e| panic!("XPRESSCLAW_MODEL_PATH={}: {e}", directory.display()));
    let mut models: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "gguf"))
        .collect();
    models.sort();
    models
        .into_iter()
        .next()
        .unwrap_or_else(|| panic!("no .gguf file in XPRESSCLAW_MODEL_PATH={}", directory.display()))
}

/// One thread, a small window, always the same answers.
pub fn options() -> Options {
    Options {
        threads: NonZeroU32::MIN,
        context: NonZeroU32::new(1_024).unwrap(),
        seed: Seed::Fixed(7),
        ..Options::default()
    }
}

pub fn open(options: Options) -> LocalModel {
    LocalModel::open(&model_path(), options).unwrap()
}

pub fn user(text: &str) -> Message {
    Message::User(vec![Part::text(text)])
}

pub fn call(session: &str, max_output_tokens: u32, request: Request) -> Call {
    Call {
        request: Request { temperature: request.temperature.or(Some(0.0)), ..request },
        model: "local".to_owned(),
        max_output_tokens,
        session: SessionId::new(session).unwrap(),
    }
}

pub fn tool(name: &str, description: &str, parameters: Json) -> Tool {
    Tool { name: name.to_owned(), description: description.to_owned(), parameters }
}

/// A whole answer.
#[derive(Debug, Default)]
pub struct Answer {
    pub text: String,
    pub thinking: String,
    /// Ids, names and arguments.
    pub calls: Vec<(String, String, String)>,
    pub usage: Usage,
    pub finish: Option<Finish>,
}

pub async fn answer(model: &LocalModel, call: Call) -> Result<Answer, ProviderError> {
    let read = async { collect(model.call(call).await?).await };
    tokio::time::timeout(PATIENCE, read).await.expect("the model did not answer in time")
}

async fn collect(mut deltas: Deltas) -> Result<Answer, ProviderError> {
    let mut answer = Answer::default();
    while let Some(delta) = deltas.next().await {
        assert_eq!(answer.finish, None, "nothing comes after the end");
        match delta? {
            Delta::Text(text) => answer.text.push_str(&text),
            Delta::Thinking(text) => answer.thinking.push_str(&text),
            Delta::ToolCallStart { index, id, name } => {
                assert_eq!(index as usize, answer.calls.len());
                answer.calls.push((id, name, String::new()));
            }
            Delta::ToolCallArguments { index, fragment } => {
                answer.calls[index as usize].2.push_str(&fragment);
            }
            Delta::Model(name) => {
                let stem = model_path().file_stem().unwrap().to_string_lossy().into_owned();
                assert_eq!(name, format!("local/{stem}"), "the file that answers is named");
            }
            Delta::Usage(usage) => answer.usage = usage,
            Delta::Finished(finish) => answer.finish = Some(finish),
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(answer.finish.is_some(), "the stream ended without an end: {answer:?}");
    Ok(answer)
}
