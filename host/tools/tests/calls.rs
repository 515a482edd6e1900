//! The door between a guest and the host's tools, without a guest: a server that notes what it sees
//! is behind it, and a person before it.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use approvals::{Approvals, Parts, Rules, choices};
use async_trait::async_trait;
use bindings::base::content::Part;
use bindings::tools::tools::{Error, Host as _, HostInvocation as _, Invocation, Output};
use domain::wait::Waitable;
use domain::{AgentName, Answer, Question, SessionId, User};
use harness::{Cancellation, TurnHandle};
use mcp::{Hooks, Selection, Servers, Spec, Transport, Value};
use store::Store;
use tokio::sync::{Notify, Semaphore};
use tools::{ARGUMENTS_MAX_BYTES, CALLS_MAX, ToolsCtx, ToolsView};
use wasmtime::component::{Resource, ResourceTable};

/// Far above what any of this takes.
const DEADLINE: Duration = Duration::from_secs(60);
/// The offered name of the server's tool.
const ECHO: &str = "odd__echo";

/// Says this, when the test lets it.
struct Person {
    says: &'static str,
    may_answer: Semaphore,
    asked: Mutex<Vec<Question>>,
    withdrawn: Notify,
}

struct Asking<'a>(Option<&'a Notify>);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(withdrawn) = self.0 {
            withdrawn.notify_one();
        }
    }
}

#[async_trait]
impl User for Person {
    async fn ask(&self, question: &Question) -> Option<Answer> {
        self.asked.lock().unwrap().push(question.clone());
        let mut asking = Asking(Some(&self.withdrawn));
        self.may_answer.acquire().await.ok()?.forget();
        asking.0 = None;
        Some(Answer { text: self.says.into(), by: "test".into() })
    }
}

fn person(says: &'static str, answers: usize) -> Arc<Person> {
    Arc::new(Person {
        says,
        may_answer: Semaphore::new(answers),
        asked: Mutex::default(),
        withdrawn: Notify::new(),
    })
}

struct Bench {
    folder: tempfile::TempDir,
    ctx: ToolsCtx,
    table: ResourceTable,
    turn: TurnHandle,
}

impl Bench {
    /// The server misbehaves as `mode` says; every call is allowed by a rule.
    async fn allowed(mode: &str) -> Self {
        Self::new(mode, &["tool:*"], person(choices::DENY, 0), DEADLINE).await
    }

    async fn asked(mode: &str, person: Arc<Person>) -> Self {
        Self::new(mode, &[], person, DEADLINE).await
    }

    async fn new(mode: &str, allow: &[&str], user: Arc<Person>, timeout: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../mcp/tests/servers/over_stdio.py");
        let variable = |name: &str, value: &str| (OsString::from(name), Value::new(value));
        let spec = Spec {
            name: "odd".into(),
            transport: Transport::Stdio {
                command: "python3".into(),
                args: vec![script.into(), mode.into()],
                env: vec![
                    variable("PATH", &std::env::var("PATH").unwrap()),
                    variable("NOTES", folder.path().join("notes").to_str().unwrap()),
                ],
                cwd: folder.path().to_owned(),
            },
            selection: Selection::All,
            start_timeout: DEADLINE,
            timeout,
        };
        let quiet = Arc::new(|_: &str, _: &str| {});
        let servers = Servers::new(vec![spec], Hooks { notice: quiet.clone(), stderr: quiet });
        servers.prepare().await;
        let approvals = Approvals::new(Parts {
            store: Store::in_memory().unwrap(),
            agent: AgentName::new("pi").unwrap(),
            session: SessionId::new("session").unwrap(),
            rules: Rules {
                allow: allow.iter().map(|rule| rule.parse().unwrap()).collect(),
                ..Rules::default()
            },
            user,
            report: Arc::new(|_: domain::Event| {}),
        });
        let turn = TurnHandle::default();
        let cancellation: Cancellation = turn.begin();
        let ctx = ToolsCtx::new(servers, approvals, cancellation);
        Self { folder, ctx, table: ResourceTable::new(), turn }
    }

