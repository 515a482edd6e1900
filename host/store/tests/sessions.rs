//! Sessions, turns and their messages.
#![allow(clippy::unwrap_used)]

use domain::chat::Usage;
use domain::event::Stop;
use domain::{AgentName, Blob, NanoDollars, Part, SessionId, TurnId};
use store::Store;
use store::session::{End, Opening, Role, SessionError, TurnEnd};

struct Bench {
    store: Store,
    agent: AgentName,
    id: SessionId,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            store: Store::in_memory().unwrap(),
            agent: AgentName::new("pi").unwrap(),
            id: SessionId::new("s1").unwrap(),
        };
        bench.store.session().open(&bench.opening(), 1).unwrap();
        bench
    }

    fn opening(&self) -> Opening<'_> {
        Opening {
            id: &self.id,
            agent: &self.agent,
            harness: "pi",
            digest: None,
            middleware: "",
            model: "m",
        }
    }

    fn turn(&self, prompt: &str, answer: &str, end: End) -> TurnId {
        let turn = TurnId::mint();
        self.store.session().begin_turn(&self.id, &turn, &[Part::text(prompt)], 5).unwrap();
        self.finish(&turn, answer, &end);
        turn
    }

    fn finish(&self, turn: &TurnId, answer: &str, end: &End) {
        let end = TurnEnd {
            end,
            usage: Usage { input: 3, output: 4, ..Usage::default() },
            cost: NanoDollars(17),
            models: &["m-1".to_owned(), "local".to_owned()],
            answer: &[Part::text(answer)],
        };
        self.store.session().finish_turn(turn, &end, 9).unwrap();
    }

    fn said(&self, limit: u32) -> Vec<(Role, String)> {
        let history = self.store.session().history(&self.id, limit).unwrap();
        history.into_iter().map(|m| (m.role, domain::content::plain_text(&m.parts))).collect()
    }
}

#[test]
fn a_session_continues_where_it_was() {
    let bench = Bench::new();
    let sessions = bench.store.session();
    assert!(!sessions.get(&bench.id).unwrap().resumed());
    let end = End::Stop(Stop::EndTurn);
    bench.turn("hi", "hello", end.clone());
    let opening = Opening {
        digest: Some("sha256:2"),
        middleware: "redactor@3",
        model: "m2",
        ..bench.opening()
    };
    let session = sessions.open(&opening, 20).unwrap();
    assert!(session.resumed());
    assert_eq!((session.created, session.updated, session.turns), (1, 20, 1));
    assert_eq!((session.digest.as_deref(), session.model.as_str()), (Some("sha256:2"), "m2"));
    assert_eq!(session.middleware, "redactor@3");
    bench.turn("more", "sure", end);
    let expected = [
        (Role::User, "hi".to_owned()),
        (Role::Assistant, "hello".to_owned()),
        (Role::User, "more".to_owned()),
        (Role::Assistant, "sure".to_owned()),
    ];
    assert_eq!(bench.said(100), expected);
    assert_eq!(bench.said(3), expected[1..]);
}

#[test]
fn failed_and_unfinished_turns_were_never_said() {
    let bench = Bench::new();
    let failed = bench.turn("break", "hal", End::Failed("it broke".to_owned()));
    let open = TurnId::mint();
    bench.store.session().begin_turn(&bench.id, &open, &[Part::text("wait")], 6).unwrap();
    bench.turn("stop", "so far", End::Stop(Stop::Cancelled));
    assert_eq!(
        bench.said(100),
        [(Role::User, "stop".to_owned()), (Role::Assistant, "so far".to_owned())]
    );
    let turns = bench.store.session().turns(&bench.id, 10).unwrap();
    assert_eq!(turns.len(), 3);
    assert_eq!(turns[0].end, Some(End::Stop(Stop::Cancelled)));
    assert_eq!((turns[1].id == open, turns[1].ended, turns[1].end.clone()), (true, None, None));
    assert_eq!(turns[2].id, failed);
    assert_eq!(turns[2].end, Some(End::Failed("it broke".to_owned())));
    assert_eq!((turns[2].cost.0, turns[2].usage.output), (17, 4));
    assert_eq!(turns[2].models, ["m-1", "local"]);
    // Two turns ended.
    assert_eq!(bench.store.session().get(&bench.id).unwrap().turns, 2);
}

