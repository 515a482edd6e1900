//! What a command is given and what comes back.

use std::fs;

use machine_protocol::{Command, Event, Exit, Program, Refusal, Request};

use crate::host::{Host, Outcome, of, on_terminal, script};

fn outcome(stdout: &str, stderr: &str, exit: Exit) -> Outcome {
    Outcome { stdout: stdout.into(), stderr: stderr.into(), exit }
}

#[test]
fn outputs_are_apart_and_the_exit_is_told() {
    let mut host = Host::new();
    for (text, expected) in [
        ("echo out; echo err >&2", outcome("out\n", "err\n", Exit::Code(0))),
        ("exit 7", outcome("", "", Exit::Code(7))),
        ("kill -TERM $$", outcome("", "", Exit::Signal(15))),
        ("exec sh -c 'kill -9 $$'", outcome("", "", Exit::Signal(9))),
        ("-x 2>/dev/null", outcome("", "", Exit::Code(127))),
        ("cat", outcome("", "", Exit::Code(0))),
        ("printf 'ä\\0b'", outcome("ä\0b", "", Exit::Code(0))),
    ] {
        let id = host.start(script(text));
        host.send(Request::CloseInput { process: id });
        assert_eq!(host.finish(id), expected, "{text}");
    }
}

#[test]
fn several_run_at_once() {
    let mut host = Host::new();
    let fifo = host.workspace().join("fifo");
    host.run(script("mkfifo fifo"));
    assert!(fifo.exists());
    // Each waits for the other at the fifo.
    let reader = host.start(script("cat fifo"));
    let writer = host.start(script("echo across >fifo"));
    assert_eq!(host.finish(writer).exit, Exit::Code(0));
    assert_eq!(host.finish(reader).stdout, "across\n");
}

#[test]
fn a_command_has_the_machines_environment_and_what_is_added() {
    let mut host = Host::new();
    let env = vec![("ADDED".into(), "a b".into()), ("PAGER".into(), "less".into())];
    let got = host.run(Command { env, ..script("env | sort") }).stdout;
    let has = |line: &str| assert!(got.lines().any(|l| l == line), "{line}: {got}");
    for line in ["ADDED=a b", "PAGER=less", "GIT_PAGER=cat", "LANG=C.UTF-8", "TERM=dumb"] {
        has(line);
    }
    has(&format!("HOME={}", host.folder.path().display()));
    has(&format!("XCLAW_SOCKET={}", host.socket().display()));
    has(&format!("PWD={}", host.workspace().display()));
    assert!(!got.contains("CARGO"), "nothing of the agent's own: {got}");
    let got = host.run(on_terminal("echo $TERM")).stdout;
    assert_eq!(got, "xterm-256color\r\n");
}

#[test]
fn a_command_starts_where_it_is_told_to() {
    let mut host = Host::new();
    let inside = host.workspace().join("a b");
    fs::create_dir(&inside).unwrap();
    let cwd = Some(inside.display().to_string());
    let got = host.run(Command { cwd, ..script("pwd") });
    assert_eq!(got.stdout, format!("{}\n", inside.display()));
}

#[test]
fn what_cannot_be_started_is_refused_with_the_reason() {
    let mut host = Host::new();
    let file = host.workspace().join("file");
    fs::write(&file, "").unwrap();
    let at = |cwd: &str| Command { cwd: Some(cwd.into()), ..script("true") };
    let with = |name: &str| Command { env: vec![(name.into(), "x".into())], ..script("true") };
    let missing = host.workspace().join("missing").display().to_string();
    let file = file.display().to_string();
    for (command, expected) in [
        (at(&missing), Refusal::NoDirectory(missing.clone())),
        (at(&file), Refusal::NoDirectory(file.clone())),
        (at("relative"), Refusal::Invalid("no absolute path: \"relative\"".into())),
        (with("A=B"), Refusal::Invalid("no name of a variable: \"A=B\"".into())),
        (script("a\0b"), Refusal::Invalid("the script has a NUL in it".into())),
        (
            Command { program: Program::Terminal, ..script("") },
            Refusal::Invalid("a terminal without a size".into()),
        ),
    ] {
        host.send(Request::Start { process: 99, command: command.clone() });
        let event = host.wait(|event| of(event, 99));
        assert_eq!(event, Event::Refused { process: 99, refusal: expected }, "{command:?}");
    }
    let id = host.start(script("cat"));
    host.send(Request::Start { process: id, command: script("true") });
    let Event::Refused { refusal, .. } = host.wait(|event| of(event, id)) else {
        panic!("refused")
    };
    assert!(matches!(refusal, Refusal::Invalid(_)), "{refusal:?}");
    // The one in use is as it was, and free afterwards.
    host.send(Request::CloseInput { process: id });
    assert_eq!(host.finish(id).exit, Exit::Code(0));
}

#[test]
fn the_longest_script_runs() {
    let mut host = Host::new();
    let text = format!("echo {}", "x".repeat(131_071 - 5));
    assert_eq!(host.run(script(&text)).stdout.len(), 131_071 - 5 + 1);
}
