//! Rules on what an agent may do: denied, asked at the terminal, remembered, and who decided.

use std::fs;

use e2e::{Place, Run};
use serde_json::{Value, json};

const SECRET: &str = "PASSWORD=hunter2";

/// pi calls one tool and then speaks.
fn script(tool: &str, arguments: Value) -> Vec<Value> {
    vec![
        json!({"tool_calls": [{"name": tool, "arguments": arguments}]}),
        json!({"text": "So be it."}),
    ]
}

/// A workspace with a secret and a repository, and the configuration's `approvals`.
fn place(approvals: &str) -> (Place, String) {
    let place = Place::new();
    fs::write(place.workspace().join(".env"), SECRET).unwrap();
    fs::create_dir(place.workspace().join(".git")).unwrap();
    fs::write(place.workspace().join(".git/config"), "[core] of it").unwrap();
    let config = place.file("xpressclaw.yaml", &format!("approvals: {approvals}\n"));
    (place, config)
}

fn run(place: &Place, config: &str, script: &[Value]) -> Run {
    let model = place.script(script);
    place.run("pi").args(["--config", config, "--model", &model, "--format", "json", "Go."])
}

/// The audit log, as `kind subject verdict by`.
fn history(place: &Place) -> Vec<String> {
    let done = place.command(["approvals", "history", "--format", "json"]).done().succeeded();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let row =
        |row: Value| ["kind", "subject", "verdict", "by"].map(|name| text(&row, name)).join(" ");
    done.events().into_iter().map(row).collect()
}

#[test]
fn a_denied_file_is_not_read_and_the_model_is_told() {
    let (place, config) = place("{deny: [\"path:**/.env\"]}");
    for path in [".env", "./.git/../.env", "/workspace/.env"] {
        let done = run(&place, &config, &script("read", json!({"path": path}))).done().succeeded();
        let update = done.event("call_update");
        assert_eq!(update["status"], "failed", "{path}: {update}");
        assert!(update.to_string().contains("permission denied"), "{path}: {update}");
        let approval = done.event("approval");
        assert_eq!(approval["kind"], "path(read)");
        assert_eq!(approval["subject"], ".env");
        assert_eq!(approval["verdict"], "denied");
        assert_eq!(approval["by"], "rule deny path:**/.env");
        assert!(!done.stdout.contains(SECRET), "{}", done.stdout);
    }
    assert_eq!(history(&place).len(), 3);
    assert_eq!(place.files_holding(SECRET), [place.workspace().join(".env")]);
}

#[test]
fn a_denied_file_is_not_replaced_and_a_search_does_not_show_it() {
    let (place, config) = place("{deny: [\"path:**/.env\"]}");
    let replace = script("write", json!({"path": ".env", "content": "mine"}));
    let done = run(&place, &config, &replace).done().succeeded();
    assert_eq!(done.event("call_update")["status"], "failed");
    assert_eq!(place.read(".env"), SECRET);
    let search = script("grep", json!({"pattern": "hunter", "path": "."}));
    let done = run(&place, &config, &search).done().succeeded();
    assert!(!done.stdout.contains("hunter2"), "{}", done.stdout);
}

#[test]
fn a_denied_command_and_a_denied_verb_say_which_rule() {
    let (place, config) = place("{deny: [\"command:sudo *\", \"verb:memory.add\"]}");
    let command = script("bash", json!({"command": "true; sudo reboot"}));
    let done = run(&place, &config, &command).done().succeeded();
    let update = done.event("call_update");
    assert_eq!(update["status"], "denied", "{update}");
    assert!(update.to_string().contains("denied by the rule `command:sudo *`"), "{update}");

    let verb = script("memory_add", json!({"text": "a note"}));
    let done = run(&place, &config, &verb).done().succeeded();
    let update = done.event("call_update");
    assert_eq!(update["status"], "denied", "{update}");
    assert!(update.to_string().contains("denied by the rule `verb:memory.add`"), "{update}");
    assert_eq!(place.command(["memory", "list", "--agent", "pi"]).done().succeeded().stdout, "");
}

#[test]
fn what_is_asked_for_is_answered_at_the_terminal_and_remembered_by_the_next_process() {
    let (place, config) = place("{ask: [\"path:.git/**\"]}");
    let read = script("read", json!({"path": ".git/config"}));
    let model = place.script(&read);
    let arguments = ["--config", &config, "--model", &model, "--session", "s1", "Go."];
    let mut terminal = place.terminal("pi", arguments);
    terminal.see("read `.git/config`?");
    terminal.see("2) allow for this session");
    terminal.see("4) deny");
    terminal.line("2");
    terminal.see("So be it.");
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");

    // No terminal now, and none is needed in this session.
    let done = run(&place, &config, &read).args(["--session", "s1"]).done().succeeded();
    assert_eq!(done.event("call_update")["status"], "completed");
    assert_eq!(done.event("approval")["by"], "remembered for this session");
    let done = run(&place, &config, &read).args(["--session", "s2"]).done().succeeded();
    assert_eq!(done.event("call_update")["status"], "failed");
    let mut rows = history(&place);
    // pi opens a file twice in the turn.
    rows.dedup();
    assert_eq!(
        rows,
        [
            "path(read) .git/config allowed terminal",
            "path(read) .git/config allowed remembered for this session",
            "path(read) .git/config denied nobody"
        ]
    );
}

#[test]
fn always_is_for_every_session_until_it_is_forgotten() {
    let (place, config) = place("{ask: [\"verb:memory.*\"]}");
    let add = script("memory_add", json!({"text": "a note"}));
    let model = place.script(&add);
    let mut terminal = place.terminal("pi", ["--config", &config, "--model", &model, "Go."]);
    terminal.see("use `memory.add`?");
    terminal.line("always allow");
    terminal.see("So be it.");
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");

    let done = run(&place, &config, &add).done().succeeded();
    assert_eq!(done.event("call_update")["status"], "completed");
    assert_eq!(done.event("approval")["by"], "remembered for good");

    let list = place.command(["approvals", "list", "--format", "json"]).done().succeeded();
    let rows = list.events();
    assert_eq!((&rows[0]["subject"], &rows[0]["by"]), (&json!("memory.add"), &json!("terminal")));
    let id = rows[0]["id"].as_str().unwrap();
    place.command(["approvals", "forget", id]).done().succeeded();
    let done = run(&place, &config, &add).done().succeeded();
    assert_eq!(done.event("ask")["question"], "use `memory.add`? a note");
    let update = done.event("call_update");
    assert_eq!(update["status"], "denied", "{update}");
    assert!(update.to_string().contains("no user is there"), "{update}");
    assert!(update.to_string().contains("verb:memory.add"), "the fix is named: {update}");
}

#[test]
fn a_no_at_the_terminal_is_a_no() {
    let (place, config) = place("{ask: [\"path(write):**\"]}");
    let model = place.script(&script("write", json!({"path": "new.txt", "content": "x"})));
    let mut terminal = place.terminal("pi", ["--config", &config, "--model", &model, "Go."]);
    terminal.see("change `new.txt`?");
    terminal.line("deny");
    terminal.see("So be it.");
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");
    assert!(!place.workspace().join("new.txt").exists());
    assert!(history(&place).iter().all(|row| row.ends_with("denied terminal")));
}
