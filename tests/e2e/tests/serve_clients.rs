//! The endpoint before the clients that people use: the official ones of OpenAI (Python and
//! JavaScript) and Anthropic (Python), as they are published, each with models of either family.

use e2e::{Client, Endpoint, Family, How, Place, Play, Reply, Seen, Server, served};
use serde_json::{Value, json};

const PRICED: &str =
    r#"{images: true, reasoning: true, price: {input: "$2", cached: "$0.50", output: "$8"}}"#;
/// Of one answer of [`Family::says`].
const COST: u64 = 40 * 2_000 + 60 * 500 + 7 * 8_000;

/// The program with the agent `me`, and a token of it.
struct Served {
    place: Place,
    endpoint: Endpoint,
    token: String,
}

impl Served {
    fn new(server: &Server, family: Family) -> Self {
        let place = Place::new();
        let endpoint = place.serve(&served(server, family.kind(), PRICED, ""));
        let token = place.mint("me");
        Self { place, endpoint, token }
    }

    #[track_caller]
    fn ask(&self, client: Client, how: How, request: &Value, tools: &Value) -> Seen {
        client.converse(&self.place, &self.endpoint, &self.token, how, request, tools)
    }

    /// Ends the program in order; what was spent meanwhile.
    #[track_caller]
    fn spent(self) -> u64 {
        self.endpoint.stop();
        self.place.spent()
    }
}

/// Usage at the end of a stream is asked for in chat completions, and always there in messages.
fn with_usage(client: Client, how: How, mut request: Value) -> Value {
    if how != How::Whole && client.family() == Family::OpenAi {
        request["stream_options"] = json!({"include_usage": true});
    }
    request
}

/// Each client, of whole answers and of streams, with models of each family.
#[allow(clippy::print_stderr, reason = "a test that fails shows with whom")]
fn everywhere(check: impl Fn(Client, How, Family)) {
    for family in Family::ALL {
        for client in Client::ALL {
            for how in [How::Whole, How::Stream] {
                eprintln!("{client:?}, {how:?}, model of {family:?}");
                check(client, how, family);
            }
        }
    }
}

#[test]
fn whole_and_streamed_answers_reach_every_client_with_their_usage() {
    everywhere(|client, how, family| {
        let server = Server::start([family.says("Grüße, 🦀 from afar.")]);
        let served = Served::new(&server, family);
        let request = with_usage(client, how, client.question(json!("Hello.")));
        let answers = served.ask(client, how, &request, &json!({})).answered();
        let [answer] = &answers[..] else { panic!("one answer: {answers:?}") };
        assert_eq!(client.text(answer), "Grüße, 🦀 from afar.");
        assert_eq!(client.reason(answer), "stop");
        assert_eq!(client.tokens(answer), [100, 60, 7]);
        assert_eq!(served.spent(), COST);
        let asked = server.next_request();
        assert_eq!(asked.messages().last(), Some(&("user".to_owned(), "Hello.".to_owned())));
        assert_eq!(server.unseen(), 0);
    });
}

#[test]
fn a_tool_is_called_and_its_result_goes_back() {
    everywhere(|client, how, family| {
        let arguments = json!({"city": "Zürich \"City\" 🦀"});
        let server = Server::start([
            family.calls("I look. ", "call_1", "weather", &arguments),
            family.says("It rains."),
        ]);
        let served = Served::new(&server, family);
        let mut request = with_usage(client, how, client.question(json!("The weather?")));
        request["tools"] = json!([client.tool("weather", "city")]);
        let tools = json!({"weather": "rain, 9 °C"});
        let answers = served.ask(client, how, &request, &tools).answered();
        let [call, answer] = &answers[..] else { panic!("two answers: {answers:?}") };
        assert_eq!((client.text(call).as_str(), client.reason(call)), ("I look. ", "tool_calls"));
        assert_eq!((client.text(answer).as_str(), client.reason(answer)), ("It rains.", "stop"));
        let offered = server.next_request().body;
        assert!(offered["tools"][0].to_string().contains("weather"), "{offered}");
        family.continues(&server, "call_1", &arguments, "rain, 9 °C");
        assert_eq!(served.spent(), 2 * COST);
    });
}

