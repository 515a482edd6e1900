//! What agents' programs do beyond a question and one tool, with the official clients: several calls
//! in one answer, answers by a schema, answers that are cut at their limit, the local model.

use e2e::{Answer, Client, Family, How, Place, Play, Reply, Server, served};
use serde_json::{Value, json};

const PRICED: &str = r#"{images: true, reasoning: true, price: {input: "$2", output: "$8"}}"#;

/// One conversation of a client with a model of `family`; the answers as the client has them.
#[track_caller]
fn converse(
    client: Client,
    how: How,
    family: Family,
    server: &Server,
    request: &Value,
    tools: &Value,
) -> Vec<Value> {
    let place = Place::new();
    let endpoint = place.serve(&served(server, family.kind(), PRICED, ""));
    let token = place.mint("me");
    let seen = client.converse(&place, &endpoint, &token, how, request, tools);
    endpoint.stop();
    place.spends_settled();
    seen.answered()
}

#[test]
fn several_calls_of_one_answer_are_told_apart() {
    let first = json!({"city": "Bern"});
    let second = json!({"city": "Genève, \u{2028} \"GE\""});
    for family in Family::ALL {
        for client in Client::ALL {
            let calls = match family {
                Family::OpenAi => Play::Stream(
                    Answer::default()
                        .call("call_a", "weather", &first)
                        .call("call_b", "weather", &second)
                        .call("call_c", "now", &json!({}))
                        .usage(10, 0, 5),
                ),
                Family::Anthropic => Play::Messages(
                    Reply::to(10, 0, 0)
                        .call("call_a", "weather", &first)
                        .call("call_b", "weather", &second)
                        .call("call_c", "now", &json!({}))
                        .output(5),
                ),
            };
            let server = Server::start([calls, family.says("Done.")]);
            let mut request = client.question(json!("The weather?"));
            request["tools"] = json!([client.tool("weather", "city"), client.tool("now", "zone")]);
            let tools = json!({"weather": "rain", "now": "noon"});
            let answers = converse(client, How::Stream, family, &server, &request, &tools);
            assert_eq!(client.text(&answers[1]), "Done.", "{client:?} {family:?}");
            server.next_request();
            let body = server.next_request().body;
            let messages = body["messages"].as_array().expect("messages");
            let calls: Vec<(Value, Value)> = match family {
                Family::OpenAi => {
                    let calls = messages[1]["tool_calls"].as_array().expect("calls");
                    let input = |call: &Value| {
                        let text = call["function"]["arguments"].as_str().expect("arguments");
                        serde_json::from_str(text).expect("JSON")
                    };
                    calls.iter().map(|call| (call["id"].clone(), input(call))).collect()
                }
                Family::Anthropic => {
                    let blocks = messages[1]["content"].as_array().expect("blocks").iter();
                    let calls = blocks.filter(|block| block["type"] == "tool_use");
                    calls.map(|call| (call["id"].clone(), call["input"].clone())).collect()
                }
            };
            let expected = [
                (json!("call_a"), first.clone()),
                (json!("call_b"), second.clone()),
                (json!("call_c"), json!({})),
            ];
            assert_eq!(calls, expected, "{client:?} {family:?}");
            for result in ["rain", "noon"] {
                assert!(body.to_string().contains(result), "{client:?} {family:?}: {body}");
            }
        }
    }
}

#[test]
fn a_schema_for_the_answer_reaches_either_family() {
    let schema = json!({
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        "additionalProperties": false,
    });
    for family in Family::ALL {
        for client in Client::ALL {
            let server = Server::start([family.says(r#"{"city": "Bern"}"#)]);
            let mut request = client.question(json!("Which city?"));
            match client.family() {
                Family::OpenAi => {
                    request["response_format"] = json!({"type": "json_schema", "json_schema": {
                        "name": "answer", "strict": true, "schema": schema,
                    }});
                }
                Family::Anthropic => {
                    request["output_config"] =
                        json!({"format": {"type": "json_schema", "schema": schema}});
                }
            }
            let answers = converse(client, How::Whole, family, &server, &request, &json!({}));
            assert_eq!(client.text(&answers[0]), r#"{"city": "Bern"}"#);
            let body = server.next_request().body;
            let sent = match family {
                Family::OpenAi => &body["response_format"]["json_schema"]["schema"],
                Family::Anthropic => &body["output_config"]["format"]["schema"],
            };
            assert_eq!(*sent, schema, "{client:?} {family:?}: {body}");
        }
    }
}

#[test]
fn thinking_of_elsewhere_in_a_history_is_left_out_and_not_refused() {
    let client = Client::AnthropicPython;
    for family in Family::ALL {
        let server = Server::start([family.says("Still dry.")]);
        let mut request = client.question(json!("The weather?"));
        let messages = request["messages"].as_array_mut().expect("messages");
        messages.push(json!({"role": "assistant", "content": [
            {"type": "thinking", "thinking": "Dry, I think.", "signature": "EqQBforeign=="},
            {"type": "redacted_thinking", "data": "EmwKforeign=="},
            {"type": "text", "text": "Dry."},
        ]}));
        messages.push(json!({"role": "user", "content": "And now?"}));
        let answers = converse(client, How::Whole, family, &server, &request, &json!({}));
        assert_eq!(client.text(&answers[0]), "Still dry.");
        let body = server.next_request().body.to_string();
        assert!(body.contains("And now?") && body.contains("Dry."), "{body}");
        assert!(!body.contains("foreign"), "{family:?}: {body}");
    }
}

#[test]
fn the_local_model_answers_every_client() {
    let place = Place::new();
    let yaml = "agents: [{name: me, harness: pi, model: local}]\nlocal: {context_window: 512}\n";
    let models = e2e::models().into_os_string();
    let endpoint = place.serve_with(yaml, |run| run.env("XPRESSCLAW_MODEL_PATH", models));
    let token = place.mint("me");
    for client in Client::ALL {
        let mut request = client.question(json!("Say hello in one sentence."));
        request["max_tokens"] = json!(12);
        let ask = |how| client.ask(&place, &endpoint, &token, how, &request);
        let answers = ask(How::Whole).answered();
        assert!(!client.text(&answers[0]).trim().is_empty(), "{client:?}: {answers:?}");
        let [input, _, output] = client.tokens(&answers[0]);
        assert!(input > 0 && (1..=12).contains(&output), "{client:?}: {answers:?}");
        let reason = client.reason(&answers[0]);
        assert!(["stop", "length"].contains(&reason), "{client:?}: {reason}");
        // Put together, a stream that ends at its limit is an error to OpenAI's client.
        let seen = ask(How::Raw);
        assert_eq!(seen.error, None, "{client:?}");
        let ended = |piece: &Value| match client.family() {
            Family::OpenAi => piece["choices"][0]["finish_reason"].is_string(),
            Family::Anthropic => piece["type"] == "message_stop",
        };
        assert!(seen.pieces.len() > 2, "{client:?}: {:?}", seen.pieces);
        assert!(seen.pieces.last().is_some_and(ended), "{client:?}: {:?}", seen.pieces);
    }
    endpoint.stop();
    assert_eq!(place.spends_settled().len(), 6);
    assert_eq!(place.spent(), 0);
}
