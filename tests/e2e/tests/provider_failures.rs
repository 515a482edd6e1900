//! Providers that refuse, stumble or break off.

use std::time::Duration;

use e2e::{Answer, Done, Place, Play, Server};

const PRICED: &str = r#"{price: {input: "$2", output: "$8"}}"#;
const JSON: &str = "content-type: application/json\r\n";

fn echo(place: &Place, server: &Server) -> Done {
    place.run_with("echo", server, PRICED).args(["--format", "json", "Hello."]).done()
}

#[test]
fn what_helps_is_said_and_nothing_is_billed() {
    for (status, body, expected) in [
        (
            "401 Unauthorized",
            r#"{"error": {"message": "bad key"}}"#,
            "the key set by `providers.mock.api_key in xpressclaw.yaml` was refused",
        ),
        ("404 Not Found", "<html>nothing here</html>", "check the provider's base URL"),
        (
            "404 Not Found",
            r#"{"error": {"code": "model_not_found", "message": "The model `m` does not exist"}}"#,
            "`m`",
        ),
        (
            "429 Too Many Requests",
            r#"{"error": {"code": "insufficient_quota", "message": "pay first"}}"#,
            "no credit left",
        ),
    ] {
        let place = Place::new();
        let server = Server::start([Play::Plain { status, headers: JSON, body }]);
        let run = place.run_with("echo", &server, PRICED).args(["Hello."]);
        let done = run.done().exited(3);
        assert!(done.stderr.contains(expected), "{status}: {}", done.stderr);
        assert_eq!(done.stdout, "");
        server.next_request();
        assert_eq!(server.unseen(), 0, "{status} is not worth another try");
        let spends = place.spends();
        let endings: Vec<_> = spends.iter().map(|s| (s.ending.as_str(), s.cost)).collect();
        assert_eq!(endings, [("released", 0)], "{status}");
    }
}

#[test]
fn too_many_requests_are_tried_again_when_the_provider_says() {
    let place = Place::new();
    let server = Server::start([
        Play::Plain {
            status: "429 Too Many Requests",
            headers: "retry-after: 1\r\n",
            body: r#"{"error": {"message": "slow down"}}"#,
        },
        Play::Stream(Answer::text("Now then.").usage(10, 0, 2)),
    ]);
    let done = echo(&place, &server).succeeded();
    assert!(done.elapsed >= Duration::from_secs(1), "{:?}", done.elapsed);
    let retry = done.event("retry");
    assert_eq!(retry["step"], 1);
    assert_eq!(retry["attempt"], 1);
    assert!(retry["delay_ms"].as_u64() >= Some(1_000), "{retry}");
    assert!(retry["reason"].to_string().contains("too many requests"), "{retry}");
    assert_eq!(done.answer(), "Now then.");
    assert_eq!(place.spent(), 10 * 2_000 + 2 * 8_000);
    assert_eq!(place.spends().len(), 1, "one reservation for all attempts");
}

#[test]
fn a_provider_that_stays_broken_is_given_up() {
    let place = Place::new();
    let broken = || Play::Plain { status: "500 Internal Server Error", headers: "", body: "" };
    let server = Server::start([broken(), broken(), broken(), broken(), broken()]);
    let done = echo(&place, &server).exited(3);
    assert_eq!(done.events_of("retry").len(), 3);
    assert_eq!(done.event("step_finished")["cost"], 0);
    assert!(done.event("step_failed")["message"].to_string().contains("500"));
    assert!(done.event("turn_failed")["message"].to_string().contains("mock"));
    assert_eq!(server.unseen(), 4);
    assert_eq!(place.spends_settled()[0].ending, "released");
}

#[test]
fn an_answer_that_breaks_off_fails_and_what_it_used_is_booked() {
    let place = Place::new();
    let said = "The beginning of an answer that";
    let server = Server::start([Play::Cut(Answer::text(said))]);
    let done = echo(&place, &server).exited(3);
    assert_eq!(done.answer(), said);
    assert_eq!(done.events_of("retry").len(), 0, "the user has seen a part of it");
    let step = done.event("step_finished");
    let failed = done.event("turn_failed");
    let cost = step["cost"].as_u64().expect("a cost");
    assert!(cost > 0 && failed["cost"] == cost, "{step} {failed}");
    assert!(failed["message"].to_string().contains("broke off"), "{failed}");
    let spends = place.spends_settled();
    assert_eq!(spends.len(), 1);
    assert_eq!((spends[0].ending.as_str(), spends[0].cost), ("settled", cost));
    assert!(spends[0].cost < spends[0].reserved, "the rest is free again");
}

#[test]
fn nobody_listens() {
    let place = Place::new();
    let server = Server::start([]);
    // A port that was free a moment ago and that nothing listens on.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = gone.local_addr().expect("an address");
    drop(gone);
    let run = place.run_with("echo", &server, PRICED);
    let yaml = format!(
        "providers: {{mock: {{base_url: \"http://{address}/v1\", models: {{m: {PRICED}}}}}}}"
    );
    place.file("xpressclaw.yaml", &yaml);
    let done = run.args(["Hello."]).done().exited(3);
    assert!(done.stderr.contains("mock"), "{}", done.stderr);
    assert_eq!(place.spends_settled()[0].ending, "released");
}
