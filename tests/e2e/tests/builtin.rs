//! The built-in harness with a scripted model: what its tools do, and what is shown of it.

use e2e::{Done, Place};
use serde_json::{Value, json};

fn call(name: &str, arguments: Value) -> Value {
    json!({"name": name, "arguments": arguments})
}

/// A turn of the model with these calls.
fn calls(calls: &[Value]) -> Value {
    json!({"tool_calls": calls})
}

/// One turn of the harness over these turns of the model.
fn played(place: &Place, script: &[Value]) -> Done {
    let model = place.script(script);
    place.run("builtin").args(["--model", &model, "--format", "json", "Do it."]).done()
}

/// Id, status and text of the finished calls, in the order of their ends.
fn ended(done: &Done) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let over = |event: &Value| event["status"] != "in_progress";
    done.events_of("call_update")
        .iter()
        .filter(|event| over(event))
        .map(|event| {
            let content = event["content"].as_array().expect("a result has content");
            let parts = content.iter().filter_map(|part| part["part"]["text"].as_str());
            (text(&event["id"]), text(&event["status"]), parts.collect())
        })
        .collect()
}

/// The texts of the finished calls, all of which must have succeeded.
#[track_caller]
fn completed(done: &Done) -> Vec<String> {
    let ended = ended(done);
    for (id, status, text) in &ended {
        assert_eq!(status, "completed", "{id}: {text}");
    }
    ended.into_iter().map(|(_, _, text)| text).collect()
}

#[test]
fn a_turn_writes_reads_edits_searches_and_remembers() {
    let place = Place::new();
    let script = [
        json!({
            "thinking": "A file first.",
            "text": "I write it.",
            "tool_calls": [call("write", json!({"path": "notes/a.txt", "content": "alpha\nbeta\n"}))],
        }),
        calls(&[call("read", json!({"path": "notes/a.txt"}))]),
        calls(&[call(
            "edit",
            json!({
                "path": "notes/a.txt", "old_text": "beta", "new_text": "gamma",
            }),
        )]),
        calls(&[
            call("grep", json!({"pattern": "gam+a"})),
            call("find", json!({"pattern": "*.txt"})),
            call("list", json!({})),
        ]),
        calls(&[call(
            "memory_add",
            json!({"text": "The notes lie in notes/a.txt", "tags": ["f"]}),
        )]),
        calls(&[call("memory_search", json!({"query": "notes"}))]),
        json!({"text": "All of it is done."}),
    ];
    let done = played(&place, &script).succeeded();
    assert_eq!(place.read("notes/a.txt"), "alpha\ngamma\n");
    assert_eq!(done.answer(), "I write it.All of it is done.");
    assert_eq!(done.event("turn_finished")["stop"], "end_turn");
    assert_eq!(done.stderr, "");

    let results = completed(&done);
    assert_eq!(results.len(), 8, "{results:?}");
    assert_eq!(results[1], "alpha\nbeta\n");
    assert_eq!(results[3], "notes/a.txt:2: gamma\n");
    assert_eq!(results[4], "notes/a.txt\n");
    assert_eq!(results[5], "notes/\n");
    assert!(results[7].contains("The notes lie in notes/a.txt"), "{}", results[7]);

    let announced = done.events_of("call");
    assert_eq!(announced[0]["title"], "write notes/a.txt");
    assert_eq!(announced[0]["kind"], "edit");
    assert_eq!(announced[0]["locations"], json!([{"path": "/workspace/notes/a.txt"}]));
    let edit = done.events_of("call_update").into_iter().find(|event| event["id"] == "call_3");
    assert_eq!(
        edit.expect("the edit ended")["content"][1]["diff"],
        json!({"path": "/workspace/notes/a.txt", "old": "alpha\nbeta\n", "new": "alpha\ngamma\n"})
    );
    let notes = place.command(["memory", "list", "--agent", "builtin", "--format", "json"]).done();
    assert_eq!(notes.succeeded().events()[0]["text"], "The notes lie in notes/a.txt");
}

#[test]
fn calls_of_one_answer_are_all_answered_in_their_order() {
    let place = Place::new();
    let script = [
        calls(&[
            call("write", json!({"path": "a", "content": "1"})),
            call("bash", json!({"command": "cat a"})),
            call("edit", json!({"path": "a", "old_text": "1", "new_text": "2"})),
            call("nonsense", json!({})),
            call("read", json!({"path": "a"})),
            json!({"name": "read", "arguments": "{\"path\":"}),
        ]),
        json!({"text": "Done."}),
    ];
    let done = played(&place, &script).succeeded();
    assert_eq!(place.read("a"), "2");
    let ended = ended(&done);
    let statuses: Vec<_> =
        ended.iter().map(|(id, status, _)| (id.as_str(), status.as_str())).collect();
    let expected = [
        ("call_1", "completed"),
        ("call_2", "failed"),
        ("call_3", "completed"),
        ("call_4", "failed"),
        ("call_5", "completed"),
        ("call_6", "failed"),
    ];
    assert_eq!(statuses, expected);
    assert_eq!(ended[3].2, "there is no tool nonsense");
    assert_eq!(ended[4].2, "2");
    assert!(ended[5].2.starts_with("the arguments are no valid JSON: "), "{}", ended[5].2);
    assert_eq!(done.answer(), "Done.");
}

