//! Every file under `tests/data`: a request and what the model answers. What the provider is asked
//! and what the client gets stand beside it. `UPDATE_EXPECTED=1 cargo test -p endpoint` writes what
//! stands beside; read the difference.

use std::path::{Path, PathBuf};
use std::{env, fs};

use axum::http::HeaderName;
use domain::chat::{Delta, Finish, Usage};
use domain::provider::{ProviderError, Sent};
use serde_json::{Value, json};

use crate::bench::{Bench, Double, Play, text};

#[tokio::test]
async fn files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|p| p.extension().unwrap() == "json").collect();
    files.sort();
    assert!(files.len() > 3, "the files are there");
    let mut wrong = Vec::new();
    for file in files {
        let case: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let shown = show(&case).await;
        let beside = file.with_extension("txt");
        if env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&beside, &shown).unwrap();
        }
        if fs::read_to_string(&beside).unwrap_or_default().replace("\r\n", "\n") != shown {
            wrong.push(format!("{}:\n{shown}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n\n"));
}

async fn show(case: &Value) -> String {
    let play: Play = case["answer"].as_array().into_iter().flatten().map(delta).collect();
    let double = match case["takes"].as_str() {
        Some(field) => Double::takes(play, field.to_owned().leak()),
        None => Double::plays(play),
    };
    let bench = Bench::new(&double);
    let path = case["path"].as_str().unwrap();
    let response = bench.send(bench.post(path, case["body"].to_string())).await;
    let mut shown = format!("{}\n", response.status());
    for name in [
        "retry-after",
        "x-should-retry",
        "x-xpressclaw-model",
        "x-xpressclaw-cost",
        "x-xpressclaw-ignored",
    ] {
        if let Some(value) = response.headers().get(HeaderName::from_static(name)) {
            shown.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
        }
    }
    let body = text(response).await;
    let asked: Vec<Value> = double
        .calls
        .lock()
        .unwrap()
        .iter()
        .map(|call| json!({"limit": call.max_output_tokens, "request": call.request}))
        .collect();
    shown.push_str(&format!("\n{}\n", stable(&body)));
    for asked in asked {
        shown.push_str(&format!("--- asked\n{}\n", serde_json::to_string_pretty(&asked).unwrap()));
    }
    shown
}

/// Without what is new each time: ids and moments.
fn stable(body: &str) -> String {
    let line = |line: &str| {
        let (prefix, data) = match line.strip_prefix("data: ") {
            Some(data) => ("data: ", data),
            None => ("", line),
        };
        let Ok(mut data) = serde_json::from_str::<Value>(data) else { return line.to_owned() };
        hide(&mut data);
        format!("{prefix}{data}")
    };
    body.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

fn hide(value: &mut Value) {
    if let Some(created) = value.get_mut("created").filter(|created| **created != 0) {
        *created = json!("NOW");
    }
    for value in value.as_object_mut().into_iter().flatten() {
        if value.0 == "message" && value.1.is_object() {
            hide(value.1);
        }
    }
    if let Some(id) = value.get_mut("id")
        && let Some(text) = id.as_str()
        && let Some((kind, _)) = text.split_once(['-', '_']).filter(|(kind, _)| *kind != "call")
    {
        *id = json!(format!("{kind} ID"));
    }
}

fn delta(item: &Value) -> Result<Delta, ProviderError> {
    let (kind, of) = item.as_object().unwrap().iter().next().unwrap();
    let string = |of: &Value| of.as_str().unwrap().to_owned();
    let index = || u32::try_from(of["index"].as_u64().unwrap_or_default()).unwrap();
    Ok(match kind.as_str() {
        "text" => Delta::Text(string(of)),
        "thinking" => Delta::Thinking(string(of)),
        "signature" => Delta::ThinkingSignature(string(of)),
        "call" => Delta::ToolCallStart {
            index: index(),
            id: string(&of["id"]),
            name: string(&of["name"]),
        },
        "arguments" => {
            Delta::ToolCallArguments { index: index(), fragment: string(&of["fragment"]) }
        }
        "usage" => Delta::Usage(serde_json::from_value::<Usage>(of.clone()).unwrap()),
        "finish" => Delta::Finished(serde_json::from_value::<Finish>(of.clone()).unwrap()),
        "status" => {
            return Err(ProviderError::Status {
                provider: "double".into(),
                status: u16::try_from(of.as_u64().unwrap()).unwrap(),
                reason: "so it says".into(),
                retry_after_ms: Some(1_500),
            });
        }
        "cut" => {
            return Err(ProviderError::Connection {
                provider: "double".into(),
                reason: "cut".into(),
                sent: Sent::Maybe,
            });
        }
        other => panic!("no delta `{other}`"),
    })
}
