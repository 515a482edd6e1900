//! Ends: of a process, of its owner, of the agent, of the machine.

use machine_client::{Client, Ended, Process, ProcessError, Signal, Stream};
use machine_protocol::{Event, Exit, Request};

use crate::agent::{Agent, script, settle, soon, waits};

/// One with an exit and unread output, one with unread output, one not answered for.
async fn three(client: &Client, agent: &mut Agent) -> [Process; 3] {
    let (exited, id) = agent.start(client, script("exited")).await;
    agent.say(output(id, "last words")).await;
    agent.say(Event::Exited { process: id, exit: Exit::Code(7) }).await;
    let (running, id) = agent.start(client, script("running")).await;
    agent.say(output(id, "half a sen")).await;
    let asked = client.start(script("asked"));
    agent.is_asked_to_start().await;
    settle().await;
    [exited, running, asked]
}

fn output(process: u32, text: &str) -> Event {
    Event::Output { process, stream: Stream::Stdout, data: text.into() }
}

/// That what was known of the three is, and that the rest is gone for this reason.
async fn are_gone([exited, running, asked]: &[Process; 3], reason: &str) {
    for process in [exited, running, asked] {
        assert!(process.readable().is_ready());
        assert!(process.writable().is_ready());
        assert!(process.exited().is_ready());
    }
    let gone = ProcessError::Gone(reason.into());
    assert_eq!(soon(exited.exit()).await, Ok(Exit::Code(7)));
    assert_eq!(exited.signal(Signal::Kill), Ok(()), "it has exited");
    assert_eq!(soon(running.exit()).await, Err(gone.clone()));
    assert_eq!(running.signal(Signal::Kill), Err(gone.clone()));
    assert_eq!(soon(running.started()).await, Ok(()));
    assert_eq!(soon(asked.started()).await, Err(gone.clone()));
    for (process, text) in [(exited, "last words"), (running, "half a sen")] {
        assert_eq!(soon(process.read(100)).await.unwrap()[0].data, text.as_bytes());
        assert_eq!(soon(process.read(100)).await, Err(gone.clone()));
        assert_eq!(soon(process.write(b"x")).await, Err(gone.clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_the_stream_what_is_known_stays_known() {
    let (client, mut agent) = Agent::new().await;
    let processes = three(&client, &mut agent).await;
    waits(client.ended()).await;
    drop(agent);
    assert!(matches!(soon(client.ended()).await, Ended::Closed));
    assert!(matches!(soon(client.ready()).await, Err(Ended::Closed)));
    are_gone(&processes, "the machine closed its stream").await;
    let late = client.start(script("late"));
    let gone = ProcessError::Gone("the machine closed its stream".into());
    assert_eq!(soon(late.started()).await, Err(gone));
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_was_started_anew_knows_nothing_of_before() {
    let (client, mut agent) = Agent::new().await;
    let processes = three(&client, &mut agent).await;
    let (dropped, _) = agent.start(&client, script("dropped")).await;
    drop(dropped);
    assert!(matches!(agent.hear().await, Request::Drop { .. }));
    agent.greet().await;
    let reason = "the machine's agent was started anew; what ran before was killed";
    are_gone(&processes, reason).await;
    let (fresh, id) = agent.start(&client, script("fresh")).await;
    agent.say(output(id, "well")).await;
    assert_eq!(soon(fresh.read(100)).await.unwrap()[0].data, b"well");
    drop(processes);
    agent.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_new_agent_reads_from_the_beginning_of_a_message() {
    let (client, mut agent) = Agent::new().await;
    let (process, _) = agent.start(&client, script("cat")).await;
    // The pipe is full, and the client in the middle of a message, when the agent dies.
    soon(process.write(&[1; 100_000])).await.unwrap();
    settle().await;
    agent.say(Event::Hello { version: 1 }).await;
    settle().await;
    // What was in the port is lost with the agent that had it open.
    let lost = crate::agent::drain(&mut agent).await;
    assert!(lost < 100_000, "{lost}");
    let _fresh = client.start(script("fresh"));
    agent.is_asked_to_start().await;
}

#[tokio::test(start_paused = true)]
async fn a_drop_is_told_and_what_comes_until_the_end_is_in_order() {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("yes")).await;
    let readable = process.readable();
    assert!(!readable.is_ready());
    process.signal(Signal::Interrupt).unwrap();
    drop(process);
    assert!(readable.is_ready(), "nobody is left who could make it so");
    let mut heard = agent.hear().await;
    if matches!(heard, Request::Signal { .. }) {
        heard = agent.hear().await;
    }
    assert_eq!(heard, Request::Drop { process: id });
    agent.say(output(id, "y")).await;
    agent.say(Event::InputClosed { process: id }).await;
    agent.say(Event::Exited { process: id, exit: Exit::Signal(9) }).await;
    agent.say(Event::Ended { process: id }).await;
    agent.hears_nothing().await;
    // Now it is nobody's.
    agent.say(output(id, "y")).await;
    assert!(matches!(soon(client.ended()).await, Ended::Protocol(_)));
}

#[tokio::test(start_paused = true)]
async fn one_that_was_not_asked_for_is_dropped_without_a_word() {
    let (client, mut agent) = Agent::silent();
    drop(client.start(script("never")));
    agent.greet().await;
    agent.hears_nothing().await;
    // One that was is dropped before the answer.
    let process = client.start(script("late"));
    let id = agent.is_asked_to_start().await;
    drop(process);
    assert_eq!(agent.hear().await, Request::Drop { process: id });
    agent.say(Event::Started { process: id }).await;
    agent.say(Event::Exited { process: id, exit: Exit::Signal(9) }).await;
    agent.say(Event::Ended { process: id }).await;
    settle().await;
    drop(client);
    assert_eq!(soon(agent.next()).await, None);
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_when_nobody_is_left_and_all_is_said() {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("sleep")).await;
    let other = client.clone();
    drop(client);
    drop(other);
    agent.say(output(id, "still here")).await;
    assert_eq!(soon(process.read(100)).await.unwrap()[0].data, b"still here");
    drop(process);
    assert_eq!(agent.hear().await, Request::Drop { process: id });
    assert_eq!(soon(agent.next()).await, None);
}

#[tokio::test(start_paused = true)]
async fn power_off_is_asked_once_there_is_an_agent() {
    let (client, mut agent) = Agent::silent();
    client.power_off();
    agent.hears_nothing().await;
    agent.greet().await;
    assert_eq!(agent.hear().await, Request::PowerOff);
    client.power_off();
    drop(client);
    assert_eq!(agent.hear().await, Request::PowerOff);
    assert_eq!(soon(agent.next()).await, None);
}

#[test]
fn who_waits_is_told_when_the_runtime_is_shut_down() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (client, _agent) = first.block_on(async { Agent::silent() });
    let process = first.block_on(async { client.start(script("never")) });
    drop(first);
    let stopped = runtime().block_on(client.ended());
    assert!(matches!(stopped, Ended::Stopped), "{stopped}");
    let gone = ProcessError::Gone(stopped.to_string());
    assert_eq!(runtime().block_on(process.exit()), Err(gone));
}

#[tokio::test(start_paused = true)]
async fn what_had_come_is_read_before_a_broken_stream_is_told() {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("cat")).await;
    // Said and gone in one go, while the client has something to write.
    soon(process.write(b"to nobody")).await.unwrap();
    agent.say(output(id, "last words")).await;
    agent.say(Event::Exited { process: id, exit: Exit::Code(0) }).await;
    drop(agent);
    assert_eq!(soon(process.exit()).await, Ok(Exit::Code(0)));
    assert_eq!(soon(process.read(100)).await.unwrap()[0].data, b"last words");
    assert!(matches!(soon(client.ended()).await, Ended::Closed | Ended::Stream(_)));
}
