//! A second terminal: a running session seen, steered, cancelled and answered from there.

use std::fs;

use e2e::{Answer, CTRL_C, CTRL_D, Place, Play, Server, Terminal};
use serde_json::{Value, json};

const FREE: &str = "{price: free}";

fn attach(place: &Place) -> Terminal {
    place.command(["attach"]).in_terminal()
}

/// Asks which colour, then says that it shall be so.
fn questions() -> [Play; 2] {
    let question = json!({"question": "Which colour?", "choices": ["red", "blue"]});
    [
        Play::Gated(Answer::text("One moment. ").call("c1", "ask_user", &question)),
        Play::Stream(Answer::text("So be it.")),
    ]
}

fn sessions(place: &Place) -> Vec<Value> {
    place.command(["ps", "--format", "json"]).done().succeeded().events()
}

#[test]
fn a_turn_is_seen_live_and_steered_from_a_second_terminal() {
    let place = Place::new();
    let server = Server::start([
        Play::Gated(Answer::text("One moment please.")),
        Play::Stream(Answer::text("Left it is.")),
    ]);
    let run = place.run_with("pi", &server, FREE).args(["--session", "s1", "Which way?"]);
    let mut first = run.in_terminal();
    first.see("One ");
    let mut second = attach(&place);
    second.see("session s1 of agent pi, running");
    second.see("One ");
    second.line("Go left.");
    second.see("steering: Go left.");
    first.see("steers: Go left.");
    server.release();
    for terminal in [&mut first, &mut second] {
        terminal.see("please.");
        terminal.see("Left it is.");
        terminal.see("mock/m · ");
    }
    for terminal in [first, second] {
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");
    }
    server.next_request();
    let messages = server.next_request().messages();
    assert!(
        messages.last().is_some_and(|(role, text)| role == "user" && text.contains("Go left.")),
        "{messages:?}"
    );
}

#[test]
fn a_turn_is_cancelled_from_a_second_terminal() {
    for keys in ["/cancel\r", CTRL_C] {
        let place = Place::new();
        let server = Server::start([Play::Hold(Answer::text("The beginning of "))]);
        let mut first = place.run_with("pi", &server, FREE).args(["Hello."]).in_terminal();
        first.see("beginning of");
        let mut second = attach(&place);
        second.see("beginning of");
        second.type_in(keys);
        first.see("cancels the turn");
        server.connection_closed();
        second.see("cancelled");
        for terminal in [first, second] {
            let (code, output) = terminal.done();
            assert_eq!(code, 130, "{output}");
        }
    }
}

#[test]
fn a_watcher_ends_with_the_exit_code_of_the_turn() {
    let place = Place::new();
    let call = Answer::text("The beginning ").call("c1", "read", &json!({"path": "a.txt"}));
    let refused = Play::Plain { status: "401 Unauthorized", headers: "", body: "{}" };
    let server = Server::start([Play::Gated(call), refused]);
    let run = place.run_with("builtin", &server, FREE).args(["--format", "json", "Hello."]).start();
    run.event("message");
    let mut second = attach(&place);
    second.see("The ");
    server.release();
    second.see("the turn failed");
    let done = run.done();
    assert_eq!(done.event("turn_failed")["fault"], "model");
    assert_eq!((done.status.code(), second.done().0), (Some(3), 3));
}

#[test]
fn a_question_is_shown_to_all_and_the_first_answer_counts() {
    let place = Place::new();
    let server = Server::start(questions());
    let mut first = place.run_with("pi", &server, FREE).args(["Paint it."]).in_terminal();
    first.see("One ");
    let (mut second, mut third) = (attach(&place), attach(&place));
    second.see("One ");
    third.see("One ");
    server.release();
    for terminal in [&mut first, &mut second, &mut third] {
        terminal.see("? Which colour?");
        terminal.see("2) blue");
    }
    assert_eq!(sessions(&place)[0]["state"], "asking");
    assert_eq!(sessions(&place)[0]["watchers"], 2);
    third.line("7");
    third.see("type a number from 1 to 2");
    third.line("2");
    for terminal in [&mut first, &mut second] {
        terminal.see("answered by attach (pid ");
        terminal.see("): blue");
    }
    for terminal in [&mut first, &mut second, &mut third] {
        terminal.see("So be it.");
    }
    assert!(!third.output().contains("answered by"), "{}", third.output());
    for terminal in [first, second, third] {
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");
    }
    server.next_request();
    let answered = server.next_request().messages();
    assert!(answered.iter().any(|(_, text)| text.contains("blue")), "{answered:?}");
}

