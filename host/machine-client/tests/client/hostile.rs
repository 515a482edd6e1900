//! What a broken or hostile guest says. Each ends the client with a reason, and nothing is kept for it.

use machine_client::{Ended, MAX_CONNECTIONS, ProcessError, Refusal, Stream};
use machine_protocol::{Event, Exit, MAX_DATA, MAX_FRAME, VERSION, WINDOW};

use crate::agent::{Agent, script, soon};

/// The process that each case may speak of: started, with 3 bytes of input sent.
const ID: u32 = 0;
/// One that was asked for and not answered.
const ASKED: u32 = 1;
const NOBODY: u32 = 77;

/// Says all of this; the reason must have `expected` in it.
async fn check(events: &[Event], expected: &str) {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("cat")).await;
    let asked = client.start(script("asked"));
    assert_eq!((id, agent.is_asked_to_start().await), (ID, ASKED));
    soon(process.write(b"abc")).await.unwrap();
    agent.hear().await;
    for event in events {
        // It may be found out before the last.
        let bytes = machine_protocol::encode(event).unwrap();
        let _ = soon(tokio::io::AsyncWriteExt::write_all(&mut agent.stream, &bytes)).await;
    }
    let ended = soon(client.ended()).await;
    assert!(matches!(&ended, Ended::Protocol(text) if text.contains(expected)), "{ended}");
    let error = soon(asked.started()).await.unwrap_err();
    assert_eq!(error, ProcessError::Gone(ended.to_string()));
}

#[tokio::test(start_paused = true)]
async fn processes_that_cannot_be_so() {
    let output = |process, size| {
        let data = vec![0; size];
        Event::Output { process, stream: Stream::Stderr, data }
    };
    let exited = |process| Event::Exited { process, exit: Exit::Code(0) };
    let refused = |process| Event::Refused { process, refusal: Refusal::Invalid(String::new()) };
    let cases: [(&[Event], &str); 17] = [
        (&[output(NOBODY, 1)], "not asked for"),
        (&[Event::Started { process: NOBODY }], "not asked for"),
        (&[refused(NOBODY)], "not asked for"),
        (&[exited(NOBODY)], "not asked for"),
        (&[Event::Ended { process: NOBODY }], "not asked for"),
        (&[Event::InputTaken { process: NOBODY, bytes: 0 }], "not asked for"),
        (&[Event::InputClosed { process: NOBODY }], "not asked for"),
        (&[Event::Started { process: ID }], "twice"),
        (&[refused(ID)], "twice"),
        (&[exited(ID), exited(ID)], "twice"),
        (&[output(ASKED, 1)], "not started"),
        (&[Event::Ended { process: ID }], "without an exit"),
        (&[exited(ID), Event::Ended { process: ID }, output(ID, 1)], "not asked for"),
        (&[output(ID, MAX_DATA + 1)], "in a message"),
        (&[const { MAX_DATA }; 5].map(|size| output(ID, size)), "than it was allowed"),
        (&[Event::InputTaken { process: ID, bytes: 4 }], "than were sent"),
        (&[Event::InputTaken { process: ID, bytes: u32::MAX }], "than were sent"),
    ];
    for (events, expected) in cases {
        check(events, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn connections_that_cannot_be_so() {
    let open = |connection| Event::Connected { connection };
    let data = |size| Event::Data { connection: 5, data: vec![0; size] };
    let many: Vec<_> = (0..=MAX_CONNECTIONS as u32).map(open).collect();
    let flood: Vec<_> = std::iter::once(open(5)).chain((0..5).map(|_| data(MAX_DATA))).collect();
    let cases: [(&[Event], &str); 9] = [
        (&[data(1)], "not open"),
        (&[Event::DataTaken { connection: 5, bytes: 0 }], "not open"),
        (&[Event::Closed { connection: 5 }], "not open"),
        (&[open(5), open(5)], "in use"),
        (&[open(5), Event::Closed { connection: 5 }, data(1)], "not open"),
        (&[open(5), data(MAX_DATA + 1)], "in a message"),
        (&[open(5), Event::DataTaken { connection: 5, bytes: 1 }], "than were sent"),
        (&many, "already"),
        (&flood, "than it was allowed"),
    ];
    for (events, expected) in cases {
        check(events, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_and_what_comes_before_a_hello() {
    let long = u32::try_from(MAX_FRAME + 1).unwrap().to_le_bytes();
    let cases: [(&[u8], &str); 4] = [
        (&[0xff; 64], "bytes; at most"),
        (&long, "bytes; at most"),
        (&[1, 0, 0, 0, 99], "not a message"),
        (&[0, 0, 0, 0], "not a message"),
    ];
    for (bytes, expected) in cases {
        let (client, mut agent) = Agent::silent();
        agent.say_bytes(bytes).await;
        let ended = soon(client.ended()).await.to_string();
        assert!(ended.contains(expected), "{ended}");
    }
    let (client, mut agent) = Agent::silent();
    agent.say(Event::Log { text: "early".into() }).await;
    assert!(soon(client.ended()).await.to_string().contains("before its hello"));
}

#[tokio::test(start_paused = true)]
async fn another_version_is_not_spoken_to() {
    let (client, mut agent) = Agent::silent();
    let process = client.start(script("true"));
    agent.say(Event::Hello { version: VERSION + 1 }).await;
    assert!(
        matches!(soon(client.ready()).await, Err(Ended::Version { theirs }) if theirs == VERSION + 1)
    );
    assert!(matches!(soon(process.started()).await, Err(ProcessError::Gone(_))));
    assert_eq!(soon(agent.next()).await, None);
}

#[tokio::test(start_paused = true)]
async fn single_bytes_of_both_streams_and_words_without_end_are_kept_small() {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("")).await;
    for at in 0..WINDOW {
        let stream = if at % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
        agent.say(Event::Output { process: id, stream, data: vec![at as u8] }).await;
    }
    let mut at = 0;
    while at < WINDOW {
        for chunk in soon(process.read(1000)).await.unwrap() {
            let stream = if at % 2 == 0 { Stream::Stdout } else { Stream::Stderr };
            assert_eq!((chunk.stream, chunk.data), (stream, vec![at as u8]));
            at += 1;
        }
    }
    let refused = client.start(script(""));
    while !matches!(agent.hear().await, machine_protocol::Request::Start { .. }) {}
    let refusal = Refusal::System("é".repeat(200_000));
    agent.say(Event::Log { text: "\u{1b}[2J".repeat(50_000) }).await;
    agent.say(Event::Refused { process: id + 1, refusal }).await;
    match soon(refused.started()).await {
        Err(ProcessError::Refused(Refusal::System(text))) => assert_eq!(text, "é".repeat(1024)),
        other => panic!("{other:?}"),
    }
}
