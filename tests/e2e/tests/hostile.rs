//! Hostile guests, as the user meets them. What they cannot do to the host and to each other is shown
//! by `host/session/tests/hostile`.

use e2e::{Place, Run};
use serde_json::json;

/// What acts on a terminal and is none of the program's own.
const SEQUENCES: [&str; 8] =
    ["\x1b]", "\x1b\\", "\x1b[2J", "\u{9b}", "\u{202e}", "\x07", "\x08", "owned\r"];

fn hostile(place: &Place, act: &str) -> Run {
    let model = place.script(&[json!({"text": "Hello."})]);
    place.run_guest("hostile").args(["--model", &model, act])
}

#[track_caller]
fn harmless(what: &str, output: &str) {
    for sequence in SEQUENCES {
        assert!(!output.contains(sequence), "{what}: {sequence:?} in {output:?}");
    }
}

/// Every text that a guest can give, on a real terminal, with questions answered.
#[test]
fn no_text_of_a_guest_acts_on_the_terminal() {
    for (act, code) in [("paint", 0), ("paint error", 5)] {
        let place = Place::new();
        let mut terminal = hostile(&place, act).args(["--session", "s1"]).in_terminal();
        terminal.see("4) deny");
        terminal.line("4");
        terminal.see("question");
        terminal.see("choice");
        terminal.line("1");
        terminal.see(if code == 0 { "answer" } else { "failure" });
        let (exit, output) = terminal.done();
        assert_eq!(exit, code, "{output}");
        harmless(act, &output);
        for name in ["notice", "thought", "message", "uri", "call-title", "call-content", "permit"]
        {
            assert!(output.contains(name), "{name} is shown: {output:?}");
        }

        // What it left behind, looked at later.
        for (command, shown) in [
            (vec!["logs"], "stderr"),
            (vec!["memory", "list"], "note"),
            (vec!["tasks", "list"], "task"),
        ] {
            let mut terminal = place.command(command.clone()).in_terminal();
            terminal.see(shown);
            let (exit, output) = terminal.done();
            assert_eq!(exit, 0, "{command:?}: {output}");
            harmless(&format!("{command:?}"), &output);
        }
    }
}

#[test]
fn a_crash_has_its_exit_code_and_a_hint() {
    for (act, says) in [
        ("trap", "the harness crashed"),
        ("exit 1", "exit status 1"),
        ("recurse", "the harness crashed"),
        ("memory-until-it-breaks", "after it was refused more memory"),
        ("fail on purpose", "the harness failed: on purpose"),
    ] {
        let place = Place::new();
        let done = hostile(&place, act).done().exited(5);
        assert!(done.stderr.contains(says), "{act}: {}", done.stderr);
        assert!(done.stderr.contains("hint: "), "{act}: {}", done.stderr);
        assert_eq!(done.stdout, "", "{act}");
    }
}

#[test]
fn a_guest_that_never_answers_a_cancel_is_stopped() {
    let place = Place::new();
    let running = hostile(&place, "sulk").args(["--format", "json"]).start();
    running.event("turn_started");
    running.interrupt();
    let done = running.done().exited(5);
    let failed = done.event("turn_failed");
    let message = failed["message"].as_str().expect("a message");
    assert!(message.contains("did not end its turn within 5 s"), "{message}");
}

#[test]
fn a_guest_for_tests_is_not_listed() {
    let done = Place::new().command(["harness", "list"]).done().succeeded();
    assert!(done.stdout.contains("echo"), "{}", done.stdout);
    assert!(!done.stdout.lines().any(|line| line.starts_with("hostile")), "{}", done.stdout);
}
