//! The verb `ask`: a question of the agent, answered by whoever sits at the terminal.

use e2e::{CTRL_C, CTRL_D, Place};
use serde_json::{Value, json};

fn question() -> Vec<Value> {
    vec![
        json!({"tool_calls": [{"name": "ask_user", "arguments": {
            "question": "Which colour?", "choices": ["red", "blue"],
        }}]}),
        json!({"text": "So be it."}),
    ]
}

#[test]
fn the_answer_typed_at_the_terminal_reaches_the_agent() {
    for (typed, expected) in [("2", "blue"), ("red", "red")] {
        let place = Place::new();
        let model = place.script(&question());
        let mut terminal =
            place.terminal("pi", ["--model", &model, "--session", "s1", "Paint it."]);
        terminal.see("Which colour?");
        terminal.see("1) red");
        terminal.see("2) blue");
        terminal.line("7");
        terminal.see("type a number from 1 to 2");
        terminal.line(typed);
        terminal.see("So be it.");
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");
        let kept = place.files_holding(&format!("\"text\":\"{expected}\""));
        assert_eq!(kept.len(), 1, "pi's session holds the answer {expected}");
    }
}

#[test]
fn without_a_terminal_it_is_denied_and_the_agent_told() {
    let place = Place::new();
    let model = place.script(&question());
    let run = place.run("pi").args(["--model", &model, "--format", "json", "Paint it."]);
    let done = run.done().succeeded();
    assert_eq!(done.event("ask")["question"], "Which colour?");
    assert_eq!(done.event("ask")["choices"], json!(["red", "blue"]));
    let update = done.event("call_update");
    assert_eq!(update["status"], "denied");
    assert!(update.to_string().contains("no user is there to answer"), "{update}");
    assert_eq!(done.answer(), "So be it.");
}

#[test]
fn the_end_of_the_terminal_is_no_answer() {
    let place = Place::new();
    let model = place.script(&question());
    let mut terminal = place.terminal("pi", ["--model", &model, "Paint it."]);
    terminal.see("Which colour?");
    terminal.see("? ");
    terminal.type_in(CTRL_D);
    terminal.see("So be it.");
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");
}

#[test]
fn a_cancelled_question_ends_the_run() {
    let place = Place::new();
    let model = place.script(&question());
    let mut terminal = place.terminal("pi", ["--model", &model, "Paint it."]);
    terminal.see("2) blue");
    terminal.type_in(CTRL_C);
    terminal.see("cancelled");
    let (code, output) = terminal.done();
    assert_eq!(code, 130, "{output}");
}

#[test]
fn after_a_cancelled_question_the_next_line_is_a_prompt() {
    let place = Place::new();
    let mut script = question();
    script[1] = json!({"text": "Hello back."});
    let model = place.script(&script);
    let mut terminal = place.terminal("pi", ["--model", &model]);
    terminal.see("> ");
    terminal.line("Paint it.");
    terminal.see("2) blue");
    terminal.type_in(CTRL_C);
    terminal.see("cancelled");
    terminal.see("> ");
    terminal.line("Hello.");
    terminal.see("Hello back.");
    terminal.see("> ");
    terminal.type_in(CTRL_D);
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");
}