    fn view(&mut self) -> ToolsView<'_> {
        ToolsView { ctx: &mut self.ctx, table: &mut self.table }
    }

    async fn call(&mut self, name: &str, arguments: &str) -> Result<u32, Error> {
        let called = self.view().call(name.into(), arguments.into(), "call_1".into()).await;
        called.unwrap().map(|invocation| invocation.rep())
    }

    async fn echo(&mut self) -> u32 {
        self.call(ECHO, "{}").await.unwrap()
    }

    async fn finish(&mut self, invocation: u32) -> Result<Output, Error> {
        self.view().finish(Resource::<Invocation>::new_borrow(invocation)).await.unwrap()
    }

    async fn finished(&mut self) -> Result<Output, Error> {
        let invocation = self.echo().await;
        self.finish(invocation).await
    }

    async fn drop(&mut self, invocation: u32) {
        let this = Resource::<Invocation>::new_own(invocation);
        wit_drop(&mut self.view(), this).await;
    }

    async fn is_ready(&mut self, invocation: u32) -> bool {
        let ready = self.view().ready(Resource::new_borrow(invocation)).await.unwrap();
        let waitable: &Waitable = self.table.get(&ready).unwrap();
        waitable.is_ready()
    }

    fn notes(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("notes")).unwrap_or_default()
    }

    /// Waits until the server saw so many of something.
    async fn noted(&self, line: &str, times: usize) {
        let end = Instant::now() + DEADLINE;
        while self.notes().lines().filter(|found| *found == line).count() < times {
            assert!(Instant::now() < end, "{times} times {line}: {}", self.notes());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// `drop` by its trait: there is another method of that name.
async fn wit_drop(view: &mut ToolsView<'_>, this: Resource<Invocation>) {
    bindings::tools::tools::HostInvocation::drop(view, this).await.unwrap();
}

fn texts(output: &Output) -> Vec<String> {
    let shown = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Blob(blob) => format!("{} {:?}", blob.mime, blob.data),
        Part::Link(link) => link.uri.clone(),
    };
    output.content.iter().map(shown).collect()
}

#[tokio::test]
async fn tools_are_listed_and_called_and_their_failure_is_no_error() {
    let mut bench = Bench::allowed("plain").await;
    let tools = bench.view().list_tools().await.unwrap();
    assert_eq!(tools[0].name, ECHO);
    assert_eq!(tools[0].parameters, r#"{"type":"object"}"#);
    let invocation = bench.call(ECHO, "{\"a\": 1}").await.unwrap();
    for _ in 0..2 {
        let output = bench.finish(invocation).await.unwrap();
        assert_eq!(texts(&output), [r#"{"a": 1}"#], "the same answer again");
        assert!(!output.failed);
    }
    assert!(bench.is_ready(invocation).await);
    let failing = bench.call("odd__fail", "{}").await.unwrap();
    assert!(bench.finish(failing).await.unwrap().failed);
}

#[tokio::test]
async fn what_is_no_call_is_refused_at_once_and_asks_nobody() {
    let person = person(choices::ALLOW, 9);
    let mut bench = Bench::asked("silent", person.clone()).await;
    for name in ["odd__nothing", "echo", "odd.echo", ""] {
        let error = bench.call(name, "{}").await.unwrap_err();
        assert!(matches!(&error, Error::UnknownTool(told) if told == name), "{error:?}");
    }
    let long = format!("{{\"a\": \"{}\"}}", "x".repeat(ARGUMENTS_MAX_BYTES));
    for arguments in ["", "[]", "not json", long.as_str()] {
        let error = bench.call(ECHO, arguments).await.unwrap_err();
        assert!(matches!(error, Error::InvalidArguments(_)), "{error:?}");
    }
    assert!(person.asked.lock().unwrap().is_empty());
    assert!(!bench.notes().contains("called"));
}

#[tokio::test]
async fn a_denied_call_does_not_reach_the_server() {
    let person = person(choices::DENY, 1);
    let mut bench = Bench::asked("silent", person.clone()).await;
    let error = bench.finished().await.unwrap_err();
    let Error::Denied(text) = error else { panic!("{error:?}") };
    assert_eq!(text, "the tool `odd.echo` was denied by the user");
    assert_eq!(person.asked.lock().unwrap()[0].call.as_deref(), Some("call_1"));
    assert!(!bench.notes().contains("called"), "{}", bench.notes());
}

#[tokio::test]
async fn an_invocation_that_is_dropped_cancels_its_call_or_withdraws_its_question() {
    let mut bench = Bench::allowed("silent").await;
    let invocation = bench.echo().await;
    bench.noted("called", 1).await;
    assert!(!bench.is_ready(invocation).await);
    bench.drop(invocation).await;
    bench.noted("cancelled", 1).await;

    let person = person(choices::ALLOW, 0);
    let mut bench = Bench::asked("silent", person.clone()).await;
    let invocation = bench.echo().await;
    while person.asked.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    bench.drop(invocation).await;
    person.withdrawn.notified().await;
    assert!(!bench.notes().contains("called"), "{}", bench.notes());
}

#[tokio::test]
async fn a_cancelled_turn_ends_its_calls_and_refuses_new_ones() {
    let mut bench = Bench::allowed("silent").await;
    let invocation = bench.echo().await;
    bench.noted("called", 1).await;
    bench.turn.cancel();
    let error = bench.finish(invocation).await.unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error:?}");
    bench.noted("cancelled", 1).await;
    let error = bench.finished().await.unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error:?}");
    assert_eq!(bench.notes().matches("called\n").count(), 1, "{}", bench.notes());
}

#[tokio::test]
async fn so_many_calls_are_open_at_once_and_no_more() {
    let mut bench = Bench::allowed("silent").await;
    let mut open = Vec::new();
    for _ in 0..CALLS_MAX {
        open.push(bench.echo().await);
    }
    bench.noted("called", CALLS_MAX).await;
    let error = bench.call(ECHO, "{}").await.unwrap_err();
    assert!(
        matches!(&error, Error::Other(text) if text.contains("64 calls are open")),
        "{error:?}"
    );
    bench.drop(open.remove(0)).await;
    bench.noted("cancelled", 1).await;
    bench.echo().await;
    bench.noted("called", CALLS_MAX + 1).await;
}

#[tokio::test]
async fn a_result_of_several_kinds_arrives_in_its_order() {
    let mut bench = Bench::allowed("parts").await;
    let output = bench.finished().await.unwrap();
    assert_eq!(texts(&output), ["an image:", "image/png [1, 2]", "x:3"]);
}

#[tokio::test]
async fn what_goes_wrong_behind_the_door_has_a_name() {
    let user = || person(choices::DENY, 0);
    let short = Duration::from_millis(50);
    let mut bench = Bench::new("silent", &["tool:*"], user(), short).await;
    let error = bench.finished().await.unwrap_err();
    assert!(matches!(error, Error::TimedOut), "{error:?}");
    bench.noted("cancelled", 1).await;

    for (mode, part) in [
        ("dies", "tool `odd.echo`: the server ended, or its connection broke"),
        ("huge", "tool `odd.echo`: the result is too large"),
    ] {
        let mut bench = Bench::allowed(mode).await;
        let error = bench.finished().await.unwrap_err();
        assert!(matches!(&error, Error::Other(text) if text.starts_with(part)), "{error:?}");
    }
}
