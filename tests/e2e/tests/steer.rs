//! Lines typed while a turn runs, at the run's own terminal.

use e2e::{Answer, CTRL_C, CTRL_D, Place, Play, Server};
use serde_json::json;

const FREE: &str = "{price: free}";

#[test]
fn a_line_typed_during_a_turn_reaches_the_models_next_step() {
    for harness in ["builtin", "pi"] {
        let place = Place::new();
        let server = Server::start([
            Play::Gated(Answer::text("One moment please.")),
            Play::Stream(Answer::text("Left it is.")),
        ]);
        let mut terminal = place.run_with(harness, &server, FREE).in_terminal();
        terminal.see("> ");
        terminal.line("Which way?");
        terminal.see("One ");
        terminal.line("Go left.");
        terminal.see("steering: Go left.");
        server.release();
        terminal.see("Left it is.");
        terminal.see("> ");
        terminal.type_in(CTRL_D);
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");
        assert!(!output.contains("next prompt"), "{harness} took it in the turn: {output}");
        server.next_request();
        let messages = server.next_request().messages();
        assert!(messages.last().is_some_and(|(_, text)| text.contains("Go left.")), "{messages:?}");
    }
}

#[test]
fn what_a_harness_does_not_take_is_its_next_prompt() {
    for prompt in [None, Some("Which way?")] {
        let place = Place::new();
        let server = Server::start([
            Play::Gated(Answer::text("One moment please.")),
            Play::Stream(Answer::text("Left it is.")),
        ]);
        let run = place.run_with("echo", &server, FREE).args(prompt);
        let mut terminal = run.in_terminal();
        if prompt.is_none() {
            terminal.see("> ");
            terminal.line("Which way?");
        }
        terminal.see("One ");
        terminal.line("Go left.");
        terminal.see("steering: Go left.");
        server.release();
        terminal.see("please.");
        terminal.see("it is the next prompt");
        terminal.see("Left it is.");
        if prompt.is_none() {
            terminal.see("> ");
            terminal.type_in(CTRL_D);
        }
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");
        server.next_request();
        let messages = server.next_request().messages();
        assert_eq!(messages.last().unwrap(), &("user".to_owned(), "Go left.".to_owned()));
    }
}

#[test]
fn half_a_line_typed_during_a_turn_is_there_at_the_prompt() {
    let place = Place::new();
    let server = Server::start([
        Play::Gated(Answer::text("One moment please.")),
        Play::Stream(Answer::text("Hello back.")),
    ]);
    let mut terminal = place.run_with("echo", &server, FREE).in_terminal();
    terminal.see("> ");
    terminal.line("Wait.");
    terminal.see("One ");
    terminal.type_in("Hel");
    terminal.see("Hel");
    server.release();
    terminal.see("please.");
    terminal.see("> ");
    terminal.line("lo.");
    terminal.see("Hello back.");
    terminal.see("> ");
    terminal.type_in(CTRL_D);
    assert_eq!(terminal.done().0, 0);
    server.next_request();
    let messages = server.next_request().messages();
    assert_eq!(messages.last().unwrap(), &("user".to_owned(), "Hello.".to_owned()));
}

#[test]
fn a_cancelled_run_of_one_prompt_says_what_was_not_taken() {
    let place = Place::new();
    let server = Server::start([Play::Hold(Answer::text("The beginning of "))]);
    let mut terminal = place.run_with("echo", &server, FREE).args(["Hello."]).in_terminal();
    terminal.see("beginning of");
    terminal.line("Go left.");
    terminal.see("steering: Go left.");
    terminal.type_in(CTRL_C);
    terminal.see("not taken in that turn: Go left.");
    let (code, output) = terminal.done();
    assert_eq!(code, 130, "{output}");
    server.next_request();
    assert_eq!(server.unseen(), 0, "it was cancelled");
}

#[test]
fn a_run_in_the_background_leaves_the_keys_to_the_foreground() {
    let place = Place::new();
    let server = Server::start([Play::Gated(Answer::text("One moment please."))]);
    let mut terminal = place.run_with("echo", &server, FREE).args(["Hello."]).in_background();
    terminal.see("One ");
    // Reading it would stop the program.
    terminal.line("ls");
    terminal.see("ls");
    server.release();
    terminal.see("please.");
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");
    assert!(!output.contains("steering"), "{output}");
}

#[test]
fn who_pages_the_output_gets_the_keys() {
    let place = Place::new();
    let server = Server::start([Play::Gated(Answer::text("One moment please."))]);
    let run = place.run_with("echo", &server, FREE).args(["Hello."]);
    // A pager in the simplest case: it shows everything, then reads a key.
    let mut terminal = run.in_pipe("cat; read -r key </dev/tty; echo key: $key");
    terminal.see("One ");
    terminal.line("q");
    terminal.see("q");
    server.release();
    terminal.see("please.");
    terminal.see("key: q");
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");
    assert!(!output.contains("steering"), "{output}");
}

/// The beginning of a PNG, in base64.
const IMAGE: &str = "iVBORw0KGgo=";

#[test]
fn a_follow_up_with_an_image_is_what_a_turn_goes_on_with() {
    for harness in ["builtin", "pi"] {
        let place = Place::new();
        let server = Server::start([
            Play::Gated(Answer::text("One moment please.")),
            Play::Stream(Answer::text("A logo.")),
        ]);
        let run = place.run_with(harness, &server, "{price: free, images: true}");
        let run = run.args(["--format", "json", "Wait."]).start();
        run.event("message");
        let image = json!({"blob": {"mime": "image/png", "data": IMAGE}});
        place.control("follow_up", &json!({"parts": [{"text": "What is this?"}, image]}));
        server.release();
        let done = run.done().succeeded();
        assert_eq!(done.events_of("turn_finished").len(), 1, "{harness}: it is the same turn");
        assert!(done.answer().ends_with("A logo."), "{harness}: {}", done.answer());
        assert!(!server.next_request().body.to_string().contains("image/png"));
        let request = server.next_request();
        let messages = request.messages();
        let roles: Vec<_> = messages.iter().map(|(role, _)| role.as_str()).collect();
        assert_eq!(roles[roles.len() - 3..], ["user", "assistant", "user"], "{harness}");
        let (_, text) = messages.last().unwrap();
        assert!(text.contains("What is this?"), "{harness}: {messages:?}");
        let last = request.body["messages"].as_array().unwrap().last().unwrap().to_string();
        assert!(last.contains(&format!("data:image/png;base64,{IMAGE}")), "{harness}: {last}");
    }
}
