//! Peers that do not keep to the protocol: each harms its own connection at most.

use control::protocol::{
    CONNECTIONS_MAX, Info, Notice, RECORD_MAX_BYTES, REQUEST_MAX_BYTES, Request, Sessions, Watch,
};
use control::{Client, ClientError, Incoming};
use serde_json::json;

use crate::bench::{Bench, until};

#[tokio::test]
async fn what_cannot_be_understood_is_answered_with_what_is_wrong() {
    let bench = Bench::new();
    let mut raw = bench.raw().await;
    for (line, code, says) in [
        ("nonsense", -32_700, "no JSON"),
        ("[]", -32_600, "batches"),
        ("17", -32_600, "one object"),
        (r#"{"id":{},"method":"list"}"#, -32_600, "`id`"),
        (r#"{"id":1}"#, -32_600, "`method`"),
        (r#"{"id":1,"jsonrpc":"1.0","method":"list"}"#, -32_600, "jsonrpc"),
        (r#"{"id":1,"method":"dance"}"#, -32_601, "list, watch, questions"),
        (r#"{"id":1,"method":"steer"}"#, -32_602, "parts"),
        (r#"{"id":1,"method":"steer","params":{"parts":[]}}"#, -32_602, "says nothing"),
        (r#"{"id":1,"method":"watch","params":{"answer":true}}"#, -32_602, "answer"),
        (r#"{"id":1,"method":"watch","params":{"session":"../x"}}"#, -32_602, "../x"),
        (r#"{"id":1,"method":"answer","params":{"question":"q","text":"x"}}"#, 3, "is over"),
        (r#"{"id":1,"method":"cancel"}"#, 2, "no turn is running"),
    ] {
        let answer = raw.ask(line).await;
        assert_eq!(answer["error"]["code"], json!(code), "{line}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{line}: {message}");
    }
    assert!(raw.ask(r#"{"id":1,"method":"list"}"#).await["result"].is_object());
}

#[tokio::test]
async fn lines_without_end_and_without_text_end_the_connection() {
    let bench = Bench::new();
    for (bytes, says) in [
        (vec![b'x'; REQUEST_MAX_BYTES + 2], "passes 1048576 bytes"),
        (b"\xff\xfe\n".to_vec(), "not UTF-8"),
    ] {
        let mut raw = bench.raw().await;
        raw.write(&bytes).await;
        let answer = raw.read().await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(says), "{answer}");
        assert!(raw.read().await.is_null());
    }
    // Half a line and away.
    let mut raw = bench.raw().await;
    raw.write(br#"{"id":1,"meth"#).await;
    drop(raw);
    bench.raw().await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_a_freed_place_is_given() {
    let bench = Bench::new();
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        open.push(bench.raw().await);
    }
    for _ in 0..1_000 {
        let refused = Client::connect(bench.server.path()).await.unwrap_err();
        assert!(refused.to_string().contains("64 connections are open"), "{refused}");
        assert!(matches!(refused, ClientError::Refused(_)));
    }
    open.pop();
    let again = async {
        while Client::connect(bench.server.path()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), again).await.unwrap();
    assert!(open[0].ask(r#"{"id":1,"method":"list"}"#).await["result"].is_object());
}

#[tokio::test]
async fn a_watcher_that_never_reads_holds_up_nobody_and_learns_what_it_missed() {
    let mut bench = Bench::new();
    bench.begin();
    let mut slow = bench.client().await;
    let _: Info = slow.call(&Request::Watch(Watch::default())).await.unwrap();
    // Twice what the record holds; none of it is read, and none of it waits.
    let text = "x".repeat(64 << 10);
    let entries = 2 * RECORD_MAX_BYTES / text.len();
    for _ in 0..entries {
        bench.say(&text);
        tokio::task::yield_now().await;
    }
    bench.finish();
    let mut fresh = bench.client().await;
    let Sessions { sessions } = fresh.call(&Request::List {}).await.unwrap();
    assert_eq!(sessions[0].watchers, 1);
    let (mut shown, mut lost) = (0, 0);
    loop {
        match slow.next().await.unwrap() {
            Incoming::Notice(Notice::Lagged { missed, .. }) => lost += missed,
            Incoming::Notice(Notice::Event { event, .. }) => {
                shown += 1;
                if event["type"] == "turn_finished" {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(lost > 0);
    assert_eq!(shown + lost, entries as u64 + 2, "nothing is lost without a word");
}

#[tokio::test]
async fn a_flood_of_inputs_is_refused_at_its_bound() {
    let mut bench = Bench::new();
    bench.begin();
    let mut raw = bench.raw().await;
    let steer = r#"{"id":1,"method":"steer","params":{"parts":[{"text":"x"}]}}"#;
    let mut taken = 0;
    let refused = loop {
        let answer = raw.ask(steer).await;
        if answer["error"].is_object() {
            break answer;
        }
        taken += 1;
    };
    assert_eq!((taken, &refused["error"]["code"]), (1_024, &json!(5)));
    // As soon as the owner shows them there is room again.
    assert!(bench.seat.try_note().is_some());
    assert!(raw.ask(steer).await["result"].is_object());
}

#[tokio::test]
async fn a_stuck_watcher_does_not_keep_the_process_from_ending() {
    let mut bench = Bench::new();
    bench.begin();
    let mut stuck = bench.raw().await;
    stuck.line(r#"{"id":1,"method":"watch"}"#).await;
    until(|| bench.board.list()[0].watchers == 1).await;
    for _ in 0..64 {
        bench.say(&"x".repeat(64 << 10));
    }
    let Bench { server, seat, .. } = bench;
    drop(seat);
    tokio::time::timeout(std::time::Duration::from_secs(60), server.close()).await.unwrap();
}
