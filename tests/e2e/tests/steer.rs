//! Lines typed while a turn runs, at the run's own terminal.

use e2e::{Answer, CTRL_C, CTRL_D, Place, Play, Server};

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
