//! Servers that call themselves compatible, as they stream: one row for each habit.

use domain::chat::{Delta, Finish, Usage};
use domain::provider::{Provider as _, ProviderError};
use futures::StreamExt as _;
use providers::openai::OpenAi;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::double::{DEADLINE, Double, end, stream_of};
use crate::{call, config};

/// What an answer comes to, in the order of its parts.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    thinking: String,
    text: String,
    /// Name and arguments.
    calls: Vec<(String, String)>,
    /// Input, cached, cache written, output, reasoning, as told last.
    usage: Option<[u64; 5]>,
    finish: Option<Finish>,
}

fn heard(deltas: Vec<Delta>) -> Heard {
    let mut heard = Heard::default();
    for delta in deltas {
        match delta {
            Delta::Thinking(text) => heard.thinking.push_str(&text),
            Delta::Text(text) => heard.text.push_str(&text),
            Delta::ToolCallStart { index, id, name } => {
                assert_eq!(index as usize, heard.calls.len());
                assert!(!id.is_empty());
                heard.calls.push((name, String::new()));
            }
            Delta::ToolCallArguments { index, fragment } => {
                heard.calls[index as usize].1.push_str(&fragment);
            }
            Delta::Usage(Usage { input, cached, cache_written, output, reasoning }) => {
                heard.usage = Some([input, cached, cache_written, output, reasoning]);
            }
            Delta::Finished(finish) => heard.finish = Some(finish),
            Delta::ThinkingSignature(_) | Delta::ToolCallSignature { .. } | Delta::Model(_) => {}
        }
    }
    heard
}

async fn played(lines: &[&str]) -> Result<Heard, ProviderError> {
    let body: String = lines.iter().map(|line| format!("{line}\n\n")).collect();
    let mut play = stream_of(&[body.as_bytes()]);
    play.push(end());
    let double = Double::start(vec![play]).await;
    let provider = OpenAi::new(config(double.base_url())).unwrap();
    let run = async {
        let mut stream = provider.call(call()).await?;
        let mut deltas = Vec::new();
        while let Some(delta) = stream.next().await {
            deltas.push(delta?);
        }
        Ok(heard(deltas))
    };
    timeout(DEADLINE, run).await.unwrap()
}

fn said(text: &str, finish: Finish) -> Heard {
    Heard { text: text.into(), finish: Some(finish), ..Heard::default() }
}

fn called(calls: &[(&str, &str)]) -> Heard {
    let calls = calls.iter().map(|(name, arguments)| ((*name).into(), (*arguments).into()));
    Heard { calls: calls.collect(), finish: Some(Finish::ToolCalls), ..Heard::default() }
}

