//! Servers over stdio that misbehave, each in its way: what the caller sees, and that nothing is left
//! behind.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mcp::{CallError, STARTS_PER_MINUTE, Selection, Spec, TOOLS_MAX, Transport, Value};
use serde_json::{Map, json};

use crate::place::{DEADLINE, Place, text, until};

fn spec(folder: &Path, mode: &str) -> Spec {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/over_stdio.py");
    let variable = |name: &str, value: &str| (OsString::from(name), Value::new(value));
    Spec {
        name: "odd".into(),
        transport: Transport::Stdio {
            command: "python3".into(),
            args: vec![script.into(), mode.into()],
            env: vec![
                variable("PATH", &std::env::var("PATH").unwrap()),
                variable("NOTES", folder.join("notes").to_str().unwrap()),
            ],
            cwd: folder.to_owned(),
        },
        selection: Selection::All,
        start_timeout: DEADLINE,
        timeout: DEADLINE,
    }
}

fn new(mode: &str, change: impl FnOnce(&mut Spec)) -> Place {
    Place::new(|folder| {
        let mut spec = spec(folder, mode);
        change(&mut spec);
        spec
    })
}

async fn prepared(mode: &str) -> Place {
    let place = new(mode, |_| {});
    place.servers.prepare().await;
    place
}

/// Not even as a zombie of ours.
fn is_gone(pid: &str) -> bool {
    let stat = std::fs::read_to_string(PathBuf::from("/proc").join(pid).join("stat"));
    stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z "))
}

#[tokio::test]
async fn a_server_gets_its_own_environment_and_no_capability_of_ours() {
    let place = prepared("plain").await;
    assert_eq!(place.tool("echo").offered, "odd__echo");
    let arguments = json!({"a": 1}).as_object().unwrap().clone();
    let output = place.servers.call(&place.tool("echo"), arguments).await.unwrap();
    assert_eq!(text(&output), r#"{"a": 1}"#);
    let env: Map<_, _> = serde_json::from_str(&text(&place.call("env").await.unwrap())).unwrap();
    // What cargo gives this test is there, and does not reach the server; what `env` says does.
    // (Nothing is said of further variables: `python3` may be a script that sets its own.)
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && std::env::var_os("HOME").is_some());
    for (name, there) in [("NOTES", true), ("CARGO_MANIFEST_DIR", false), ("HOME", false)] {
        assert_eq!(env.contains_key(name), there, "{name}");
    }
    assert!(place.call("fail").await.unwrap().failed);
    assert!(place.notes().contains("capabilities {}"), "{}", place.notes());
    assert_eq!(place.notices(), "");
}

#[tokio::test]
async fn a_server_that_dies_in_a_call_is_started_again_but_not_without_end() {
    let place = prepared("dies").await;
    for _ in 0..STARTS_PER_MINUTE {
        assert!(matches!(place.call("echo").await, Err(CallError::Gone)));
    }
    let error = place.call("echo").await.unwrap_err();
    assert!(matches!(error, CallError::Start(mcp::StartError::TooOften)), "{error:?}");
}

#[tokio::test]
async fn a_call_that_is_never_answered_times_out_and_is_cancelled() {
    let place = new("silent", |spec| spec.timeout = Duration::from_millis(50));
    place.servers.prepare().await;
    assert!(matches!(place.call("echo").await, Err(CallError::TimedOut)));
    place.noted("cancelled").await;
}

#[tokio::test]
async fn a_dropped_call_is_cancelled_at_the_server() {
    let place = prepared("silent").await;
    let call = place.servers.clone();
    let tool = place.tool("echo");
    let task = tokio::spawn(async move { call.call(&tool, Map::new()).await });
    place.noted("called").await;
    task.abort();
    place.noted("cancelled").await;
}

