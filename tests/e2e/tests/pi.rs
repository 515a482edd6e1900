//! pi with a scripted model: what its tools do, what is shown of it, what it costs.

use e2e::Place;
use serde_json::{Value, json};

/// Turns that use every kind of tool that needs no machine.
fn script() -> Vec<Value> {
    vec![
        json!({"price": {"input": "$3", "output": "$15", "cached": "$0.30"}}),
        json!({
            "thinking": "A file first.",
            "text": "I will write it.",
            "tool_calls": [{"name": "write", "arguments": {
                "path": "notes/a.txt", "content": "alpha\nbeta\n",
            }}],
            "usage": {"input": 1_000, "output": 50},
        }),
        json!({
            "tool_calls": [{"name": "read", "arguments": {"path": "notes/a.txt"}}],
            "usage": {"input": 1_100, "cached": 1_000, "output": 10},
        }),
        json!({
            "tool_calls": [{"name": "edit", "arguments": {
                "path": "notes/a.txt", "edits": [{"oldText": "beta", "newText": "gamma"}],
            }}],
            "usage": {"input": 1_203, "output": 11},
        }),
        json!({
            "tool_calls": [
                {"name": "grep", "arguments": {"pattern": "gam+a"}},
                {"name": "find", "arguments": {"pattern": "**/*.txt"}},
                {"name": "ls", "arguments": {}},
            ],
            "usage": {"input": 1_300, "output": 12},
        }),
        json!({
            "tool_calls": [{"name": "memory_add", "arguments": {
                "text": "The notes lie in notes/a.txt", "tags": ["files"],
            }}],
            "usage": {"input": 1_400, "output": 13},
        }),
        json!({"text": "All of it is done.", "usage": {"input": 1_501, "cached": 1, "output": 7}}),
    ]
}

/// Usage times price of the script, by hand: 6,503 uncached, 1,001 cached, 103 out.
const COST: u64 = 6_503 * 3_000 + 1_001 * 300 + 103 * 15_000;

#[test]
fn a_turn_writes_reads_edits_searches_and_remembers() {
    let place = Place::new();
    let model = place.script(&script());
    let done = place.run("pi").args(["--model", &model, "--format", "json", "Do it."]).done();
    let done = done.succeeded();

    assert_eq!(place.read("notes/a.txt"), "alpha\ngamma\n");
    assert_eq!(done.stderr, "");
    let finished = done.event("turn_finished");
    assert_eq!(finished["stop"], "end_turn");
    assert_eq!(finished["cost"], COST);
    assert_eq!(
        finished["usage"],
        json!({"input": 7_504, "cached": 1_001, "cache_written": 0, "output": 103, "reasoning": 0})
    );
    assert_eq!(place.spent(), COST);
    assert_eq!(done.answer(), "I will write it.All of it is done.");

    let memory = place.command(["memory", "list", "--agent", "pi", "--format", "json"]).done();
    let notes = memory.succeeded().events();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0]["text"], "The notes lie in notes/a.txt");
    assert_eq!(notes[0]["tags"], json!(["files"]));

    // What each tool answered.
    let results: Vec<String> = results(&done.events());
    let one_of = |text: &str| {
        assert!(results.iter().any(|result| result.contains(text)), "no {text:?} in {results:?}");
    };
    one_of("alpha\nbeta");
    one_of("a.txt:2: gamma");
    one_of("notes/a.txt");
    one_of("notes/");
    assert_eq!(results.len(), 7);
}

/// The texts of the finished calls.
fn results(events: &[Value]) -> Vec<String> {
    let completed = events
        .iter()
        .filter(|event| event["type"] == "call_update" && event["status"] == "completed");
    completed
        .map(|event| {
            let content = event["content"].as_array().expect("a result has content");
            content.iter().filter_map(|part| part["part"]["text"].as_str()).collect()
        })
        .collect()
}