#[tokio::test]
async fn what_servers_differ_in() {
    let stop = r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let done = "data: [DONE]";
    for (server, lines, expected) in [
        (
            "OpenAI: usage in a last chunk without choices",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}],"usage":null}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null,"obfuscation":"x7"}"#,
                stop,
                r#"data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":4}}}"#,
                done,
            ][..],
            Heard { usage: Some([9, 4, 0, 2, 0]), ..said("Hi", Finish::Stop) },
        ),
        (
            "OpenAI: a refusal in deltas",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"refusal":"I can"},"finish_reason":null}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"refusal":"not."},"finish_reason":null}]}"#,
                stop,
                done,
            ],
            said("I cannot.", Finish::Refusal),
        ),
        (
            "Azure: a first chunk of filter results, a filter at the end",
            &[
                r#"data: {"choices":[],"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":"A"},"content_filter_offsets":{},"finish_reason":null}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}"#,
                done,
            ],
            said("A", Finish::Refusal),
        ),
        (
            "OpenRouter: comments, reasoning twice, details, usage in the last choice's chunk",
            &[
                ": OPENROUTER PROCESSING",
                ": OPENROUTER PROCESSING",
                r#"data: {"provider":"X","choices":[{"index":0,"delta":{"content":"","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","index":0}]},"finish_reason":null}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":"Yes"},"finish_reason":"stop","native_finish_reason":"end_turn"}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":null}],"usage":{"prompt_tokens":5,"completion_tokens":7,"cost":0.1,"completion_tokens_details":{"reasoning_tokens":3}}}"#,
                done,
            ],
            Heard {
                thinking: "hm".into(),
                usage: Some([5, 0, 0, 7, 3]),
                ..said("Yes", Finish::Stop)
            },
        ),
        (
            "OpenRouter: details alone, of text, summary and what is encrypted",
            &[
                r#"data: {"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.text","text":"a","signature":null},{"type":"reasoning.summary","summary":"b"},{"type":"reasoning.encrypted","data":"xx"}]}}]}"#,
                r#"data: {"choices":[{"delta":{"content":"c"},"finish_reason":"stop"}]}"#,
                done,
            ],
            Heard { thinking: "ab".into(), ..said("c", Finish::Stop) },
        ),
        (
            "DeepSeek: reasoning_content, keep-alives, its own field for cached tokens",
            &[
                ": keep-alive",
                r#"data: {"choices":[{"index":0,"delta":{"content":null,"reasoning_content":"so"},"finish_reason":null}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":"ja","reasoning_content":null},"finish_reason":null}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":3,"total_tokens":13,"prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":4}}"#,
                done,
            ],
            Heard {
                thinking: "so".into(),
                usage: Some([10, 6, 0, 3, 0]),
                ..said("ja", Finish::Stop)
            },
        ),
        (
            "Moonshot: usage in the choice, cached tokens at its top",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"content":"k"},"finish_reason":null}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":8,"completion_tokens":1,"cached_tokens":5}}]}"#,
                done,
            ],
            Heard { usage: Some([8, 5, 0, 1, 0]), ..said("k", Finish::Stop) },
        ),
        (
            "Mistral: thinking as a part of the content, whole calls, its word for the limit",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hmm"}]}]},"finish_reason":null}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":[{"type":"text","text":"ok"}]},"finish_reason":null}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"model_length"}]}"#,
                done,
            ],
            Heard { thinking: "hmm".into(), ..said("ok", Finish::Length) },
        ),
        (
            "vLLM: usage on every chunk",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":{"prompt_tokens":4,"completion_tokens":0,"total_tokens":4}}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":"x"}}],"usage":{"prompt_tokens":4,"completion_tokens":1,"total_tokens":5}}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":"y"},"finish_reason":"stop","stop_reason":null}],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}"#,
                done,
            ],
            Heard { usage: Some([4, 0, 0, 2, 0]), ..said("xy", Finish::Stop) },
        ),
        (
            "Ollama: a whole call under index 0 with `stop`, no usage",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_a1","index":0,"type":"function","function":{"name":"ls","arguments":"{}"}}]},"finish_reason":null}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}"#,
                done,
            ],
            called(&[("ls", "{}")]),
        ),
        (
            "Gemini: calls without an id, arguments as an object, no `[DONE]`",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"name":"ls","arguments":{"p":1}},"id":"","type":"function"},{"function":{"name":"cat","arguments":"{}"},"id":"","type":"function"}]},"finish_reason":"tool_calls"}]}"#,
            ],
            called(&[("ls", "{\"p\":1}"), ("cat", "{}")]),
        ),
        (
            "an older server: function_call",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"function_call":{"name":"ls","arguments":"{\"p\""}}}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{"function_call":{"arguments":":1}"}}}]}"#,
                r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"function_call"}]}"#,
                done,
            ],
            called(&[("ls", "{\"p\":1}")]),
        ),
        (
            "a server that does not stream: the message whole, in one event",
            &[
                r#"data: {"choices":[{"index":0,"message":{"role":"assistant","content":"whole","tool_calls":[{"id":"c","type":"function","function":{"name":"ls","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#,
                done,
            ],
            Heard { text: "whole".into(), ..called(&[("ls", "{}")]) },
        ),
        (
            "a gateway to Anthropic: its names for cached tokens",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"content":"g"},"finish_reason":"stop"}],"usage":{"prompt_tokens":90,"completion_tokens":1,"cache_read_input_tokens":70,"cache_creation_input_tokens":10}}"#,
                done,
            ],
            Heard { usage: Some([90, 70, 10, 1, 0]), ..said("g", Finish::Stop) },
        ),
        (
            "TGI: `eos` and lines without a blank after the colon",
            &[
                r#"data:{"choices":[{"index":0,"delta":{"content":"t"},"finish_reason":null}]}"#,
                r#"data:{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"eos_token"}]}"#,
                "data:[DONE]",
            ],
            said("t", Finish::Stop),
        ),
        (
            "a finish reason that stays null, and zeros for usage",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"content":"n"},"finish_reason":null}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#,
                done,
            ],
            said("n", Finish::Stop),
        ),
        (
            "`tool_calls` announced behind text alone",
            &[
                r#"data: {"choices":[{"index":0,"delta":{"content":"just text"},"finish_reason":"tool_calls"}]}"#,
                done,
            ],
            said("just text", Finish::Stop),
        ),
    ] {
        assert_eq!(played(lines).await, Ok(expected), "{server}");
    }
}

#[tokio::test]
async fn errors_inside_a_stream_that_began_as_a_success() {
    let status = |status, reason: &str| ProviderError::Status {
        provider: "openai".into(),
        status,
        reason: reason.into(),
        retry_after_ms: None,
    };
    for (line, expected) in [
        (
            json!({"id": "g", "error": {"code": 502, "message": "Upstream died"},
                "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}),
            status(502, "Upstream died"),
        ),
        (
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "error",
                "error": {"code": 429, "message": "busy"}}]}),
            status(429, "too many requests: busy"),
        ),
        (json!({"error": "engine died"}), status(500, "engine died")),
        (
            json!({"error": {"message": "maximum context length is 64 tokens", "type": "BadRequestError", "code": 400}}),
            ProviderError::ContextExceeded { window: 64 },
        ),
    ] {
        let first = r#"data: {"choices":[{"index":0,"delta":{"content":"so far"}}]}"#;
        for before in [&[][..], &[first]] {
            let event = format!("data: {line}");
            let lines: Vec<&str> = before.iter().copied().chain([event.as_str()]).collect();
            assert_eq!(played(&lines).await, Err(expected.clone()), "{line}");
        }
    }
    let unnamed: Value = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]});
    let error = played(&[&format!("data: {unnamed}")]).await.unwrap_err();
    assert!(matches!(error, ProviderError::Malformed { .. }), "{error}");
}