#[test]
fn the_runs_own_terminal_answers_too_and_the_watcher_hears_it() {
    let place = Place::new();
    let server = Server::start(questions());
    let mut first = place.run_with("pi", &server, FREE).args(["Paint it."]).in_terminal();
    first.see("One ");
    let mut second = attach(&place);
    second.see("One ");
    server.release();
    second.see("2) blue");
    first.see("2) blue");
    first.line("red");
    second.see("answered by terminal: red");
    second.see("So be it.");
    assert_eq!(first.done().0, 0);
    assert_eq!(second.done().0, 0);
}

#[test]
fn a_run_without_a_terminal_is_answered_by_who_attaches() {
    let place = Place::new();
    let server = Server::start(questions());
    let run = place.run_with("pi", &server, FREE).args(["--format", "json", "Paint it."]).start();
    run.event("message");
    let mut second = attach(&place);
    second.see("One ");
    server.release();
    second.see("2) blue");
    second.line("blue");
    second.see("So be it.");
    let done = run.done().succeeded();
    let answered = done.event("answered");
    assert_eq!(answered["id"], done.event("ask")["id"]);
    assert_eq!(answered["answer"], "blue");
    assert!(answered["by"].as_str().is_some_and(|by| by.starts_with("attach (pid ")), "{answered}");
    assert_eq!(second.done().0, 0);
}

#[test]
fn who_leaves_ends_nothing() {
    let place = Place::new();
    let server = Server::start([Play::Gated(Answer::text("One moment please."))]);
    let mut first = place.run_with("pi", &server, FREE).in_terminal();
    first.see("> ");
    // Idle: there is nothing to cancel, so Ctrl-C leaves.
    let mut second = attach(&place);
    second.see("of agent pi, idle");
    second.line("Go left.");
    second.see("no turn is running");
    second.type_in(CTRL_C);
    assert_eq!(second.done().0, 130);
    first.line("Hello.");
    first.see("One ");
    let mut second = attach(&place);
    second.see("One ");
    second.type_in(CTRL_D);
    assert_eq!(second.done().0, 0);
    server.release();
    first.see("please.");
    first.see("> ");
    first.type_in(CTRL_D);
    assert_eq!(first.done().0, 0);
}

#[test]
fn a_spectator_neither_steers_nor_answers() {
    let place = Place::new();
    let server = Server::start(questions());
    let run = place.run_with("pi", &server, FREE).args(["--format", "json", "Paint it."]).start();
    run.event("message");
    let mut second = place.command(["attach", "--read-only"]).in_terminal();
    second.see("One ");
    second.line("Go left.");
    server.release();
    second.see("So be it.");
    let done = run.done().succeeded();
    assert_eq!(done.event("answered")["by"], Value::Null, "nobody was there who answers");
    assert_eq!(second.done().0, 0);
    server.next_request();
    let messages = server.next_request().messages();
    assert!(!messages.iter().any(|(_, text)| text.contains("Go left.")), "{messages:?}");
}