#[test]
fn the_events_of_a_turn_are_complete_and_in_order() {
    let place = Place::new();
    let model = place.script(&script());
    let done = place.run("pi").args(["--model", &model, "--format", "json", "Do it."]).done();
    let events = done.succeeded().events();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();

    assert_eq!(kinds.first(), Some(&"turn_started"));
    assert_eq!(kinds.last(), Some(&"turn_finished"));
    assert_eq!(events[0]["agent"], "pi");
    assert_eq!(events[0]["model"], "script:script.jsonl");

    // Steps: each begins, then ends, one after the other.
    let steps: Vec<(&str, u64)> = events
        .iter()
        .filter_map(|event| Some((event["type"].as_str()?, event["step"].as_u64()?)))
        .collect();
    let expected: Vec<(&str, u64)> =
        (1..=6).flat_map(|step| [("step_started", step), ("step_finished", step)]).collect();
    assert_eq!(steps, expected);

    // Calls: announced after the model asked for them, finished before the model is asked again.
    let place_of = |wanted: &dyn Fn(&Value) -> bool| {
        events.iter().position(wanted).expect("the event is there")
    };
    for (call, step) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (6, 4), (7, 5)] {
        let id = format!("call_{call}");
        let announced = place_of(&|e| e["type"] == "call" && e["id"] == *id);
        let ended = place_of(&|e| {
            e["type"] == "call_update" && e["id"] == *id && e["status"] == "completed"
        });
        let asked = place_of(&|e| e["type"] == "step_started" && e["step"] == step);
        let again = place_of(&|e| e["type"] == "step_started" && e["step"] == step + 1);
        assert!(asked < announced && announced < ended && ended < again, "{id}: {kinds:?}");
    }
    let edit = &events[place_of(&|e| e["type"] == "call_update" && e["id"] == "call_3")];
    assert_eq!(
        edit["content"][1]["diff"],
        json!({"path": "/workspace/notes/a.txt", "old": "alpha\nbeta\n", "new": "alpha\ngamma\n"})
    );
    let verb = &events[place_of(&|e| e["type"] == "verb")];
    assert_eq!(verb["verb"], "memory.add");

    // What the steps cost is what the turn cost.
    let costs = events.iter().filter(|event| event["type"] == "step_finished");
    let sum: u64 = costs.map(|event| event["cost"].as_u64().expect("a cost")).sum();
    assert_eq!(sum, COST);
}

#[test]
fn as_text_the_answer_alone_is_on_stdout() {
    let place = Place::new();
    let model = place.script(&script());
    let done = place.run("pi").args(["--model", &model, "Do it."]).done().succeeded();
    assert_eq!(done.stdout, "I will write it.\nAll of it is done.\n");
    for shown in ["A file first.", "write notes/a.txt", "grep gam+a", "memory.add"] {
        assert!(done.stderr.contains(shown), "no {shown:?} in\n{}", done.stderr);
    }
    let closing = done.stderr.lines().last().expect("a closing line");
    let numbers = "script:script.jsonl · 7,504 in (1,001 cached), 103 out · $0.0213543 · ";
    assert!(closing.starts_with(numbers), "{closing}");
    assert!(!done.stderr.contains('\x1b'), "colours without a terminal: {:?}", done.stderr);
}

#[test]
fn without_a_machine_a_command_says_so_and_the_turn_goes_on() {
    let place = Place::new();
    let model = place.script(&[
        json!({"tool_calls": [{"name": "bash", "arguments": {"command": "echo hi"}}]}),
        json!({"text": "No shell here."}),
    ]);
    let done = place.run("pi").args(["--model", &model, "--format", "json", "Run it."]).done();
    let done = done.succeeded();
    let update = done.event("call_update");
    assert_eq!(update["status"], "failed");
    assert!(update["content"][0]["part"]["text"].to_string().contains("no machine attached"));
    assert_eq!(done.answer(), "No shell here.");
}

#[test]
fn the_workspace_is_a_cage() {
    let place = Place::new();
    let secret = place.file("secret.txt", "do not read me");
    let call = |path: &str| json!({"tool_calls": [{"name": "read", "arguments": {"path": path}}]});
    std::os::unix::fs::symlink(&secret, place.workspace().join("link")).expect("a link");
    let model = place.script(&[
        call(&secret),
        call("../secret.txt"),
        call("link"),
        json!({"text": "Nothing."}),
    ]);
    let done = place.run("pi").args(["--model", &model, "--format", "json", "Read it."]).done();
    let done = done.succeeded();
    let updates = done.events_of("call_update");
    assert_eq!(updates.len(), 3);
    for update in updates {
        assert_eq!(update["status"], "failed", "{update}");
    }
    assert!(!done.stdout.contains("do not read me"));
}