#[test]
fn an_image_reaches_the_model_byte_for_byte() {
    /// One pixel.
    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    for family in Family::ALL {
        for client in Client::ALL {
            let server = Server::start([family.says("A dot.")]);
            let served = Served::new(&server, family);
            let content = json!([{"type": "text", "text": "What is it?"}, client.image(PNG)]);
            let request = client.question(content);
            served.ask(client, How::Whole, &request, &json!({})).answered();
            let body = server.next_request().body;
            let image = &body["messages"][0]["content"][1];
            let expected = match family {
                Family::OpenAi => Client::OpenAiPython.image(PNG),
                Family::Anthropic => Client::AnthropicPython.image(PNG),
            };
            for (key, value) in expected.as_object().expect("an object") {
                let pointer = |value: &Value| match key.as_str() {
                    "image_url" => value["url"].clone(),
                    _ => value.clone(),
                };
                assert_eq!(pointer(&image[key]), pointer(value), "{client:?} {family:?}: {body}");
            }
        }
    }
}

#[test]
fn thinking_and_its_proofs_go_around_through_anthropics_client() {
    let client = Client::AnthropicPython;
    for how in [How::Whole, How::Stream] {
        let server = Server::start([
            Play::Messages(
                Reply::to(40, 0, 60)
                    .think("It may rain.", "EqQBsigned==")
                    .redacted("EmwKsecret==")
                    .say("I look.")
                    .call("toolu_1", "weather", &json!({"city": "Bern"}))
                    .output(7),
            ),
            Family::Anthropic.says("It rains."),
        ]);
        let served = Served::new(&server, Family::Anthropic);
        let mut request = client.question(json!("The weather?"));
        request["max_tokens"] = json!(4_000);
        request["thinking"] = json!({"type": "enabled", "budget_tokens": 2_000});
        request["tools"] = json!([client.tool("weather", "city")]);
        let answers = served.ask(client, how, &request, &json!({"weather": "rain"})).answered();
        let thought = &answers[0]["content"][0];
        assert_eq!(
            (&thought["type"], &thought["thinking"]),
            (&json!("thinking"), &json!("It may rain."))
        );
        assert_eq!(client.text(&answers[1]), "It rains.");
        assert_ne!(server.next_request().body["thinking"], Value::Null);
        let body = server.next_request().body;
        let blocks = &body["messages"][1]["content"];
        assert_eq!(
            blocks[0],
            json!({"type": "thinking", "thinking": "It may rain.", "signature": "EqQBsigned=="}),
            "{body}"
        );
        assert_eq!(
            blocks[1],
            json!({"type": "redacted_thinking", "data": "EmwKsecret=="}),
            "{body}"
        );
        assert_eq!(served.spent(), 2 * COST);
    }
}

#[test]
fn usage_is_hidden_from_who_did_not_ask_for_it() {
    for client in [Client::OpenAiPython, Client::OpenAiJs] {
        let says = || Family::OpenAi.says("One two.");
        let server = Server::start([says(), says()]);
        let served = Served::new(&server, Family::OpenAi);
        let request = client.question(json!("Count."));
        let ask = |request: &Value| served.ask(client, How::Raw, request, &json!({})).pieces;

        let silent = ask(&request);
        assert!(silent.len() >= 3, "{silent:?}");
        for chunk in &silent {
            assert_eq!(chunk.get("usage"), None, "{client:?}: {chunk}");
            assert_ne!(chunk["choices"], json!([]), "{client:?}: {chunk}");
        }
        let told = ask(&with_usage(client, How::Raw, request.clone()));
        let (last, before) = told.split_last().expect("chunks");
        assert_eq!(last["choices"], json!([]), "{client:?}");
        assert_eq!(client.tokens(last), [100, 60, 7], "{client:?}");
        assert!(before.iter().all(|chunk| chunk["usage"].is_null()), "{client:?}: {before:?}");

        for _ in 0..2 {
            assert_eq!(server.next_request().body["stream_options"]["include_usage"], true);
        }
        assert_eq!(served.spent(), 2 * COST, "{client:?}");
    }
}

#[test]
fn every_client_lists_the_models_of_its_agent() {
    let server = Server::start([]);
    let place = Place::new();
    let keys = ", models: [mock/other]";
    let yaml = served(&server, "openai", PRICED, keys);
    let endpoint =
        place.serve(&yaml.replace("{m: ", "{other: {price: free}, mine: {price: free}, m: "));
    let token = place.mint("me");
    for client in Client::ALL {
        let seen = client.ask(&place, &endpoint, &token, How::Models, &json!({}));
        let answers = seen.answered();
        let ids: Vec<_> = answers.iter().filter_map(|model| model["id"].as_str()).collect();
        assert_eq!(ids, ["mock/m", "mock/other"], "{client:?}");
    }
    endpoint.stop();
}
