//! A conversation in a real terminal.

use e2e::{Answer, CTRL_C, CTRL_D, Place, Play, Server};
use serde_json::json;

const PROMPT: &str = "> ";

#[test]
fn two_turns_share_the_conversation() {
    for harness in ["echo", "pi"] {
        let place = Place::new();
        let server = Server::start([
            Play::Stream(Answer::text("A crab called Ferris.")),
            Play::Stream(Answer::text("Ferris, as I said.")),
        ]);
        let mut terminal = place.run_with(harness, &server, "{price: free}").in_terminal();
        terminal.see("Ctrl-D ends the conversation");
        terminal.see(PROMPT);
        terminal.line("Which animal?");
        terminal.see("A crab called Ferris.");
        terminal.see("mock/m · ");
        terminal.see(PROMPT);
        terminal.line("What is it called?");
        terminal.see("Ferris, as I said.");
        terminal.see(PROMPT);
        terminal.type_in(CTRL_D);
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");

        server.next_request();
        let second = server.next_request().messages();
        let spoken: Vec<_> = second.iter().filter(|(role, _)| role != "system").collect();
        assert_eq!(spoken.len(), 3, "{spoken:?}");
        assert!(spoken[0].1.contains("Which animal?"));
        assert!(spoken[1].1.contains("A crab called Ferris."));
        assert!(spoken[2].1.contains("What is it called?"));
    }
}

#[test]
fn ctrl_c_at_the_prompt_drops_the_line_and_nothing_else() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Hello back."})]);
    let mut terminal = place.terminal("echo", ["--model", &model]);
    terminal.see(PROMPT);
    terminal.type_in("half a line");
    terminal.see("half a line");
    terminal.type_in(CTRL_C);
    terminal.see(PROMPT);
    terminal.line("Hello.");
    terminal.see("Hello back.");
    terminal.see(PROMPT);
    terminal.type_in(CTRL_D);
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");
    assert_eq!(place.spends_settled().len(), 1);
}

#[test]
fn ctrl_c_in_a_turn_cancels_it_and_the_conversation_goes_on() {
    let place = Place::new();
    let server = Server::start([
        Play::Hold(Answer::text("The beginning of ")),
        Play::Stream(Answer::text("Hello back.")),
    ]);
    let mut terminal = place.run_with("echo", &server, "{price: free}").in_terminal();
    terminal.see(PROMPT);
    terminal.line("Tell me everything.");
    terminal.see("The beginning of");
    terminal.type_in(CTRL_C);
    server.connection_closed();
    terminal.see("cancelled");
    terminal.see(PROMPT);
    terminal.line("Hello.");
    terminal.see("Hello back.");
    terminal.see(PROMPT);
    terminal.type_in(CTRL_D);
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");
    assert_eq!(place.spends_settled().len(), 2);
}

#[test]
fn a_failed_turn_is_reported_and_the_conversation_goes_on() {
    let place = Place::new();
    let model = place.script(&[
        json!({"error": {"status": 400, "message": "not like this"}}),
        json!({"text": "Like this."}),
    ]);
    let mut terminal = place.terminal("echo", ["--model", &model]);
    terminal.see(PROMPT);
    terminal.line("First.");
    terminal.see("not like this");
    terminal.see(PROMPT);
    terminal.line("Second.");
    terminal.see("Like this.");
    terminal.see(PROMPT);
    terminal.type_in(CTRL_D);
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "the last turn decides: {output}");
}

#[test]
fn empty_lines_are_no_turns() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Hello back."})]);
    let mut terminal = place.terminal("echo", ["--model", &model]);
    terminal.see(PROMPT);
    terminal.line("");
    terminal.see(PROMPT);
    terminal.line("   ");
    terminal.see(PROMPT);
    terminal.type_in(CTRL_D);
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");
    assert!(!output.contains("Hello back."), "{output}");
}