#[test]
fn without_a_machine_a_command_says_so_and_the_turn_goes_on() {
    let place = Place::new();
    let script =
        [calls(&[call("bash", json!({"command": "echo hi"}))]), json!({"text": "No shell here."})];
    let done = played(&place, &script).succeeded();
    let announced = done.event("call");
    assert_eq!(
        (&announced["kind"], &announced["title"]),
        (&json!("execute"), &json!("bash echo hi"))
    );
    let (_, status, text) = &ended(&done)[0];
    assert_eq!(status, "failed");
    assert!(text.starts_with("no machine attached"), "{text}");
    assert_eq!(done.answer(), "No shell here.");
}

#[test]
fn after_twenty_tool_turns_it_stops_and_says_so() {
    let place = Place::new();
    let script: Vec<_> = (0..30).map(|_| calls(&[call("list", json!({}))])).collect();
    let done = played(&place, &script).succeeded();
    assert_eq!(done.event("turn_finished")["stop"], "max_steps");
    assert_eq!(done.events_of("step_started").len(), 20);
    let results = completed(&done);
    assert_eq!(results.len(), 20);
    let warned: Vec<_> = results.iter().filter(|text| text.contains("left")).collect();
    assert!(warned.is_empty(), "what the model is told is not the result: {warned:?}");
    assert!(done.answer().starts_with("I stopped after 20 tool turns"), "{}", done.answer());
}

#[test]
fn a_long_file_is_read_in_pieces() {
    let place = Place::new();
    let lines: Vec<String> = (1..=5_000).map(|line| format!("line {line}")).collect();
    std::fs::write(place.workspace().join("long"), lines.join("\n")).expect("a file");
    std::fs::write(place.workspace().join("wide"), "x".repeat(500_000)).expect("a file");
    let script = [
        calls(&[call("read", json!({"path": "long"}))]),
        calls(&[call("read", json!({"path": "long", "offset": 4_999}))]),
        calls(&[call("read", json!({"path": "wide"}))]),
        json!({"text": "Read."}),
    ];
    let results = completed(&played(&place, &script).succeeded());
    assert!(results[0].ends_with("line 2000\n[lines 1 to 2000 of 5000; read on with offset 2001]"));
    assert_eq!(results[1], "line 4999\nline 5000");
    assert!(results[2].len() < 51_000, "{} bytes", results[2].len());
    assert!(results[2].contains("the rest of this line is cut"));
}

#[test]
fn a_plan_is_shown() {
    let place = Place::new();
    let entries = json!([
        {"text": "write the file", "status": "completed"},
        {"text": "run it", "status": "in_progress"},
    ]);
    let script = [calls(&[call("plan", json!({"entries": entries}))]), json!({"text": "Planned."})];
    let done = played(&place, &script).succeeded();
    assert_eq!(done.event("plan")["entries"], entries);
}

#[test]
fn the_workspace_is_a_cage() {
    let place = Place::new();
    let secret = place.file("secret.txt", "do not read me");
    std::os::unix::fs::symlink(&secret, place.workspace().join("link")).expect("a link");
    std::os::unix::fs::symlink(place.path(), place.workspace().join("way")).expect("a link");
    let read = |path: &str| call("read", json!({"path": path}));
    let script = [
        calls(&[
            read(&secret),
            read("../secret.txt"),
            read("link"),
            read("way/secret.txt"),
            read("/state/history.jsonl"),
            call("write", json!({"path": "way/new.txt", "content": "x"})),
            call("grep", json!({"pattern": "read", "path": "way"})),
        ]),
        calls(&[call("grep", json!({"pattern": "do not"}))]),
        json!({"text": "Nothing."}),
    ];
    let done = played(&place, &script).succeeded();
    let ended = ended(&done);
    for (id, status, text) in &ended[..7] {
        assert_eq!(status, "failed", "{id}: {text}");
    }
    assert_eq!(ended[7].2, "(nothing found)");
    assert!(!done.stdout.contains("do not read me"));
    assert!(!place.path().join("new.txt").exists());
}

#[test]
fn a_question_without_a_user_is_denied_and_the_agent_told() {
    let place = Place::new();
    let ask = call("ask_user", json!({"question": "Which colour?", "choices": ["red", "blue"]}));
    let script = [calls(&[ask, call("list", json!({}))]), json!({"text": "So be it."})];
    let done = played(&place, &script).succeeded();
    assert_eq!(done.event("ask")["choices"], json!(["red", "blue"]));
    let ended = ended(&done);
    let order: Vec<_> =
        ended.iter().map(|(id, status, _)| (id.as_str(), status.as_str())).collect();
    assert_eq!(order, [("call_2", "completed"), ("call_1", "denied")]);
}

#[test]
fn a_wrong_setting_is_refused_by_name() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Hello."})]);
    let config = place
        .file("xpressclaw.yaml", "agents: [{name: a, harness: builtin, settings: {efort: high}}]");
    // The agent's harness has to be compiled before.
    place.run("builtin").args(["--model", &model, "Hi."]).done().succeeded();
    let run = place.command(["run", "a", "--config", &config, "--model", &model, "Hi."]);
    let done = run.done();
    assert!(!done.status.success());
    assert!(done.stderr.contains("unknown setting efort for builtin"), "{}", done.stderr);
}
