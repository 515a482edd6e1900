use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bindings::session::turn::{Host as _, HostPermission as _, Refusal};
use bindings::session::types::{Call, Kind, Location};
use domain::{Answer, Question, User};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use wasmtime::component::Resource;

use crate::bench::Bench;

/// Answers when the test lets it.
struct Person {
    answer: Option<&'static str>,
    may_answer: Semaphore,
    asked: AtomicUsize,
    withdrawn: Notify,
}

/// Tells of a question that was dropped before its answer.
struct Open<'a>(Option<&'a Notify>);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if let Some(withdrawn) = self.0 {
            withdrawn.notify_one();
        }
    }
}

#[async_trait]
impl User for Person {
    async fn ask(&self, question: &Question) -> Option<Answer> {
        let Question { text, choices, call, .. } = question;
        assert!(text.contains("edit a.txt") && text.contains("{\"path\""), "{text}");
        assert_eq!(choices, &["allow", "allow for this session", "always allow", "deny"]);
        assert_eq!(call.as_deref(), Some("1"));
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut open = Open(Some(&self.withdrawn));
        self.may_answer.acquire().await.ok()?.forget();
        open.0 = None;
        self.answer.map(|text| Answer { text: text.into(), by: "test".into() })
    }
}

fn person(answer: Option<&'static str>, answers: usize) -> Arc<Person> {
    Arc::new(Person {
        answer,
        may_answer: Semaphore::new(answers),
        asked: AtomicUsize::new(0),
        withdrawn: Notify::new(),
    })
}

fn call() -> Call {
    Call {
        id: "1".into(),
        tool: "edit".into(),
        kind: Kind::Edit,
        title: "edit a.txt".into(),
        input: "{\"path\": \"a.txt\"}".into(),
        locations: Vec::new(),
    }
}

async fn permit(bench: &mut Bench, call: Call) -> u32 {
    bench.view().permit(call).await.unwrap().rep()
}

async fn answer(bench: &mut Bench, permission: u32) -> Result<(), Refusal> {
    bench.view().answer(Resource::new_borrow(permission)).await.unwrap()
}

async fn ready(bench: &mut Bench, permission: u32) -> u32 {
    bench.view().ready(Resource::new_borrow(permission)).await.unwrap().rep()
}

#[tokio::test(start_paused = true)]
async fn the_users_word_decides_and_only_allow_allows() {
    for (says, expected) in [
        (Some("allow"), Ok(())),
        (Some("allow for this session"), Ok(())),
        (Some("always allow"), Ok(())),
        (Some("deny"), Err("denied by the user")),
        (Some("Allow"), Err("denied by the user")),
        (Some(""), Err("denied by the user")),
        (
            None,
            Err(
                "no user is there to give it; to allow it, add `approvals: {allow: [\"permit:edit\"]}`",
            ),
        ),
    ] {
        let user = person(says, 1);
        let mut bench = Bench::with(user.clone());
        let permission = permit(&mut bench, call()).await;
        let waitable = ready(&mut bench, permission).await;
        assert_eq!(bench.wait([waitable], None).await, [0]);
        for _ in 0..2 {
            match (answer(&mut bench, permission).await, expected) {
                (Ok(()), Ok(())) => {}
                (Err(Refusal::Denied(text)), Err(says)) => assert!(text.contains(says), "{text}"),
                other => panic!("{says:?}: {other:?}"),
            }
        }
        assert_eq!(user.asked.load(Ordering::Relaxed), 1);
        assert!(bench.is_ready(waitable));
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_while_the_user_decides() {
    let user = person(Some("allow"), 0);
    let mut bench = Bench::with(user.clone());
    let permission = permit(&mut bench, call()).await;
    let waitable = ready(&mut bench, permission).await;
    assert!(!bench.is_ready(waitable));
    let waiting = answer(&mut bench, permission);
    assert!(timeout(Duration::from_secs(3_600), waiting).await.is_err());
    user.may_answer.add_permits(1);
    assert!(answer(&mut bench, permission).await.is_ok());
    assert!(bench.is_ready(waitable));
}

#[tokio::test(start_paused = true)]
async fn dropping_it_withdraws_the_question() {
    let user = person(Some("allow"), 0);
    let mut bench = Bench::with(user.clone());
    let permission = permit(&mut bench, call()).await;
    let waitable = ready(&mut bench, permission).await;
    assert_eq!(bench.wait([waitable], Some(1)).await, Vec::<u32>::new());
    bench.view().drop(Resource::new_own(permission)).await.unwrap();
    user.withdrawn.notified().await;
    assert_eq!(bench.wait([waitable], None).await, [0], "what is gone is ready");
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_ends_open_questions_and_refuses_new_ones() {
    let user = person(Some("allow"), 0);
    let mut bench = Bench::with(user.clone());
    let open = permit(&mut bench, call()).await;
    let handle = bench.handle.clone();
    let (ended, ()) = tokio::join!(answer(&mut bench, open), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        handle.cancel();
    });
    assert!(matches!(ended, Err(Refusal::Cancelled)), "{ended:?}");
    user.withdrawn.notified().await;
    user.may_answer.add_permits(1);
    let new = permit(&mut bench, call()).await;
    let refused = answer(&mut bench, new).await;
    assert!(matches!(refused, Err(Refusal::Cancelled)), "{refused:?}");
    assert_eq!(user.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_could_read_is_denied_unasked() {
    let huge = || "x".repeat((1 << 20) + 1);
    let location = Location { path: huge(), line: None };
    for call in [
        Call { input: huge(), ..call() },
        Call { title: huge(), ..call() },
        Call { tool: huge(), ..call() },
        Call { locations: vec![location], ..call() },
    ] {
        let user = person(Some("allow"), 1);
        let mut bench = Bench::with(user.clone());
        let permission = permit(&mut bench, call).await;
        let refused = answer(&mut bench, permission).await;
        assert!(matches!(&refused, Err(Refusal::Denied(text)) if text.contains("too large")));
        assert_eq!(user.asked.load(Ordering::Relaxed), 0);
    }
}

struct Broken;

#[async_trait]
impl User for Broken {
    async fn ask(&self, _question: &Question) -> Option<Answer> {
        panic!("this user interface breaks");
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_interface_that_breaks_allows_nothing() {
    let mut bench = Bench::with(Arc::new(Broken));
    let permission = permit(&mut bench, call()).await;
    let refused = answer(&mut bench, permission).await;
    assert!(matches!(refused, Err(Refusal::Denied(_))), "{refused:?}");
}

/// As many as a session may have open.
const QUESTIONS_MAX: usize = 64;

#[tokio::test(start_paused = true)]
async fn questions_without_end_are_denied_and_those_before_are_not() {
    let user = person(Some("allow"), 0);
    let mut bench = Bench::with(user.clone());
    let mut open = Vec::new();
    for _ in 0..QUESTIONS_MAX {
        open.push(permit(&mut bench, call()).await);
    }
    let one_more = permit(&mut bench, call()).await;
    let waitable = ready(&mut bench, one_more).await;
    assert!(bench.is_ready(waitable));
    let refused = answer(&mut bench, one_more).await;
    assert!(matches!(&refused, Err(Refusal::Denied(text)) if text.contains("64 questions wait")));
    // A question that is over makes room, whether or not its handle is given back.
    user.may_answer.add_permits(QUESTIONS_MAX + 1);
    for permission in open {
        assert!(answer(&mut bench, permission).await.is_ok());
    }
    let next = permit(&mut bench, call()).await;
    assert!(answer(&mut bench, next).await.is_ok());
}
