//! What the protocol promises to those who keep to it.

use control::Incoming;
use control::protocol::{Info, Notice, PROTOCOL, Request, Say, Sessions, State, Watch, Which};
use domain::{Part, TurnInput};
use serde_json::{Value, json};

use crate::bench::{Bench, id, seat, until};

#[tokio::test]
async fn hello_comes_first_and_a_bare_line_is_enough() {
    let bench = Bench::new();
    let mut raw = bench.unheard().await;
    let hello = raw.read().await;
    assert_eq!(hello["jsonrpc"], "2.0");
    assert_eq!(
        hello["params"],
        json!({"protocol": PROTOCOL, "version": "9.9", "pid": std::process::id()})
    );
    let answer = raw.ask(r#"{"id": "a", "method": "list"}"#).await;
    assert_eq!(answer["id"], "a");
    let session = &answer["result"]["sessions"][0];
    assert_eq!((&session["session"], &session["state"]), (&json!("s"), &json!("idle")));
}

#[tokio::test]
async fn requests_without_an_id_are_performed_and_not_answered() {
    let mut bench = Bench::new();
    bench.begin();
    let mut raw = bench.raw().await;
    raw.line(r#"{"jsonrpc":"2.0","method":"steer","params":{"parts":[{"text":"left"}]}}"#).await;
    let answer = raw.ask(r#"{"jsonrpc":"2.0","id":2,"method":"list"}"#).await;
    assert_eq!(answer["id"], 2);
    assert_eq!(*bench.taken.lock().unwrap(), [TurnInput::Steer(vec![Part::text("left")])]);
}

#[tokio::test]
async fn a_watcher_gets_the_turn_from_its_beginning_then_live_and_in_order() {
    let mut bench = Bench::new();
    for text in ["an earlier turn", "of no interest"] {
        bench.begin();
        bench.say(text);
        bench.finish();
    }
    bench.begin();
    bench.say("one");
    let mut client = bench.client().await;
    let info: Info = client.call(&Request::Watch(Watch::default())).await.unwrap();
    assert_eq!((info.state, info.watchers), (State::Running, 1));
    bench.say("two");
    bench.finish();
    let mut first = None;
    for expected in ["turn_started", "one", "two", "turn_finished"] {
        let Incoming::Notice(Notice::Event { session, seq, event }) = client.next().await.unwrap()
        else {
            panic!("an event is expected")
        };
        assert_eq!(session, id("s"));
        assert_eq!(seq, *first.get_or_insert(seq));
        first = Some(seq + 1);
        let text = event["part"]["text"].as_str().or(event["type"].as_str());
        assert_eq!(text, Some(expected));
    }
    drop(client);
    until(|| bench.board.list()[0].watchers == 0).await;
}

#[tokio::test]
async fn inputs_reach_the_running_turn_and_nothing_else() {
    let mut bench = Bench::new();
    let mut client = bench.client().await;
    let say = |text: &str| Say { session: None, parts: vec![Part::text(text)] };
    let refused = client.call::<Value>(&Request::Steer(say("too early"))).await.unwrap_err();
    assert!(refused.to_string().contains("no turn is running"), "{refused}");
    bench.begin();
    for request in [
        Request::Steer(say("left")),
        Request::FollowUp(say("then right")),
        Request::Cancel(Which::default()),
    ] {
        let _: Value = client.call(&request).await.unwrap();
    }
    bench.finish();
    client.call::<Value>(&Request::Cancel(Which::default())).await.unwrap_err();
    assert_eq!(
        *bench.taken.lock().unwrap(),
        [
            TurnInput::Steer(vec![Part::text("left")]),
            TurnInput::FollowUp(vec![Part::text("then right")]),
            TurnInput::Cancel
        ]
    );
    // Everybody who watches is told by whom, once the owner shows it.
    let mut watcher = bench.client().await;
    let _: Info = watcher.call(&Request::Watch(Watch::default())).await.unwrap();
    while let Some(note) = bench.seat.try_note() {
        bench.seat.show(&note);
    }
    let by = loop {
        if let Incoming::Notice(Notice::Input { by, .. }) = watcher.next().await.unwrap() {
            break by;
        }
    };
    assert_eq!(by, format!("attach (pid {})", std::process::id()));
}

#[tokio::test]
async fn a_session_is_named_where_there_are_several() {
    let bench = Bench::new();
    let mut client = bench.client().await;
    let watch = |session| Request::Watch(Watch { session, answers: false });
    let unknown = client.call::<Info>(&watch(Some(id("x")))).await.unwrap_err();
    assert!(unknown.to_string().contains("no session `x`"), "{unknown}");
    let (second, ..) = seat(&bench.board, "t");
    let several = client.call::<Info>(&watch(None)).await.unwrap_err();
    assert!(several.to_string().contains("name one"), "{several}");
    let info: Info = client.call(&watch(Some(id("t")))).await.unwrap();
    assert_eq!(info.session, id("t"));
    let again = client.call::<Info>(&watch(Some(id("s")))).await.unwrap_err();
    assert!(again.to_string().contains("watches already"), "{again}");
    // Its end is told, and the connection can watch another.
    drop(second);
    let Incoming::Notice(Notice::Ended { session, .. }) = client.next().await.unwrap() else {
        panic!("the end is expected")
    };
    assert_eq!(session, id("t"));
    let info: Info = client.call(&watch(Some(id("s")))).await.unwrap();
    assert_eq!(info.session, id("s"));
}

#[tokio::test]
async fn a_closing_process_sends_the_end_and_removes_its_socket() {
    let mut bench = Bench::new();
    bench.begin();
    let mut client = bench.client().await;
    let _: Info = client.call(&Request::Watch(Watch::default())).await.unwrap();
    bench.finish();
    let Bench { server, seat, place, .. } = bench;
    drop(seat);
    server.close().await;
    let mut last = None;
    while let Ok(Incoming::Notice(notice)) = client.next().await {
        last = Some(notice);
    }
    assert!(matches!(last, Some(Notice::Ended { .. })), "{last:?}");
    let left = std::fs::read_dir(place.path().join("control")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn the_list_says_how_each_session_stands() {
    let mut bench = Bench::new();
    bench.begin();
    let step = domain::Event::StepFinished {
        step: 1,
        model: "m".into(),
        finish: None,
        usage: domain::chat::Usage::default(),
        cost: domain::NanoDollars(42),
    };
    bench.seat.event(&step);
    bench.seat.event(&step);
    let mut client = bench.client().await;
    let Sessions { sessions } = client.call(&Request::List {}).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!((sessions[0].state, sessions[0].cost.0), (State::Running, 84));
    assert!(sessions[0].turn.is_some());
}
