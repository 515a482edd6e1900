//! The gate with a person behind it, on a real store.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use approvals::{Access, Action, Approvals, Denial, Parts, Rules, Watchers, choices};
use async_trait::async_trait;
use domain::event::{Call, Kind};
use domain::{AgentName, Answer, Event, Question, SessionId, TurnId, User};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use store::Store;
use tokio::sync::{Notify, oneshot};

/// Answers what the test has prepared; afterwards nobody is there.
#[derive(Default)]
struct Person {
    answers: Mutex<VecDeque<&'static str>>,
    asked: Mutex<Vec<Question>>,
}

#[async_trait]
impl User for Person {
    async fn ask(&self, question: &Question) -> Option<Answer> {
        self.asked.lock().unwrap().push(question.clone());
        let text = self.answers.lock().unwrap().pop_front()?;
        Some(Answer { text: text.into(), by: "terminal".into() })
    }
}

struct Bench {
    store: Store,
    person: Arc<Person>,
    events: Arc<Mutex<Vec<Event>>>,
    rules: Rules,
}

impl Bench {
    fn new(allow: &[&str], ask: &[&str], deny: &[&str], answers: &[&'static str]) -> Self {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let person =
            Person { answers: Mutex::new(answers.iter().copied().collect()), ..Person::default() };
        Self {
            store: Store::in_memory().unwrap(),
            person: Arc::new(person),
            events: Arc::default(),
            rules: Rules { allow: parse(allow), ask: parse(ask), deny: parse(deny) },
        }
    }

    /// As another process would continue a session.
    fn session(&self, agent: &str, session: &str) -> Approvals {
        self.with_user(agent, session, self.person.clone())
    }

    fn with_user(&self, agent: &str, session: &str, user: Arc<dyn User>) -> Approvals {
        let events = self.events.clone();
        Approvals::new(Parts {
            store: self.store.clone(),
            agent: AgentName::new(agent).unwrap(),
            session: SessionId::new(session).unwrap(),
            rules: self.rules.clone(),
            user,
            report: Arc::new(move |event| events.lock().unwrap().push(event)),
        })
    }

    /// With watchers of the test's own.
    fn with(&self, report: Arc<dyn Watchers>) -> Approvals {
        Approvals::new(Parts {
            store: self.store.clone(),
            agent: AgentName::new("pi").unwrap(),
            session: SessionId::new("s").unwrap(),
            rules: self.rules.clone(),
            user: self.person.clone(),
            report,
        })
    }

    fn questions(&self) -> usize {
        self.person.asked.lock().unwrap().len()
    }

    /// The audit log as `kind subject verdict by`.
    fn audit(&self) -> Vec<String> {
        let rows = self.store.approval().history(None, None, 1_000).unwrap();
        rows.into_iter()
            .map(|row| format!("{} {} {} {}", row.kind, row.subject, row.verdict.as_str(), row.by))
            .collect()
    }
}

fn call(id: &str, tool: &str, input: &str) -> Call {
    Call {
        id: id.into(),
        tool: tool.into(),
        kind: Kind::Execute,
        title: "run it".into(),
        input: input.into(),
        locations: Vec::new(),
    }
}

#[tokio::test]
async fn once_is_once() {
    let bench = Bench::new(&[], &[], &[], &[choices::ALLOW, choices::DENY]);
    let gate = bench.session("pi", "s1");
    let tool = Action::tool("files.read", "{\"path\": \"x\"}", "c1");
    assert_eq!(gate.check(&tool).await, Ok(()));
    let denied = gate.check(&tool).await.unwrap_err();
    assert_eq!(denied.to_string(), "the tool `files.read` was denied by the user");
    let nobody = gate.check(&tool).await.unwrap_err().to_string();
    assert!(nobody.contains("no user is there to give it"), "{nobody}");
    assert!(nobody.contains("add `approvals: {allow: [\"tool:files.read\"]}`"), "{nobody}");
    assert_eq!(
        bench.audit(),
        [
            "tool files.read allowed terminal",
            "tool files.read denied terminal",
            "tool files.read denied nobody"
        ]
    );
    let asked = bench.person.asked.lock().unwrap();
    assert!(asked[0].text.contains("{\"path\": \"x\"}"), "{asked:?}");
    assert_eq!(asked[0].call.as_deref(), Some("c1"));
    let events = bench.events.lock().unwrap();
    assert!(matches!(&events[0], Event::Ask { call: Some(call), .. } if call == "c1"));
    assert!(matches!(&events[1], Event::Answered { by: Some(by), .. } if by == "terminal"));
    assert!(matches!(&events[2], Event::Approval { by, .. } if by == "terminal"));
    assert_eq!(events.len(), 9);
    assert!(matches!(&events[7], Event::Answered { by: None, .. }));
}

#[tokio::test]
async fn for_this_session_outlives_the_process_and_not_the_session() {
    let bench = Bench::new(&[], &["command:*"], &[], &[choices::SESSION]);
    let push = Action::command("git push", None);
    assert_eq!(bench.session("pi", "s1").check(&push).await, Ok(()));
    assert_eq!(bench.session("pi", "s1").check(&push).await, Ok(()));
    for (agent, session, script) in
        [("pi", "s2", "git push"), ("spy", "s1", "git push"), ("pi", "s1", "git push --force")]
    {
        let gate = bench.session(agent, session);
        assert!(gate.check(&Action::command(script, None)).await.is_err(), "{agent} {session}");
    }
    assert_eq!(bench.audit()[1], "command git push allowed remembered for this session");
}

#[tokio::test]
async fn always_holds_for_the_agent_until_it_is_forgotten() {
    let bench = Bench::new(&[], &["path:.git/**"], &[], &[choices::ALWAYS]);
    let read = Action::path(Access::Read, "/workspace/.git/HEAD");
    assert_eq!(bench.session("pi", "s1").check(&read).await, Ok(()));
    assert_eq!(bench.session("pi", "s2").check(&read).await, Ok(()));
    let write = Action::path(Access::Write, "/workspace/.git/HEAD");
    assert!(bench.session("pi", "s2").check(&write).await.is_err(), "reading is not changing");
    let id = bench.store.approval().list(None, 10).unwrap()[0].id.to_string();
    bench.store.approval().forget(&id).unwrap();
    assert!(bench.session("pi", "s2").check(&read).await.is_err());
}

#[tokio::test]
async fn a_denying_rule_beats_what_is_remembered() {
    let mut bench = Bench::new(&[], &["host:*"], &[], &[choices::ALWAYS]);
    let host = Action::host("example.com", 443);
    assert_eq!(bench.session("pi", "s").check(&host).await, Ok(()));
    bench.rules.deny.push("host:example.com".parse().unwrap());
    let denied = bench.session("pi", "s").check(&host).await.unwrap_err().to_string();
    assert!(denied.contains("the rule `host:example.com`"), "{denied}");
    assert_eq!(bench.questions(), 1);
}

#[tokio::test]
async fn rules_allow_and_deny_without_a_question() {
    let bench = Bench::new(&["tool:a", "permit:a"], &[], &["tool:b", "path:**/.env"], &[]);
    let gate = bench.session("pi", "s");
    assert_eq!(gate.check(&Action::tool("a", "{}", "1")).await, Ok(()));
    assert_eq!(gate.check(&Action::command("ls", None)).await, Ok(()));
    assert_eq!(gate.check(&Action::verb("memory.add", "x")).await, Ok(()));
    assert!(gate.check(&Action::tool("b", "{}", "1")).await.is_err());
    for _ in 0..3 {
        assert!(gate.check(&Action::path(Access::Read, "/workspace/.env")).await.is_err());
    }
    assert_eq!(bench.questions(), 0);
    // What is read again and again is told once a turn.
    assert_eq!(
        bench.audit(),
        [
            "tool a allowed rule allow tool:a",
            "command ls allowed default",
            "tool b denied rule deny tool:b",
            "path(read) .env denied rule deny path:**/.env"
        ]
    );
    gate.begin_turn(TurnId::mint(), std::future::pending());
    assert!(gate.check(&Action::path(Access::Read, "/workspace/.env")).await.is_err());
    assert_eq!(bench.audit().len(), 5);
}

#[tokio::test]
async fn a_permit_counts_once_for_the_very_call() {
    let bench = Bench::new(&["permit:trusted"], &["command:*"], &[], &[choices::ALLOW]);
    let gate = bench.session("pi", "s");
    let shown = call("c1", "bash", "{\"command\": \"git push\"}");
    assert_eq!(gate.check(&Action::permit(&shown)).await, Ok(()));
    assert!(gate.check(&Action::command("git push --force", Some("c1"))).await.is_err());
    assert!(gate.check(&Action::command("git push", Some("c2"))).await.is_err());
    let questions = bench.questions();
    assert_eq!(gate.check(&Action::command("git push", Some("c1"))).await, Ok(()));
    assert_eq!(bench.questions(), questions, "the same call is not asked for again");
    assert!(gate.check(&Action::command("git push", Some("c1"))).await.is_err(), "only once");
    // What a rule lets through is nobody's word on the command.
    let trusted = call("c3", "trusted", "{\"command\": \"git push\"}");
    assert_eq!(gate.check(&Action::permit(&trusted)).await, Ok(()));
    assert!(gate.check(&Action::command("git push", Some("c3"))).await.is_err());
}

#[tokio::test]
async fn only_a_choice_that_was_offered_allows() {
    for answer in ["", "Allow", "yes", "deny", "always"] {
        let bench = Bench::new(&[], &[], &[], &[answer]);
        let checked = bench.session("pi", "s").check(&Action::tool("a", "{}", "1")).await;
        assert!(matches!(checked, Err(Denial::User { .. })), "{answer}: {checked:?}");
    }
    // What is too long to be remembered cannot be allowed for longer.
    let script = "x".repeat(store::approval::SUBJECT_MAX_BYTES + 1);
    let bench = Bench::new(&[], &["command:*"], &[], &[choices::ALWAYS, choices::ALLOW]);
    let gate = bench.session("pi", "s");
    assert!(gate.check(&Action::command(&script, None)).await.is_err());
    assert_eq!(gate.check(&Action::command(&script, None)).await, Ok(()));
    let huge = "x".repeat(approvals::ASKED_MAX_BYTES + 1);
    let checked = gate.check(&Action::tool("a", &huge, "1")).await;
    assert!(matches!(checked, Err(Denial::TooLarge { .. })), "{checked:?}");
    assert_eq!(bench.questions(), 2);
}

#[tokio::test]
async fn an_action_on_several_paths_is_done_whole_or_not_at_all() {
    let bench = Bench::new(&[], &["path:a/**"], &["path:**/.env"], &[choices::ALLOW; 20]);
    let gate = bench.session("pi", "s");
    let names: Vec<String> = (0..9).map(|n| format!("/workspace/a/{n}")).collect();
    let mut actions: Vec<_> = names.iter().map(|name| Action::path(Access::Read, name)).collect();
    let many = gate.check_all(&actions).await.unwrap_err();
    assert_eq!(many, Denial::TooMany { count: 9 });
    actions.truncate(2);
    actions.push(Action::path(Access::Read, "/workspace/b/.env"));
    assert!(matches!(gate.check_all(&actions).await, Err(Denial::Rule { .. })));
    assert_eq!(bench.questions(), 0, "nobody is asked for what is denied anyway");
    actions.truncate(2);
    assert_eq!(gate.check_all(&actions).await, Ok(()));
    assert_eq!(bench.questions(), 2);
    let bench = Bench::new(&[], &["path:a/**"], &[], &[choices::ALWAYS]);
    assert_eq!(bench.session("pi", "s").check_all(&actions[..1]).await, Ok(()));
    assert_eq!(bench.session("pi", "s").check_all(&actions[..1]).await, Ok(()));
    assert_eq!(bench.audit()[1], "path(read) a/0 allowed remembered for good");
}

/// Thinks until the test lets go, and tells when it is asked and when its question is withdrawn.
struct Thinker {
    asked: Notify,
    withdrawn: Arc<Notify>,
}

struct Open(Arc<Notify>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[async_trait]
impl User for Thinker {
    async fn ask(&self, _question: &Question) -> Option<Answer> {
        let _open = Open(self.withdrawn.clone());
        self.asked.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_cancellation_withdraws_the_question_and_so_does_dropping_it() {
    let bench = Bench::new(&[], &[], &[], &[]);
    let thinker = Arc::new(Thinker { asked: Notify::new(), withdrawn: Arc::default() });
    let gate = bench.with_user("pi", "s", thinker.clone());
    let (cancel, cancelled) = oneshot::channel::<()>();
    gate.begin_turn(TurnId::mint(), async move {
        let _ = cancelled.await;
    });
    let tool = Action::tool("a", "{}", "1");
    let (checked, ()) = tokio::join!(gate.check(&tool), async {
        thinker.asked.notified().await;
        cancel.send(()).unwrap();
    });
    assert_eq!(checked, Err(Denial::Cancelled));
    thinker.withdrawn.notified().await;
    {
        let events = bench.events.lock().unwrap();
        let [Event::Ask { id: asked, .. }, Event::Answered { id, by: None, .. }] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(asked, id, "whoever watches is told that it is over");
    }
    assert_eq!(gate.check(&tool).await, Err(Denial::Cancelled), "no new question in this turn");

    gate.begin_turn(TurnId::mint(), std::future::pending());
    tokio::select! {
        _ = gate.check(&tool) => panic!("nobody answers"),
        () = thinker.asked.notified() => {}
    }
    thinker.withdrawn.notified().await;
    // The next question is not behind the one that was dropped.
    tokio::select! {
        _ = gate.check(&tool) => panic!("nobody answers"),
        () = thinker.asked.notified() => {}
    }
}

#[tokio::test]
async fn one_question_at_a_time_and_an_answer_settles_the_next() {
    let bench = Bench::new(&[], &[], &[], &[choices::SESSION]);
    let gate = bench.session("pi", "s");
    let tool = Action::tool("a", "{}", "1");
    let checks = futures::future::join_all((0..5).map(|_| gate.check(&tool))).await;
    assert!(checks.iter().all(Result::is_ok), "{checks:?}");
    assert_eq!(bench.questions(), 1);
}

#[tokio::test]
async fn the_turn_is_in_the_audit_log() {
    let bench = Bench::new(&["tool:*"], &[], &[], &[]);
    let gate = bench.session("pi", "s");
    let turn = TurnId::mint();
    gate.begin_turn(turn.clone(), std::future::pending());
    gate.check(&Action::tool("a", "{}", "1")).await.unwrap();
    let rows = bench.store.approval().history(None, None, 10).unwrap();
    assert_eq!(rows[0].turn.as_ref(), Some(&turn));
}

fn offered() -> [(String, String); 1] {
    [("files__read".to_owned(), "files.read".to_owned())]
}

#[tokio::test]
async fn a_tool_is_asked_about_once_whichever_door_is_first() {
    let input = "{\"path\": \"a\"}";
    // The harness's name of the tool, and the one of the rules.
    for name in ["files__read", "files.read"] {
        let bench = Bench::new(&[], &[], &[], &[choices::ALLOW]);
        let gate = bench.session("pi", "s");
        gate.offer(offered());
        assert_eq!(gate.check(&Action::permit(&call("c1", name, input))).await, Ok(()));
        let text = bench.person.asked.lock().unwrap()[0].text.clone();
        assert!(text.starts_with("call the tool `files.read` with"), "{text}");
        let other = Action::tool("files.read", "{\"path\": \"b\"}", "c1");
        assert!(gate.check(&other).await.is_err(), "other arguments are another call");
        let questions = bench.questions();
        let tool = Action::tool("files.read", "{\"path\":\"a\"}", "c1");
        assert_eq!(gate.check(&tool).await, Ok(()));
        assert_eq!(bench.questions(), questions, "{name}: the very call is not asked for again");
        assert!(gate.check(&tool).await.is_err(), "only once");
        assert_eq!(bench.audit()[0], "tool files.read allowed terminal");
    }
}

#[tokio::test]
async fn rules_on_a_tool_hold_at_the_harnesss_own_question_too() {
    for (allow, deny, expected) in [
        (&["tool:files.*"][..], &[][..], Ok(())),
        (&[], &["tool:files.read"], Err("tool:files.read")),
        (&["tool:files.*"], &["permit:files__*"], Err("permit:files__*")),
        // A rule on `permit` is no word on tools.
        (&["permit:*"], &[], Err("tool:files.read")),
    ] {
        let bench = Bench::new(allow, &[], deny, &[]);
        let gate = bench.session("pi", "s");
        gate.offer(offered());
        let checked = gate.check(&Action::permit(&call("c1", "files__read", "{}"))).await;
        match expected {
            Ok(()) => assert_eq!(checked, Ok(())),
            Err(part) => {
                let text = checked.unwrap_err().to_string();
                assert!(text.contains(part), "{text}");
            }
        }
    }
    // A tool that is not offered any more is the harness's own affair again.
    let bench = Bench::new(&["permit:*"], &[], &[], &[]);
    let gate = bench.session("pi", "s");
    gate.offer(offered());
    gate.offer([]);
    assert_eq!(gate.check(&Action::permit(&call("c1", "files__read", "{}"))).await, Ok(()));
}

#[tokio::test]
async fn what_is_remembered_of_a_tool_is_remembered_at_both_doors() {
    let bench = Bench::new(&[], &[], &[], &[choices::SESSION]);
    let gate = bench.session("pi", "s");
    gate.offer(offered());
    assert_eq!(gate.check(&Action::permit(&call("c1", "files__read", "{}"))).await, Ok(()));
    for id in ["c1", "c2"] {
        assert_eq!(gate.check(&Action::tool("files.read", "{}", id)).await, Ok(()));
        assert_eq!(gate.check(&Action::permit(&call(id, "files__read", "{}"))).await, Ok(()));
    }
    assert_eq!(bench.questions(), 1);
}

/// Watchers with room for so many events that a guest caused.
struct Slow {
    room: tokio::sync::Semaphore,
    told: Mutex<Vec<Event>>,
}

impl Watchers for Slow {
    fn tell(&self, event: Event) {
        self.told.lock().unwrap().push(event);
    }

    fn caused<'a>(&'a self, event: Event, _bytes: usize) -> BoxFuture<'a, ()> {
        async move {
            self.room.acquire().await.unwrap().forget();
            self.tell(event);
        }
        .boxed()
    }
}

#[tokio::test]
async fn questions_and_what_is_remembered_wait_for_their_readers() {
    for remembered in [false, true] {
        let bench = Bench::new(&[], &[], &[], &[choices::ALWAYS; 8]);
        let slow = Arc::new(Slow { room: tokio::sync::Semaphore::new(3), told: Mutex::default() });
        let gate = bench.with(slow.clone());
        let shown = |n: usize| {
            let input = if remembered { "{}".to_owned() } else { n.to_string() };
            call(&n.to_string(), "a", &input)
        };
        for n in 0..3 {
            assert_eq!(gate.check(&Action::permit(&shown(n))).await, Ok(()));
        }
        let fourth = shown(3);
        let action = Action::permit(&fourth);
        let mut waiting = gate.check(&action).boxed();
        assert!((&mut waiting).now_or_never().is_none(), "nobody has read the others");
        let told = slow.told.lock().unwrap().len();
        assert_eq!(bench.questions(), if remembered { 1 } else { 3 });
        // Who gives up leaves nothing behind, not even an answer.
        drop(waiting);
        assert_eq!(slow.told.lock().unwrap().len(), told);
        slow.room.add_permits(1);
        assert_eq!(gate.check(&action).await, Ok(()));
    }
}

#[tokio::test]
async fn after_the_turn_nobody_is_asked() {
    let bench = Bench::new(&[], &[], &[], &[choices::ALLOW]);
    let gate = bench.session("pi", "s");
    gate.begin_turn(TurnId::mint(), std::future::pending());
    gate.end_turn();
    let tool = Action::tool("files.read", "{}", "c1");
    assert_eq!(gate.check(&tool).await, Err(Denial::Cancelled));
    assert_eq!(bench.questions(), 0);
    gate.begin_turn(TurnId::mint(), std::future::pending());
    assert_eq!(gate.check(&tool).await, Ok(()));
}

#[tokio::test]
async fn a_turn_that_is_over_stays_so_when_the_next_one_begins() {
    let bench = Bench::new(&[], &[], &[], &[]);
    let gate = bench.session("pi", "s");
    gate.begin_turn(TurnId::mint(), std::future::pending());
    let first = gate.ended();
    gate.end_turn();
    gate.begin_turn(TurnId::mint(), std::future::pending());
    assert!(first.now_or_never().is_some());
    assert!(gate.ended().now_or_never().is_none());
}
