//! Servers over streamable HTTP: a real one, and ones that misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use mcp::{CallError, Selection, Spec, Transport, Value};
use serde_json::{Map, json};

use crate::place::{DEADLINE, Place, text, until};

/// What nobody but the configured server may see.
const KEY: &str = "Bearer k3y-0f-th1s-t3st";

/// A server's process on loopback; killed when dropped.
struct Program {
    child: Child,
    url: String,
    heard: mpsc::Receiver<String>,
}

impl Program {
    /// Its first line of stdout that is an address is its own.
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, heard) = mpsc::channel();
        std::thread::spawn(move || {
            while let Some(Ok(line)) = lines.next() {
                let _ = tell.send(line);
            }
        });
        let mut program = Self { child, url: String::new(), heard };
        program.url = program.hears(|line| line.starts_with("http://"));
        program
    }

    fn odd(mode: &str, folder: &Path) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/over_http.py");
        let mut python = Command::new("python3");
        Self::start(python.arg(script).arg(mode).env("NOTES", folder.join("notes")))
    }

    /// `@modelcontextprotocol/server-everything` at this port, or at a free one for 0.
    fn real(port: &str) -> Self {
        let packages = std::env::var_os("XPRESSCLAW_TEST_SERVERS")
            .expect("set XPRESSCLAW_TEST_SERVERS; `cargo xtask test` does");
        let server = "@modelcontextprotocol/server-everything/dist/index.js";
        let loopback = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm/loopback.mjs");
        let mut node = Command::new("node");
        node.arg("--import").arg(loopback).arg(Path::new(&packages).join(server));
        Self::start(node.arg("streamableHttp").env("PORT", port).stderr(Stdio::null()))
    }

    /// Waits for a line of its stdout.
    fn hears(&self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self.heard.recv_timeout(DEADLINE).expect("the server says so");
            if wanted(&line) {
                return line;
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spec(url: &str) -> Spec {
    Spec {
        name: "web".into(),
        transport: Transport::Http {
            url: format!("{url}/mcp"),
            headers: vec![("authorization".into(), Value::new(KEY))],
            proxy: None,
        },
        selection: Selection::All,
        start_timeout: DEADLINE,
        timeout: DEADLINE,
    }
}

/// A place with a server that misbehaves.
async fn odd(mode: &str, change: impl FnOnce(&mut Spec)) -> (Place, Program) {
    let mut program = None;
    let place = Place::new(|folder| {
        let program = program.insert(Program::odd(mode, folder));
        let mut spec = spec(&program.url);
        change(&mut spec);
        spec
    });
    place.servers.prepare().await;
    (place, program.unwrap())
}

#[tokio::test]
async fn a_real_server_is_listed_called_and_its_session_ended() {
    let program = Program::real("0");
    let place = Place::new(|_| spec(&program.url));
    place.servers.prepare().await;
    assert_eq!(place.tool("get-sum").offered, "web__get-sum");
    let arguments = json!({"a": 19, "b": 23}).as_object().unwrap().clone();
    let sum = place.servers.call(&place.tool("get-sum"), arguments).await.unwrap();
    assert_eq!(text(&sum), "The sum of 19 and 23 is 42.");
    let image = place.call("get-tiny-image").await.unwrap();
    assert_eq!(image.parts.len(), 3, "text, image, text");
    let wrong = json!({"a": "x"}).as_object().unwrap().clone();
    assert!(place.servers.call(&place.tool("get-sum"), wrong).await.unwrap().failed);
    place.servers.close().await;
    program.hears(|line| line.contains("session termination request"));
    assert_eq!(place.notices(), "");
}

#[tokio::test]
async fn progress_over_http_lengthens_a_call() {
    let program = Program::real("0");
    let place = Place::new(|_| Spec { timeout: Duration::from_secs(5), ..spec(&program.url) });
    place.servers.prepare().await;
    let tool = place.tool("trigger-long-running-operation");
    let arguments = json!({"duration": 7, "steps": 14}).as_object().unwrap().clone();
    let output = place.servers.call(&tool, arguments).await.unwrap();
    assert!(text(&output).contains("operation completed"), "{}", text(&output));
}

#[tokio::test]
async fn a_server_that_goes_fails_its_call_and_is_found_again_when_it_is_back() {
    let program = Program::real("0");
    let port = program.url.rsplit_once(':').unwrap().1.to_owned();
    let place = Place::new(|_| spec(&program.url));
    place.servers.prepare().await;
    drop(program);
    let error = place.call("get-tiny-image").await.unwrap_err();
    assert!(matches!(error, CallError::Gone), "{error:?}");
    let error = place.call("get-tiny-image").await.unwrap_err();
    assert!(matches!(&error, CallError::Start(_)), "{error:?}");
    let _again = Program::real(&port);
    assert_eq!(place.call("get-tiny-image").await.unwrap().parts.len(), 3);
}

#[tokio::test]
async fn a_session_that_the_server_forgot_is_begun_anew_by_the_next_call() {
    let (place, _program) = odd("forgets", |_| {}).await;
    let error = place.call("echo").await.unwrap_err();
    assert!(matches!(error, CallError::Status { status: 400 }), "{error:?}");
    assert_eq!(text(&place.call("echo").await.unwrap()), "xxxx");
    let begun = place.notes().lines().filter(|line| line.starts_with("POST initialize ")).count();
    assert_eq!(begun, 2);
}

#[tokio::test]
async fn every_request_has_the_key_and_the_session_is_ended() {
    let (place, _program) = odd("plain", |_| {}).await;
    place.call("echo").await.unwrap();
    place.servers.close().await;
    place.noted("ended the-session").await;
    let notes = place.notes();
    let of = |method: &str| notes.lines().filter(|line| line.starts_with(method)).count();
    assert!(of("POST ") >= 4 && of("DELETE ") == 1, "{notes}");
    let keyed = notes.lines().filter(|line| line.ends_with(KEY)).count();
    assert_eq!(keyed, of("POST ") + of("GET ") + of("DELETE "), "{notes}");
}

#[tokio::test]
async fn what_does_not_answer_as_a_server_is_named_with_what_helps_and_nothing_else() {
    for (mode, part) in [
        ("404", "HTTP status 404; check the path of `url`"),
        ("405", "HTTP status 405; check the path of `url`"),
        ("wants-key", "HTTP status 401); check `headers`"),
        ("403", "HTTP status 403); check `headers`"),
        ("500", "unavailable (HTTP status 500)"),
        ("503", "unavailable (HTTP status 503)"),
        ("page", "no MCP server; check `url`"),
    ] {
        let (place, _program) = odd(mode, |_| {}).await;
        assert!(place.servers.tools().is_empty(), "{mode}");
        assert!(place.notices().contains(part), "{mode}: {}", place.notices());
        for leak in ["page of", "<html>", "k3y", "127.0.0.1"] {
            assert!(!place.notices().contains(leak), "{mode}: {}", place.notices());
        }
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let place = Place::new(|_| spec(&url));
    place.servers.prepare().await;
    assert!(place.notices().contains("nothing answers at its address"), "{}", place.notices());
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_goes_nowhere_else() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = format!("http://{}/mcp", elsewhere.local_addr().unwrap());
    let (place, _program) = odd(&target, |_| {}).await;
    assert!(place.notices().contains("write where it leads as `url`"), "{}", place.notices());
    assert!(elsewhere.accept().is_err(), "nobody came");
}

#[tokio::test]
async fn a_call_that_is_never_answered_times_out_and_one_that_is_dropped_is_cancelled() {
    let (place, _program) = odd("silent", |spec| spec.timeout = Duration::from_millis(200)).await;
    assert!(matches!(place.call("echo").await, Err(CallError::TimedOut)));
    place.noted("cancelled").await;

    let (place, _program) = odd("silent", |_| {}).await;
    let (servers, tool) = (place.servers.clone(), place.tool("echo"));
    let task = tokio::spawn(async move { servers.call(&tool, Map::new()).await });
    place.noted("called").await;
    task.abort();
    place.noted("cancelled").await;
}

#[tokio::test]
async fn busy_cut_and_huge_answers_fail_their_call_only() {
    let (place, _program) = odd("busy", |_| {}).await;
    for _ in 0..5 {
        let error = place.call("echo").await.unwrap_err();
        assert!(matches!(error, CallError::Status { status: 503 }), "{error:?}");
    }
    let begun = place.notes().lines().filter(|line| line.starts_with("POST initialize ")).count();
    assert_eq!(begun, 1, "a busy server keeps its session");
    let (place, _program) = odd("cut", |spec| spec.timeout = Duration::from_secs(5)).await;
    assert!(place.call("echo").await.is_err());
    let (place, _program) = odd("huge", |_| {}).await;
    let error = place.call("echo").await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_elsewhere_is_reached_through_the_proxy_and_one_here_is_not() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Value::new(format!("http://{}", proxy.local_addr().unwrap()));
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in proxy.incoming().flatten() {
            let (mut stream, mut head) = (stream, [0; 1024]);
            let read = stream.read(&mut head).unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&head[..read]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let through = |spec: &mut Spec| {
        if let Transport::Http { proxy, .. } = &mut spec.transport {
            *proxy = Some(address.clone());
        }
    };
    let (place, _program) = odd("plain", through).await;
    assert_eq!(text(&place.call("echo").await.unwrap()), "xxxx");
    assert!(told.try_recv().is_err(), "this machine needs no proxy");

    let place = Place::new(|_| {
        let mut spec = spec("https://mcp.invalid");
        through(&mut spec);
        spec
    });
    place.servers.prepare().await;
    let head = told.recv_timeout(DEADLINE).unwrap();
    assert!(head.starts_with("CONNECT mcp.invalid:443 "), "{head}");
    assert!(!head.contains("k3y"), "{head}");
    assert!(place.servers.tools().is_empty());
    until(|| !place.notices().is_empty()).await;
}
