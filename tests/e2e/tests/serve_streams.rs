//! Streams of the endpoint on the wire, and what becomes of those that do not come to their end.

use std::time::Instant;

use e2e::{Answer, Client, Family, How, Place, Play, Server, served};
use serde_json::{Value, json};

const PRICED: &str = r#"{price: {input: "$2", cached: "$0.50", output: "$8"}}"#;
/// Of one answer of [`Family::says`].
const COST: u64 = 40 * 2_000 + 60 * 500 + 7 * 8_000;
const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

fn request() -> String {
    json!({
        "model": "default", "stream": true, "max_tokens": 500,
        "messages": [{"role": "user", "content": "Hello."}],
    })
    .to_string()
}

#[test]
fn the_bytes_of_a_stream_are_those_of_its_protocol() {
    let server = Server::start([Family::OpenAi.says("A b."), Family::OpenAi.says("A b.")]);
    let place = Place::new();
    let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
    let token = place.mint("me");

    let answer = endpoint.curl(&place, &token, CHAT, Some(&request()));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(answer.header("x-xpressclaw-model"), Some("mock/m"));
    let events: Vec<&str> = answer.body.split("\n\n").collect();
    let [chunks @ .., done, ""] = &events[..] else { panic!("{events:?}") };
    assert_eq!(*done, "data: [DONE]");
    let choice = |chunk: &&str| -> Value {
        let chunk: Value =
            serde_json::from_str(chunk.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(chunk["object"], "chat.completion.chunk");
        chunk["choices"][0].clone()
    };
    let choices: Vec<Value> = chunks.iter().map(choice).collect();
    assert_eq!(choices[0]["delta"]["role"], "assistant");
    let text: String =
        choices.iter().filter_map(|choice| choice["delta"]["content"].as_str()).collect();
    assert_eq!(text, "A b.");
    assert_eq!(choices.last().expect("chunks")["finish_reason"], "stop");

    let answer = endpoint.curl(&place, &token, MESSAGES, Some(&request()));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
    let names: Vec<_> =
        answer.body.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!((names[0], names[1]), ("message_start", "content_block_start"), "{names:?}");
    assert!(names.ends_with(&["content_block_stop", "message_delta", "message_stop"]), "{names:?}");
    endpoint.stop();
    assert_eq!(place.spent(), 2 * COST);
}

#[test]
fn who_goes_away_in_a_stream_ends_the_providers_and_what_was_used_is_booked() {
    for path in [CHAT, MESSAGES] {
        let server = Server::start([Play::Hold(Answer::text("The beginning of "))]);
        let place = Place::new();
        let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
        let token = place.mint("me");
        let stream = endpoint.curl_begins(&place, &token, path, &request());
        stream.see("\"of \"");
        stream.kill();
        server.connection_closed();
        // While the program still serves, not because it ends.
        let deadline = Instant::now() + e2e::DEADLINE;
        while place.spends().is_empty() {
            assert!(Instant::now() < deadline, "{path}: nothing is settled");
            std::thread::yield_now();
        }
        endpoint.stop();
        let spends = place.spends_settled();
        assert_eq!(spends.len(), 1, "{path}");
        assert_eq!(spends[0].ending, "settled", "{path}");
        assert!(spends[0].cost > 0 && spends[0].cost < spends[0].reserved, "{spends:?}");
        server.next_request();
        assert_eq!(server.unseen(), 0, "{path}");
    }
}

#[test]
fn a_provider_that_breaks_off_is_told_in_a_stream_that_ends() {
    for family in Family::ALL {
        let server = Server::start([family.cut("The beginning "), family.cut("The beginning ")]);
        let place = Place::new();
        let endpoint = place.serve(&served(&server, family.kind(), PRICED, ""));
        let token = place.mint("me");

        let answer = endpoint.curl(&place, &token, CHAT, Some(&request()));
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("\"The \""), "{answer:?}");
        let events: Vec<&str> = answer.body.split("\n\n").collect();
        let [.., error, "data: [DONE]", ""] = &events[..] else { panic!("{answer:?}") };
        let error: Value =
            serde_json::from_str(error.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(error["error"]["code"], "provider_failed", "{error}");

        let answer = endpoint.curl(&place, &token, MESSAGES, Some(&request()));
        assert_eq!(answer.status, 200);
        let last = answer.body.trim_end().rsplit("\n\n").next().expect("an event");
        let data =
            last.strip_prefix("event: error\ndata: ").unwrap_or_else(|| panic!("{answer:?}"));
        let error: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(error["type"], "error");

        endpoint.stop();
        let spends = place.spends_settled();
        assert_eq!(spends.len(), 2, "{family:?}: nobody asked again");
        for spend in spends {
            assert_eq!(spend.ending, "settled", "{family:?}");
            assert!(spend.cost > 0, "{family:?}: {spend:?}");
        }
    }
}

#[test]
fn a_stream_that_breaks_off_is_the_clients_own_error_and_is_not_asked_for_again() {
    for client in Client::ALL {
        let server = Server::start([Family::OpenAi.cut("The beginning ")]);
        let place = Place::new();
        let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
        let token = place.mint("me");
        let request = client.question(json!("Hello."));
        let error = client.ask(&place, &endpoint, &token, How::Raw, &request).failed();
        assert!(error["message"].to_string().contains("broke off"), "{client:?}: {error}");
        endpoint.stop();
        server.next_request();
        assert_eq!(server.unseen(), 0, "{client:?}");
        assert!(place.spent() > 0, "{client:?}");
    }
}