#[tokio::test]
async fn what_does_not_start_is_named_with_what_helps() {
    for (mode, part) in
        [("exits", "xpressclaw logs"), ("garbage", "start_timeout"), ("never", "start_timeout")]
    {
        let place = new(mode, |spec| {
            if mode != "exits" {
                spec.start_timeout = Duration::from_secs(2);
            }
        });
        place.servers.prepare().await;
        assert!(place.servers.tools().is_empty());
        assert!(place.notices().contains(part), "{mode}: {}", place.notices());
    }
    let place = new("plain", |spec| {
        if let Transport::Stdio { command, .. } = &mut spec.transport {
            *command = "no-such-program".into();
        }
    });
    place.servers.prepare().await;
    assert!(
        place.notices().contains("`no-such-program` was not found; install it"),
        "{}",
        place.notices()
    );
}

#[tokio::test]
async fn what_a_server_writes_to_stderr_is_kept() {
    let place = prepared("exits").await;
    until(|| place.stderr.lock().unwrap().iter().any(|line| line == "cannot start: no database"))
        .await;
    let place = prepared("floods").await;
    assert!(place.call("echo").await.is_ok());
    until(|| place.stderr.lock().unwrap().len() == 20_000).await;
}

#[tokio::test]
async fn lists_are_cut_and_cleaned() {
    let place = prepared("many").await;
    assert_eq!(place.servers.tools().len(), TOOLS_MAX);
    assert!(place.notices().contains("more tools"), "{}", place.notices());
    let place = prepared("odd-lists").await;
    assert_eq!(place.servers.tools().len(), 3);
    assert!(
        place.notices().contains("twice") && place.notices().contains("schema"),
        "{}",
        place.notices()
    );
}

#[tokio::test]
async fn a_changed_list_is_read_before_the_next_turn_and_not_earlier() {
    let place = prepared("changing").await;
    assert_eq!(place.servers.tools().len(), 1);
    place.call("echo").await.unwrap();
    assert_eq!(place.servers.tools().len(), 1);
    place.servers.prepare().await;
    assert_eq!(place.servers.tools().len(), 2);
}

#[tokio::test]
async fn a_huge_result_is_refused() {
    let place = prepared("huge").await;
    assert!(matches!(place.call("echo").await, Err(CallError::TooLarge { .. })));
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words_and_not_without_end() {
    let place = prepared("refuses").await;
    let error = place.call("echo").await.unwrap_err();
    let CallError::Refused(words) = &error else { panic!("{error:?}") };
    assert!(words.starts_with("not today "), "{words:.40}");
    assert!(words.len() <= 16 << 10, "{} bytes", words.len());
    // It is there for the next call.
    assert!(matches!(place.call("echo").await, Err(CallError::Refused(_))));
    assert_eq!(place.notes().matches("capabilities ").count(), 1, "one start is enough");
}

#[tokio::test]
async fn sampling_and_elicitation_are_refused() {
    let place = prepared("asks").await;
    let answers = text(&place.call("echo").await.unwrap());
    let answers: Vec<serde_json::Value> = serde_json::from_str(&answers).unwrap();
    let of = |id: &str| answers.iter().find(|answer| answer["id"] == id).unwrap();
    assert!(of("s0")["error"].is_object(), "{answers:?}");
    assert_ne!(of("s1")["result"]["action"], "accept", "{answers:?}");
    assert!(of("s2")["result"]["roots"].as_array().is_none_or(Vec::is_empty), "{answers:?}");
}

#[tokio::test]
async fn a_server_that_ignores_its_closed_input_and_term_is_killed() {
    let place = prepared("stubborn").await;
    let notes = place.notes();
    let server = notes.lines().find_map(|line| line.strip_prefix("pid ")).unwrap().to_owned();
    place.servers.close().await;
    assert!(place.notes().contains("input closed\ntold to end\n"), "{}", place.notes());
    until(|| is_gone(&server)).await;
}

#[tokio::test]
async fn no_process_is_left_behind_however_a_session_ends() {
    for polite in [true, false] {
        let place = prepared("children").await;
        let notes = place.notes();
        let child = notes.lines().next().unwrap().to_owned();
        let server = notes.lines().find_map(|line| line.strip_prefix("pid ")).unwrap().to_owned();
        assert!(!is_gone(&child) && !is_gone(&server));
        if polite {
            place.servers.close().await;
            place.noted("input closed").await;
        }
        let Place { servers, folder: _folder, .. } = place;
        drop(servers);
        until(|| is_gone(&child) && is_gone(&server)).await;
    }
}
