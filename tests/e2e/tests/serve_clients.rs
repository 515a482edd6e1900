//! The endpoint before the clients that people use: the official ones of OpenAI (Python and
//! JavaScript) and Anthropic (Python), as they are published.

use e2e::{Answer, Client, How, Place, Play, Server, served};
use serde_json::{Value, json};

use Client::{AnthropicPython, OpenAiJs, OpenAiPython};

const PRICED: &str = r#"{price: {input: "$2", cached: "$0.50", output: "$8"}}"#;
/// Of a hundred tokens in, of them sixty from the cache, and seven out.
const COST: u64 = 40 * 2_000 + 60 * 500 + 7 * 8_000;
const CLIENTS: [Client; 3] = [OpenAiPython, OpenAiJs, AnthropicPython];

/// A question as the client asks it.
fn question(client: Client) -> Value {
    let mut request =
        json!({"model": "default", "messages": [{"role": "user", "content": "Hello."}]});
    if client == AnthropicPython {
        request["max_tokens"] = json!(500);
    }
    request
}

/// Text and the reason of the end, as the client shows them.
fn said(client: Client, answer: &Value) -> (&str, &str) {
    let (text, reason) = match client {
        AnthropicPython => (&answer["content"][0]["text"], &answer["stop_reason"]),
        _ => (&answer["choices"][0]["message"]["content"], &answer["choices"][0]["finish_reason"]),
    };
    (text.as_str().expect("a text"), reason.as_str().expect("a reason"))
}

/// Tokens as the client shows them: all of the input, what of it was cached, the output.
fn tokens(client: Client, answer: &Value) -> [u64; 3] {
    let count = |path: &str| answer.pointer(path).and_then(Value::as_u64).expect("a count");
    match client {
        AnthropicPython => {
            let cached = count("/usage/cache_read_input_tokens");
            [count("/usage/input_tokens") + cached, cached, count("/usage/output_tokens")]
        }
        _ => [
            count("/usage/prompt_tokens"),
            count("/usage/prompt_tokens_details/cached_tokens"),
            count("/usage/completion_tokens"),
        ],
    }
}

#[test]
fn whole_and_streamed_answers_reach_every_client_with_their_usage() {
    for client in CLIENTS {
        for how in [How::Whole, How::Stream] {
            let place = Place::new();
            let server = Server::start([Play::Stream(
                Answer::text("Grüße, 🦀 from afar.").usage(100, 60, 7),
            )]);
            let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
            let token = place.mint("me");
            let mut request = question(client);
            if how == How::Stream && client != AnthropicPython {
                request["stream_options"] = json!({"include_usage": true});
            }
            let answers = client.ask(&place, &endpoint, &token, how, &request).answered();
            let [answer] = &answers[..] else { panic!("one answer: {answers:?}") };
            let (text, reason) = said(client, answer);
            assert_eq!(text, "Grüße, 🦀 from afar.", "{client:?} {how:?}");
            assert!(["stop", "end_turn"].contains(&reason), "{client:?} {how:?}: {reason}");
            assert_eq!(tokens(client, answer), [100, 60, 7], "{client:?} {how:?}");
            endpoint.stop();
            assert_eq!(place.spent(), COST, "{client:?} {how:?}");
            let asked = server.next_request();
            assert_eq!(asked.header("authorization"), Some(&*format!("Bearer {}", e2e::KEY)));
            assert_eq!(asked.body["stream_options"]["include_usage"], true);
        }
    }
}