#[test]
fn a_script_steers_by_a_pipe_and_reads_json() {
    let place = Place::new();
    let server = Server::start([
        Play::Gated(Answer::text("One moment please.")),
        Play::Stream(Answer::text("Left it is.")),
    ]);
    let run = place.run_with("pi", &server, FREE).args(["--format", "json", "--session", "s1"]);
    let run = run.args(["Which way?"]).start();
    run.event("message");
    let attach = place.command(["attach", "pi", "--format", "json"]).stdin("Go left.\n").start();
    let input = |text: &str| text.contains(r#""kind":"input""#).then_some(());
    attach.stdout.wait(input).expect("the steer is told");
    server.release();
    run.done().succeeded();
    let done = attach.done().succeeded();
    let steered: Vec<_> = done.lines_of_kind("input").collect();
    assert_eq!(steered[0]["input"]["steer"], json!([{"text": "Go left."}]));
    let events: Vec<_> = done.lines_of_kind("event").collect();
    assert_eq!(events[0]["event"]["type"], "turn_started");
    assert_eq!(events.last().unwrap()["event"]["type"], "turn_finished");
    let numbers: Vec<_> = done.events().iter().filter_map(|line| line["seq"].as_u64()).collect();
    let first = numbers[0];
    assert!(numbers.iter().zip(first..).all(|(seq, expected)| *seq == expected), "{numbers:?}");
    assert_eq!(done.lines_of_kind("ended").count(), 1);
}

#[test]
fn ps_shows_what_runs_and_a_killed_run_leaves_nothing() {
    let place = Place::new();
    assert!(sessions(&place).is_empty());
    let server = Server::start([Play::Hold(Answer::text("The beginning of "))]);
    let mut first =
        place.run_with("pi", &server, FREE).args(["--session", "s1", "Hi."]).in_terminal();
    first.see("beginning of");
    let [session] = &sessions(&place)[..] else { panic!("one session runs") };
    for (field, value) in
        [("session", "s1"), ("agent", "pi"), ("model", "mock/m"), ("state", "running")]
    {
        assert_eq!(session[field], value, "{session}");
    }
    let table = place.command(["ps"]).done().succeeded().stdout;
    assert!(table.contains("SESSION") && table.contains("running"), "{table}");
    let mut second = attach(&place);
    second.see("beginning of");
    first.kill();
    second.see("its process is gone");
    assert_eq!(second.done().0, 1);
    assert!(sessions(&place).is_empty());
    assert_eq!(fs::read_dir(place.data().join("control")).unwrap().count(), 0);
}

#[test]
fn a_run_that_is_quit_at_once_removes_its_socket() {
    let place = Place::new();
    let server = Server::start([Play::Hold(Answer::text("The beginning of "))]);
    let mut first = place.run_with("pi", &server, FREE).args(["Hi."]).in_terminal();
    first.see("beginning of");
    first.type_in(CTRL_C);
    first.see("cancelling");
    first.type_in(CTRL_C);
    assert_eq!(first.done().0, 130);
    assert_eq!(fs::read_dir(place.data().join("control")).unwrap().count(), 0);
}

#[test]
fn with_nothing_to_attach_to_it_says_so() {
    let place = Place::new();
    let done = place.command(["attach"]).done().exited(2);
    assert!(done.stderr.contains("no session is running"), "{}", done.stderr);
    assert!(!place.data().exists(), "looking makes nothing");
}

#[test]
fn a_run_that_cannot_open_its_socket_runs_all_the_same() {
    let place = Place::new();
    fs::create_dir(place.data()).unwrap();
    fs::write(place.data().join("control"), "not a directory").unwrap();
    let model = place.script(&[json!({"text": "Hello."})]);
    let done = place.run("echo").args(["--model", &model, "Hi."]).done().succeeded();
    assert_eq!(done.stdout, "Hello.\n");
    assert!(done.stderr.contains("cannot be attached to"), "{}", done.stderr);
    let done = place.command(["ps"]).done().exited(1);
    assert!(done.stderr.contains("is no directory; remove it"), "{}", done.stderr);
}

#[test]
fn escapes_of_the_model_do_not_reach_a_watchers_terminal() {
    let place = Place::new();
    let server = Server::start([Play::Gated(Answer::text("One \x1b]0;owned\x07moment."))]);
    let mut first = place.run_with("echo", &server, FREE).args(["Hello."]).in_terminal();
    first.see("One ");
    let mut second = attach(&place);
    second.see("One ");
    server.release();
    second.see("moment.");
    let (code, output) = second.done();
    assert_eq!(code, 0);
    assert!(!output.contains("owned"), "{output:?}");
    assert_eq!(first.done().0, 0);
}
