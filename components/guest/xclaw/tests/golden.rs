//! `xclaw` against a host that answers as the files in `golden` say: each is a command line, the request it
//! becomes, an answer, and what comes of that. A server of the host can be tested with the same files.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;

/// Runs `xclaw` against a host that reads one line and answers with `answer`; the line, and what came.
fn run(words: &[&str], stdin: &str, answer: &str) -> (String, Output) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let answer = answer.to_owned();
    let host = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        (&stream).write_all(answer.as_bytes()).unwrap();
        line
    });
    let output = xclaw(words, stdin, &socket);
    (host.join().unwrap(), output)
}

fn xclaw(words: &[&str], stdin: &str, socket: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xclaw"));
    command.args(words).env("XCLAW_SOCKET", socket);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_case_is_what_its_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut methods = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let words: Vec<_> =
            case["command"].as_array().unwrap().iter().map(|w| w.as_str().unwrap()).collect();
        let (line, output) = run(
            &words,
            case["stdin"].as_str().unwrap_or_default(),
            &format!("{}\n", case["answer"]),
        );
        assert_eq!(line.matches('\n').count(), 1, "{}", path.display());
        let request: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(request, case["request"], "{}", path.display());
        assert_eq!(text(&output.stdout), case["stdout"], "{}", path.display());
        assert_eq!(text(&output.stderr), case["stderr"], "{}", path.display());
        let status = output.status.code().map(i64::from);
        assert_eq!(status, case["status"].as_i64(), "{}", path.display());
        methods.push(request["method"].as_str().unwrap().to_owned());
    }
    for method in [
        "memory.add",
        "memory.search",
        "memory.list",
        "memory.delete",
        "task.create",
        "task.update",
        "task.get",
        "task.list",
        "budget.status",
        "log.write",
        "ask",
        "version.get",
    ] {
        assert!(methods.iter().any(|known| known == method), "no case of {method}");
    }
}

#[test]
fn a_host_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let output = xclaw(&["version"], "", &folder.path().join("missing"));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cannot connect to"), "{output:?}");
    let output = xclaw(&["version"], "", Path::new(""));
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("XCLAW_SOCKET is not set"), "{output:?}");
    for answer in ["", "nonsense\n", "{\"id\":1}\n", "{\"id\":1,\"error\":{}}\n"] {
        let (_, output) = run(&["version"], "", answer);
        assert_eq!(output.status.code(), Some(2), "{answer}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn answers_to_others_are_passed_over_and_one_without_an_id_is_taken() {
    let ours = r#"{"jsonrpc":"2.0","id":1,"result":"ours"}"#;
    let other = r#"{"jsonrpc":"2.0","id":2,"result":"other"}"#;
    let (_, output) = run(&["ask", "x"], "", &format!("{other}\n{ours}\n"));
    assert_eq!(text(&output.stdout), "\"ours\"\n");
    let none = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a line too long"}}"#;
    let (_, output) = run(&["memory", "add", "x"], "", &format!("{none}\n"));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), "xclaw: a line too long\n"));
}

#[test]
fn wrong_usage_sends_nothing_and_help_is_no_error() {
    for words in [&[][..], &["memory"], &["log", "info"], &["budget", "x"], &["forget"]] {
        let output = xclaw(words, "", Path::new("/nowhere"));
        assert_eq!(output.status.code(), Some(3), "{words:?}");
        assert!(text(&output.stderr).ends_with("see xclaw --help\n"), "{output:?}");
    }
    let output = xclaw(&["--help"], "", Path::new("/nowhere"));
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("Usage: xclaw"));
}
