//! How answers under way and the program's end get along, and how a paused agent's clients wait.

use std::time::Instant;

use e2e::{Answer, Client, Endpoint, Family, How, Place, Play, Server, served};
use serde_json::json;

const PRICED: &str = r#"{price: {input: "$2", cached: "$0.50", output: "$8"}}"#;
/// Of one answer of [`Family::says`].
const COST: u64 = 40 * 2_000 + 60 * 500 + 7 * 8_000;
const CHAT: &str = "/v1/chat/completions";
const HELLO: &str =
    r#"{"model": "default", "stream": true, "messages": [{"role": "user", "content": "Hello."}]}"#;

#[test]
fn a_stream_under_way_comes_to_its_end_when_the_program_is_ended() {
    let server = Server::start([Play::Gated(Answer::text("One two three.").usage(100, 60, 7))]);
    let place = Place::new();
    let endpoint = place.serve(&served(&server, "openai", PRICED, ""));
    let token = place.mint("me");
    let stream = endpoint.curl_begins(&place, &token, CHAT, HELLO);
    stream.see("\"One \"");
    endpoint.terminate();
    // Whoever comes now is not served any more; the port is closed at some moment soon.
    let deadline = Instant::now() + e2e::DEADLINE;
    while endpoint.is_open() {
        assert!(Instant::now() < deadline, "the port stays open");
        std::thread::yield_now();
    }
    server.release();
    stream.see("data: [DONE]");
    endpoint.stopped();
    assert_eq!(place.spent(), COST);
}

#[test]
fn what_a_killed_program_left_reserved_is_booked_by_the_next() {
    let server = Server::start([
        Play::Hold(Answer::text("The beginning of ")),
        Family::OpenAi.says("Hello."),
    ]);
    let place = Place::new();
    let yaml = served(&server, "openai", PRICED, "");
    let endpoint = place.serve(&yaml);
    let token = place.mint("me");
    let stream = endpoint.curl_begins(&place, &token, CHAT, HELLO);
    stream.see("\"of \"");
    endpoint.kill();
    server.connection_closed();
    // The token is good for the next program, too.
    let endpoint = place.serve(&yaml);
    assert_eq!(endpoint.curl(&place, &token, CHAT, Some(HELLO)).status, 200);
    endpoint.stop();
    let spends = place.spends();
    let endings: Vec<_> = spends.iter().map(|spend| spend.ending.as_str()).collect();
    assert_eq!(endings, ["recovered", "settled"]);
    assert_eq!(spends[0].cost, spends[0].reserved, "in full: nobody knows better");
    assert_eq!(spends[1].cost, COST);
}

#[test]
fn clients_of_a_paused_agent_wait_and_are_answered_when_its_cap_is_raised() {
    for client in Client::ALL {
        for how in [How::Whole, How::Stream] {
            let server = Server::start([Family::OpenAi.says("At last.")]);
            let place = Place::new();
            let keys = ", budget: {daily: $0.000001, on_exceeded: pause}";
            let endpoint = place.serve(&served(&server, "openai", PRICED, keys));
            let token = place.mint("me");
            let request = client.question(json!("Hello."));
            let answers = std::thread::scope(|scope| {
                let asked = scope.spawn(|| client.ask(&place, &endpoint, &token, how, &request));
                waits(&place, &endpoint, &token);
                let config = place.path().join("xpressclaw.yaml");
                let config = config.to_str().expect("a temporary folder with a readable name");
                let set = ["budget", "set", "daily", "$2", "--agent", "me", "--config", config];
                place.command(set).done().succeeded();
                asked.join().expect("the client ends").answered()
            });
            assert_eq!(client.text(&answers[0]), "At last.", "{client:?} {how:?}");
            endpoint.stop();
            server.next_request();
            assert_eq!(server.unseen(), 0, "{client:?} {how:?}: asked once");
            assert_eq!(place.spent(), COST, "{client:?} {how:?}");
        }
    }
}

/// Waits until a request is under way.
#[track_caller]
fn waits(place: &Place, endpoint: &Endpoint, token: &str) {
    let deadline = Instant::now() + e2e::DEADLINE;
    loop {
        let metrics = endpoint.curl(place, token, "/metrics", None).body;
        if metrics.lines().any(|line| line == "xpressclaw_open_requests 1") {
            return;
        }
        assert!(Instant::now() < deadline, "nobody waits: {metrics}");
    }
}
