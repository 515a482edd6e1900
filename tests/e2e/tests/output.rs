//! What reaches the user's screen: nothing that acts on it, and nothing at all when it is closed.

use std::io::Read as _;
use std::process::Stdio;

use e2e::Place;
use serde_json::json;

/// Changes the title, the clipboard, the colours and the cursor, in pieces of every length.
const EVIL: &str = "\x1b]0;owned\x07before \x1b]52;c;aGk=\x1b\\\x1b[31mred\x1b[0m \x1b[2Jafter\u{202e} \
                    \u{9b}5mblink \x07\x08 end";

#[test]
fn escapes_of_the_model_do_not_reach_the_terminal() {
    for harness in ["echo", "pi"] {
        let place = Place::new();
        let model = place.script(&[json!({"thinking": EVIL, "text": EVIL})]);
        let mut terminal = place.terminal(harness, ["--model", &model, "Hello."]);
        terminal.see("before red after 5mblink  end");
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");
        for sequence in ["\x1b]", "\x1b[31m", "\x1b[2J", "\u{202e}", "\u{9b}", "\x07", "\x08"] {
            assert!(!output.contains(sequence), "{harness}: {sequence:?} in {output:?}");
        }
    }
}

#[test]
fn escapes_in_titles_and_failures_do_not_either() {
    let place = Place::new();
    let model = place.script(&[
        json!({"tool_calls": [{"name": "read", "arguments": {"path": "\x1b]0;owned\x07a.txt"}}]}),
        json!({"error": {"status": 400, "message": "bad \x1b]0;owned\x07 request"}}),
    ]);
    let mut terminal = place.terminal("pi", ["--model", &model, "Hello."]);
    terminal.see("read");
    let (code, output) = terminal.done();
    assert_eq!(code, 3, "{output}");
    assert!(!output.contains("\x1b]") && !output.contains('\x07'), "{output:?}");
}

#[test]
fn json_is_exact() {
    let place = Place::new();
    let model = place.script(&[json!({"text": EVIL})]);
    let run = place.run("echo").args(["--model", &model, "--format", "json", "Hello."]);
    let done = run.done().succeeded();
    assert_eq!(done.answer(), EVIL);
    let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!done.stdout.contains(acts), "what a terminal acts on is escaped");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Hello."})]);
    let args = ["--model", &model, "Hi."];
    let mut terminal = place.terminal("echo", args);
    terminal.see("script:script.jsonl · ");
    let (_, coloured) = terminal.done();
    assert!(coloured.contains("\x1b["), "{coloured:?}");
    let mut terminal = place.run("echo").args(args).env("NO_COLOR", "1").in_terminal();
    terminal.see("script:script.jsonl · ");
    let (_, plain) = terminal.done();
    assert!(!plain.contains("\x1b["), "{plain:?}");
}

/// As `| head` does it: a little is read, then the pipe is closed.
#[test]
fn a_closed_stdout_ends_the_run_quietly() {
    for format in ["json", "text"] {
        let place = Place::new();
        let words = "word\n".repeat(20_000);
        let model = place
            .script(&[json!({"price": {"input": "$2", "output": "$8"}}), json!({"text": words})]);
        let run = place.run("echo").args(["--model", &model, "--format", format, "Hello."]);
        let mut command = run.command();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut first = [0; 10];
        let mut stdout = child.stdout.take().expect("stdout is piped");
        stdout.read_exact(&mut first).expect("ten bytes of output");
        drop(stdout);
        let stderr = e2e::Tape::record(child.stderr.take().expect("stderr is piped"));
        let status = e2e::wait(&mut child).expect("the program ends");
        let stderr = stderr.all().expect("an ended process closes its outputs");
        assert!(!stderr.contains("panic"), "{stderr}");
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert_eq!(place.spends_settled().len(), 1, "the answer is booked, not its worst case");
    }
}
