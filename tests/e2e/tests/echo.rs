//! echo, the smallest harness.

use e2e::Place;
use serde_json::json;

#[test]
fn the_answer_is_handed_through() {
    let place = Place::new();
    let model = place.script(&[
        json!({"price": {"input": "$1", "output": "$2"}}),
        json!({"thinking": "Hm.", "text": "Hello back.", "usage": {"input": 10, "output": 3}}),
    ]);
    let done = place.run("echo").args(["--model", &model, "Hello."]).done().succeeded();
    assert_eq!(done.stdout, "Hello back.\n");
    assert!(done.stderr.starts_with("Hm.\n"), "{:?}", done.stderr);
    assert!(done.stderr.contains("script:script.jsonl · 10 in, 3 out · $0.000016 · "));
    assert_eq!(place.spent(), 16_000);
}

#[test]
fn each_piece_is_an_event() {
    let place = Place::new();
    let model = place.script(&[json!({"thinking": "Hm.", "text": "one two three"})]);
    let done = place.run("echo").args(["--model", &model, "--format", "json", "Count."]).done();
    let done = done.succeeded();
    assert_eq!(done.answer(), "one two three");
    assert_eq!(done.events_of("message").len(), 3);
    assert_eq!(done.event("thought")["text"], "Hm.");
    assert_eq!(done.event("step_finished")["finish"], "stop");
    assert_eq!(done.event("turn_finished")["models"], json!(["script:script.jsonl"]));
    assert_eq!(done.stderr, "");
}

#[test]
fn a_harness_is_compiled_once() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Hello."})]);
    let cache = place.path().join("cache");
    let run = || {
        let run = place.run("echo").env("XPRESSCLAW_CACHE_DIR", &cache);
        run.args(["--model", &model, "Hi."]).done().succeeded().stderr
    };
    let (first, second) = (run(), run());
    assert!(first.starts_with("compiling echo for this machine, once\n"), "{first}");
    assert!(!second.contains("compiling"), "{second}");
}
