//! Starting, ids, and the clock that goes before.

use machine_client::{Command, MAX_PROCESSES, ProcessError, Program, Refusal, Signal};
use machine_protocol::{Event, Exit, Request, VERSION};

use crate::agent::{Agent, SIZE, script, soon, waits};

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_before_the_hello_and_all_of_it_after_in_order() {
    let (client, mut agent) = Agent::silent();
    let first = client.start(script("first"));
    let second = client.start(script("second"));
    assert_eq!(soon(first.write(b"input")).await, Ok(5));
    first.close_stdin().unwrap();
    second.signal(Signal::Terminate).unwrap();
    agent.hears_nothing().await;
    waits(client.ready()).await;
    waits(first.started()).await;

    agent.greet().await;
    soon(client.ready()).await.unwrap();
    let mut rest = Vec::new();
    for text in ["first", "second"] {
        assert!(matches!(agent.hear().await, Request::Clock { .. }));
        match agent.hear().await {
            Request::Start { command, process } => {
                assert_eq!(command, script(text));
                rest.push(process);
            }
            other => panic!("{other:?}"),
        }
    }
    let (first, second) = (rest[0], rest[1]);
    let expected = [
        Request::Input { process: first, data: b"input".into() },
        Request::Signal { process: second, signal: Signal::Terminate },
        Request::CloseInput { process: first },
    ];
    for request in expected {
        assert_eq!(agent.hear().await, request);
    }
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_the_hosts() {
    use std::time::{SystemTime, UNIX_EPOCH};
    let (client, mut agent) = Agent::new().await;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let before = now();
    let _process = client.start(script("date"));
    let Request::Clock { unix_nanos } = agent.hear().await else { panic!("no clock") };
    assert!((before..=now()).contains(&unix_nanos.into()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_what_every_call_answers() {
    let (client, mut agent) = Agent::new().await;
    let process = client.start(Command { pty: Some(SIZE), ..script("true") });
    let id = agent.is_asked_to_start().await;
    let refusal = Refusal::NoDirectory("/nowhere".into());
    agent.say(Event::Refused { process: id, refusal: refusal.clone() }).await;
    let error = ProcessError::Refused(refusal);
    assert_eq!(error.to_string(), "not started: no such directory: /nowhere");
    assert_eq!(soon(process.started()).await, Err(error.clone()));
    assert_eq!(soon(process.read(1)).await, Err(error.clone()));
    assert_eq!(soon(process.write(b"x")).await, Err(error.clone()));
    assert_eq!(soon(process.exit()).await, Err(error.clone()));
    assert_eq!(process.close_stdin(), Err(error.clone()));
    assert_eq!(process.signal(Signal::Kill), Err(error.clone()));
    assert_eq!(process.resize(SIZE), Err(error));
    for waitable in [process.readable(), process.writable(), process.exited()] {
        assert!(waitable.is_ready());
    }
    agent.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_into_a_message_is_refused_here() {
    let (client, mut agent) = Agent::new().await;
    let process = client.start(script(&"x".repeat(1 << 20)));
    let error = soon(process.started()).await.unwrap_err();
    assert!(matches!(error, ProcessError::Refused(Refusal::Invalid(_))), "{error}");
    drop(process);
    agent.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn only_a_terminal_has_a_size() {
    let (client, mut agent) = Agent::new().await;
    let (pipes, _) = agent.start(&client, script("true")).await;
    assert_eq!(pipes.resize(SIZE), Err(ProcessError::NoTerminal));
    let (terminal, process) = agent
        .start(&client, Command { program: Program::Terminal, pty: Some(SIZE), ..script("") })
        .await;
    terminal.resize(SIZE).unwrap();
    assert_eq!(agent.hear().await, Request::Resize { process, size: SIZE });
}

#[tokio::test(start_paused = true)]
async fn more_than_a_machine_holds_are_told_so_and_an_id_is_free_after_its_end() {
    let (client, mut agent) = Agent::new().await;
    let mut running = Vec::new();
    for _ in 0..MAX_PROCESSES {
        running.push(agent.start(&client, script("sleep 1000")).await);
    }
    let many = || client.start(script("true"));
    assert_eq!(soon(many().exit()).await, Err(ProcessError::TooMany));
    // One that is dropped runs until the guest says otherwise.
    let (process, id) = running.pop().unwrap();
    drop(process);
    assert_eq!(agent.hear().await, Request::Drop { process: id });
    assert_eq!(soon(many().started()).await, Err(ProcessError::TooMany));
    agent.say(Event::Exited { process: id, exit: Exit::Signal(9) }).await;
    agent.say(Event::Ended { process: id }).await;
    crate::agent::settle().await;
    let (_new, new) = agent.start(&client, script("true")).await;
    assert!(running.iter().all(|(_, other)| *other != new));
    assert_eq!(VERSION, 1, "this test knows that version's ids");
}
