//! The same question and the same answer as each client has them, so that one test can be about all.

use serde_json::{Value, json};

use crate::{Answer, Client, Play, Reply, Server};

/// A provider's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    OpenAi,
    Anthropic,
}

impl Client {
    pub const ALL: [Self; 3] = [Self::OpenAiPython, Self::OpenAiJs, Self::AnthropicPython];

    pub fn family(self) -> Family {
        if self == Self::AnthropicPython { Family::Anthropic } else { Family::OpenAi }
    }

    /// A request with one message.
    pub fn question(self, content: Value) -> Value {
        let mut request =
            json!({"model": "default", "messages": [{"role": "user", "content": content}]});
        if self.family() == Family::Anthropic {
            request["max_tokens"] = json!(500);
        }
        request
    }

    /// A tool with one text for an argument.
    pub fn tool(self, name: &str, argument: &str) -> Value {
        let schema = json!({
            "type": "object", "properties": {argument: {"type": "string"}}, "required": [argument],
        });
        match self.family() {
            Family::OpenAi => json!({"type": "function", "function": {
                "name": name, "description": "A tool.", "parameters": schema,
            }}),
            Family::Anthropic => {
                json!({"name": name, "description": "A tool.", "input_schema": schema})
            }
        }
    }

    /// An image of PNG bytes in base64.
    pub fn image(self, data: &str) -> Value {
        match self.family() {
            Family::OpenAi => {
                let url = format!("data:image/png;base64,{data}");
                json!({"type": "image_url", "image_url": {"url": url}})
            }
            Family::Anthropic => json!({"type": "image", "source": {
                "type": "base64", "media_type": "image/png", "data": data,
            }}),
        }
    }

    /// The text of an answer.
    pub fn text(self, answer: &Value) -> String {
        if self.family() == Family::OpenAi {
            let text = answer["choices"][0]["message"]["content"].as_str();
            return text.unwrap_or_default().to_owned();
        }
        let blocks = answer["content"].as_array().expect("blocks");
        blocks.iter().filter_map(|block| block["text"].as_str()).collect()
    }

    /// Why it ended, by the word of chat completions.
    pub fn reason(self, answer: &Value) -> &str {
        let (reason, anthropic) = match self.family() {
            Family::OpenAi => (&answer["choices"][0]["finish_reason"], false),
            Family::Anthropic => (&answer["stop_reason"], true),
        };
        match reason.as_str().expect("a reason") {
            "end_turn" if anthropic => "stop",
            "tool_use" if anthropic => "tool_calls",
            "max_tokens" if anthropic => "length",
            other => other,
        }
    }

    /// Its tokens: all of the input, what of it was cached, the output.
    pub fn tokens(self, answer: &Value) -> [u64; 3] {
        let count = |path: &str| {
            let count = answer.pointer(path).and_then(Value::as_u64);
            count.unwrap_or_else(|| panic!("no {path} in {answer}"))
        };
        match self.family() {
            Family::OpenAi => [
                count("/usage/prompt_tokens"),
                count("/usage/prompt_tokens_details/cached_tokens"),
                count("/usage/completion_tokens"),
            ],
            Family::Anthropic => {
                let cached = count("/usage/cache_read_input_tokens");
                let plain = count("/usage/input_tokens");
                [plain + cached, cached, count("/usage/output_tokens")]
            }
        }
    }
}

impl Family {
    pub const ALL: [Self; 2] = [Self::OpenAi, Self::Anthropic];

    /// The provider's type in a configuration.
    pub fn kind(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// An answer that says `text`, with a hundred tokens in, of them sixty cached, and seven out.
    pub fn says(self, text: &str) -> Play {
        match self {
            Self::OpenAi => Play::Stream(Answer::text(text).usage(100, 60, 7)),
            Self::Anthropic => Play::Messages(Reply::to(40, 0, 60).say(text).output(7)),
        }
    }

    /// The same that says `text` and calls a tool.
    pub fn calls(self, text: &str, id: &str, name: &str, arguments: &Value) -> Play {
        match self {
            Self::OpenAi => {
                Play::Stream(Answer::text(text).call(id, name, arguments).usage(100, 60, 7))
            }
            Self::Anthropic => {
                Play::Messages(Reply::to(40, 0, 60).say(text).call(id, name, arguments).output(7))
            }
        }
    }

    /// The same that breaks off after `text`.
    pub fn cut(self, text: &str) -> Play {
        match self {
            Self::OpenAi => Play::Cut(Answer::text(text)),
            Self::Anthropic => Play::CutMessages(Reply::to(40, 0, 60).say(text)),
        }
    }

    /// Checks that the provider's next request continues a conversation with the call and its result.
    #[track_caller]
    pub fn continues(self, server: &Server, id: &str, arguments: &Value, result: &str) {
        let body = server.next_request().body;
        let messages = body["messages"].as_array().expect("messages");
        let [.., called, answered] = &messages[..] else { panic!("{body}") };
        match self {
            Self::OpenAi => {
                let call = &called["tool_calls"][0];
                assert_eq!(call["id"], id, "{body}");
                let sent = call["function"]["arguments"].as_str().expect("arguments");
                let sent: Value = serde_json::from_str(sent).expect("arguments of JSON");
                assert_eq!(sent, *arguments);
                assert_eq!(answered["role"], "tool", "{body}");
                assert_eq!(answered["tool_call_id"], id);
                assert!(answered["content"].to_string().contains(result), "{body}");
            }
            Self::Anthropic => {
                let blocks = called["content"].as_array().expect("blocks");
                let call = blocks.iter().find(|block| block["type"] == "tool_use");
                let call = call.unwrap_or_else(|| panic!("no call in {body}"));
                assert_eq!((&call["id"], &call["input"]), (&json!(id), arguments));
                let block = &answered["content"][0];
                assert_eq!(
                    (&block["type"], &block["tool_use_id"]),
                    (&json!("tool_result"), &json!(id))
                );
                assert!(block["content"].to_string().contains(result), "{body}");
            }
        }
    }
}
