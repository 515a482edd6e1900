//! The machine's terminal over the socket.

use control::Incoming;
use control::protocol::{Notice, Request, Terminal, TerminalInput, TerminalSize};
use control::{Client, terminal};
use serde_json::{Value, json};

use crate::bench::Bench;

const ATTACH: Request = Request::Terminal(Terminal { session: None, columns: 80, rows: 25 });

fn typed(text: &[u8]) -> Request {
    Request::TerminalInput(TerminalInput { data: terminal::input(text) })
}

/// What the terminal shows next; `None` at its end.
async fn shown(client: &mut Client) -> Option<String> {
    loop {
        match client.next().await.unwrap() {
            Incoming::Notice(Notice::TerminalOutput { data, .. }) => {
                return Some(String::from_utf8(terminal::output(&data).unwrap()).unwrap());
            }
            Incoming::Notice(Notice::TerminalEnded { reason, .. }) => {
                assert_eq!(reason, None);
                return None;
            }
            Incoming::Notice(other) => panic!("{other:?}"),
            Incoming::Done(_, result) => assert_eq!(result, Ok(json!({}))),
        }
    }
}

#[tokio::test]
async fn what_is_typed_reaches_the_terminal_and_what_it_shows_comes_back() {
    let bench = Bench::new();
    let mut client = bench.client().await;
    client.call::<Value>(&ATTACH).await.unwrap();
    assert_eq!(shown(&mut client).await.unwrap(), "Size { columns: 80, rows: 25 }");
    client.send(&typed(b"ls\r")).await.unwrap();
    assert_eq!(shown(&mut client).await.unwrap(), "ls\r");
    let size = TerminalSize { columns: 100, rows: 30 };
    client.send(&Request::TerminalResize(size)).await.unwrap();
    assert_eq!(shown(&mut client).await.unwrap(), "Size { columns: 100, rows: 30 }");
    let again = client.call::<Value>(&ATTACH).await.unwrap_err();
    assert!(again.to_string().contains("has a terminal already"), "{again}");
    client.send(&typed(b"!")).await.unwrap();
    assert_eq!(shown(&mut client).await, None);
    // The connection goes on, and may have another.
    client.call::<Value>(&ATTACH).await.unwrap();
    assert!(shown(&mut client).await.is_some());
}

#[tokio::test]
async fn a_terminal_that_takes_nothing_still_shows_and_its_peer_waits() {
    let bench = Bench::new();
    let mut raw = bench.raw().await;
    raw.ask(r#"{"id":1,"method":"terminal","params":{"columns":80,"rows":25}}"#).await;
    assert_eq!(raw.read().await["method"], "terminal_output");
    // "#" is never taken; four more wait behind it, and the next has no room.
    for id in 2..=7 {
        let data = terminal::input(b"#");
        raw.line(
            &json!({"id": id, "method": "terminal_input", "params": {"data": data}}).to_string(),
        )
        .await;
    }
    for id in 2..=6 {
        assert_eq!(raw.read().await["id"], id);
    }
    // Behind the one that waits nothing is read; another connection is not held up.
    raw.line(r#"{"id":8,"method":"list"}"#).await;
    let mut other = bench.raw().await;
    assert_eq!(other.ask(r#"{"id":1,"method":"list"}"#).await["id"], 1);
    drop(raw);
}

#[tokio::test]
async fn what_cannot_be_is_an_error_and_no_terminal_says_why() {
    let bench = Bench::new();
    let mut raw = bench.raw().await;
    let input = r#"{"id":1,"method":"terminal_input","params":{"data":"bHM="}}"#;
    assert_eq!(raw.ask(input).await["error"]["code"], 3);
    let nothing = r#"{"id":1,"method":"terminal","params":{"columns":0,"rows":25}}"#;
    assert_eq!(raw.ask(nothing).await["error"]["code"], -32602);
    raw.ask(r#"{"id":1,"method":"terminal","params":{"columns":1,"rows":25}}"#).await;
    let ended = raw.read().await;
    assert_eq!(ended["method"], "terminal_ended");
    assert_eq!(ended["params"], json!({"session": "s", "reason": "there is no machine"}));
    raw.ask(r#"{"id":1,"method":"terminal","params":{"columns":80,"rows":25}}"#).await;
    raw.read().await;
    for data in ["not Base64!", &terminal::input(&[0; 65_537])] {
        let line = json!({"id": 2, "method": "terminal_input", "params": {"data": data}});
        assert_eq!(raw.ask(&line.to_string()).await["error"]["code"], -32602);
    }
}
