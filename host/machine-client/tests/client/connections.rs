//! Connections of `xclaw`.

use std::io::ErrorKind;

use machine_client::{Ended, MAX_CONNECTIONS};
use machine_protocol::{Event, MAX_DATA, Request, WINDOW};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::agent::{Agent, settle, soon, waits};

fn data(connection: u32, data: &[u8]) -> Event {
    Event::Data { connection, data: data.into() }
}

#[tokio::test(start_paused = true)]
async fn bytes_go_both_ways_and_connections_are_told_apart() {
    let (_client, mut agent) = Agent::new().await;
    let mut first = agent.connect(1).await;
    let mut second = agent.connect(2).await;
    agent.say(data(2, b"to second")).await;
    agent.say(data(1, b"to first")).await;
    let mut buffer = [0; 100];
    assert_eq!(soon(first.read(&mut buffer)).await.unwrap(), 8);
    assert_eq!(&buffer[..8], b"to first");
    assert_eq!(soon(second.read(&mut buffer[..3])).await.unwrap(), 3);
    waits(first.read(&mut buffer)).await;
    soon(second.write_all(b"answer")).await.unwrap();
    soon(second.shutdown()).await.unwrap();
    assert_eq!(agent.hear().await, Request::Data { connection: 2, data: b"answer".into() });
    assert_eq!(agent.hear().await, Request::Close { connection: 2 });
    assert_eq!(soon(second.write(b"x")).await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    agent.say(Event::Closed { connection: 2 }).await;
    let mut rest = String::new();
    soon(second.read_to_string(&mut rest)).await.unwrap();
    assert_eq!(rest, "second");
    // Free for the guest, although it is still held here.
    let mut third = agent.connect(2).await;
    agent.say(data(2, b"new")).await;
    assert_eq!(soon(third.read(&mut buffer)).await.unwrap(), 3);
    assert_eq!(soon(second.read(&mut buffer)).await.unwrap(), 0);
    drop(second);
    agent.hears_nothing().await;
    drop(third);
    assert_eq!(agent.hear().await, Request::Close { connection: 2 });
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_the_end_comes_before_the_end() {
    let (_client, mut agent) = Agent::new().await;
    let mut connection = agent.connect(1).await;
    agent.say(data(1, b"all of it")).await;
    agent.say(Event::Closed { connection: 1 }).await;
    settle().await;
    assert_eq!(soon(connection.write(b"x")).await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    let mut got = String::new();
    soon(connection.read_to_string(&mut got)).await.unwrap();
    assert_eq!(got, "all of it");
    agent.hears_nothing().await;
    drop(connection);
    assert_eq!(agent.hear().await, Request::Close { connection: 1 });
    agent.connect(1).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_written_goes_out_before_the_close_of_a_drop() {
    let (_client, mut agent) = Agent::new().await;
    let mut connection = agent.connect(9).await;
    let written = vec![3; WINDOW as usize];
    soon(connection.write_all(&written)).await.unwrap();
    waits(connection.write(b"x")).await;
    drop(connection);
    let mut got = Vec::new();
    loop {
        match agent.hear().await {
            Request::Data { data, .. } => got.extend(data),
            Request::Close { connection } => break assert_eq!(connection, 9),
            other => panic!("{other:?}"),
        }
    }
    assert!(got == written);
    // What it still sends is in order, until it heard of the close.
    agent.say(data(9, b"late")).await;
    agent.say(Event::DataTaken { connection: 9, bytes: WINDOW }).await;
    agent.say(Event::Closed { connection: 9 }).await;
    agent.connect(9).await;
}

#[tokio::test(start_paused = true)]
async fn windows_hold_both_ways() {
    let (_client, mut agent) = Agent::new().await;
    let mut connection = agent.connect(1).await;
    for _ in 0..WINDOW as usize / MAX_DATA {
        agent.say(data(1, &vec![1; MAX_DATA])).await;
    }
    agent.hears_nothing().await;
    let mut buffer = vec![0; WINDOW as usize / 4];
    soon(connection.read_exact(&mut buffer)).await.unwrap();
    assert_eq!(agent.hear().await, Request::AllowData { connection: 1, bytes: WINDOW / 4 });
    soon(connection.write_all(&vec![2; WINDOW as usize])).await.unwrap();
    for _ in 0..WINDOW as usize / MAX_DATA {
        assert!(matches!(agent.hear().await, Request::Data { .. }));
    }
    waits(connection.write(b"x")).await;
    agent.say(Event::DataTaken { connection: 1, bytes: 1 }).await;
    assert_eq!(soon(connection.write(b"xyz")).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn those_that_nobody_closes_are_given_up_oldest_first() {
    let (client, mut agent) = Agent::new().await;
    let mut held = Vec::new();
    for id in 0..=MAX_CONNECTIONS as u32 {
        let connection = agent.connect(id).await;
        agent.say(data(id, b"unread")).await;
        agent.say(Event::Closed { connection: id }).await;
        held.push(connection);
    }
    assert_eq!(agent.hear().await, Request::Close { connection: 0 });
    let mut got = String::new();
    let error = soon(held[0].read_to_string(&mut got)).await.unwrap_err();
    assert_eq!((error.kind(), got.as_str()), (ErrorKind::ConnectionReset, ""));
    soon(held[1].read_to_string(&mut got)).await.unwrap();
    assert_eq!(got, "unread");
    agent.connect(0).await;
    assert!(!held.is_empty());
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn they_end_with_the_agent_and_with_the_machine() {
    let (client, mut agent) = Agent::new().await;
    let mut old = agent.connect(1).await;
    agent.say(data(1, b"unread")).await;
    let closing = agent.connect(2).await;
    drop(closing);
    assert_eq!(agent.hear().await, Request::Close { connection: 2 });
    agent.greet().await;
    settle().await;
    let mut got = Vec::new();
    let error = soon(old.read_to_end(&mut got)).await.unwrap_err();
    assert_eq!((error.kind(), got.as_slice()), (ErrorKind::ConnectionReset, &b"unread"[..]));
    assert!(error.to_string().contains("started anew"), "{error}");
    assert_eq!(soon(old.write(b"x")).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    // The same id is another connection now, which the end of the old one does not close.
    let mut new = agent.connect(1).await;
    drop(old);
    agent.hears_nothing().await;
    drop(agent);
    assert!(matches!(soon(client.ended()).await, Ended::Closed));
    assert_eq!(soon(new.read(&mut [0; 9])).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}