#[test]
fn every_stop_reason_comes_back() {
    let bench = Bench::new();
    for stop in [Stop::EndTurn, Stop::MaxTokens, Stop::MaxSteps, Stop::Refusal, Stop::Cancelled] {
        bench.turn("a", "b", End::Stop(stop));
        let turns = bench.store.session().turns(&bench.id, 1).unwrap();
        assert_eq!(turns[0].end, Some(End::Stop(stop)));
    }
}

#[test]
fn the_first_end_of_a_turn_stands() {
    let bench = Bench::new();
    let turn = bench.turn("hi", "hello", End::Stop(Stop::EndTurn));
    bench.finish(&turn, "other", &End::Failed("late".to_owned()));
    assert_eq!(bench.said(10).len(), 2);
    let turns = bench.store.session().turns(&bench.id, 1).unwrap();
    assert_eq!(turns[0].end, Some(End::Stop(Stop::EndTurn)));
}

#[test]
fn parts_come_back_as_they_were() {
    let bench = Bench::new();
    let turn = TurnId::mint();
    let image = Part::Blob(Blob { mime: "image/png".to_owned(), data: vec![0, 255, 7] });
    let prompt = [Part::text("see \"this\"\n\0ü"), image];
    bench.store.session().begin_turn(&bench.id, &turn, &prompt, 5).unwrap();
    bench.finish(&turn, "seen", &End::Stop(Stop::EndTurn));
    assert_eq!(bench.store.session().history(&bench.id, 2).unwrap()[0].parts, prompt);
}

#[test]
fn a_session_is_one_agents_and_one_harness() {
    let bench = Bench::new();
    let other = AgentName::new("other").unwrap();
    let sessions = bench.store.session();
    let error = sessions.open(&Opening { agent: &other, ..bench.opening() }, 2).unwrap_err();
    assert_eq!(error.to_string(), "session `s1` belongs to agent `pi`; name another session");
    let error = sessions.open(&Opening { harness: "echo", ..bench.opening() }, 2).unwrap_err();
    assert!(matches!(error, SessionError::OtherHarness { harness, .. } if harness == "pi"));
    let unknown = SessionId::new("nope").unwrap();
    assert!(matches!(sessions.get(&unknown), Err(SessionError::NotFound(_))));
    let turn = TurnId::mint();
    let begun = sessions.begin_turn(&unknown, &turn, &[], 0);
    assert!(matches!(begun, Err(SessionError::NotFound(_))));
    let end = TurnEnd {
        end: &End::Stop(Stop::EndTurn),
        usage: Usage::default(),
        cost: NanoDollars::ZERO,
        models: &[],
        answer: &[],
    };
    assert!(matches!(sessions.finish_turn(&turn, &end, 0), Err(SessionError::TurnNotFound(_))));
}

#[test]
fn sessions_list_the_last_used_first() {
    let bench = Bench::new();
    let sessions = bench.store.session();
    let other = AgentName::new("other").unwrap();
    let second = SessionId::new("s2").unwrap();
    sessions.open(&Opening { id: &second, agent: &other, ..bench.opening() }, 3).unwrap();
    bench.turn("hi", "hello", End::Stop(Stop::EndTurn));
    sessions.rename(&bench.id, "greeting").unwrap();
    let list = sessions.list(None, 10).unwrap();
    assert_eq!(list.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["s1", "s2"]);
    assert_eq!(list[0].title.as_deref(), Some("greeting"));
    assert_eq!(sessions.list(Some(&other), 10).unwrap().len(), 1);
    for title in ["", "a\nb", &"x".repeat(257)] {
        assert!(matches!(sessions.rename(&bench.id, title), Err(SessionError::Invalid(_))));
    }
    assert!(sessions.rename(&SessionId::new("nope").unwrap(), "x").is_err());
    assert!(sessions.list(None, 0).is_err());
}
