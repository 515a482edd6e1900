//! Flow control, in both directions.

use machine_client::{ProcessError, Signal, Stream};
use machine_protocol::{Event, Exit, MAX_DATA, Request, WINDOW};

use crate::agent::{Agent, script, settle, soon, waits};

const WINDOW_BYTES: usize = WINDOW as usize;

fn output(process: u32, stream: Stream, data: &[u8]) -> Event {
    Event::Output { process, stream, data: data.into() }
}

#[tokio::test(start_paused = true)]
async fn output_is_in_order_its_neighbours_joined_and_its_end_empty() {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("")).await;
    assert!(!process.readable().is_ready());
    waits(process.read(10)).await;
    for (stream, data) in [
        (Stream::Stdout, "one "),
        (Stream::Stdout, "two"),
        (Stream::Stderr, "error"),
        (Stream::Stdout, "three"),
    ] {
        agent.say(output(id, stream, data.as_bytes())).await;
    }
    agent.say(Event::Exited { process: id, exit: Exit::Code(3) }).await;
    assert_eq!(soon(process.exit()).await, Ok(Exit::Code(3)));
    assert!(process.readable().is_ready());
    let mut text = String::new();
    for most in [0, 2, 8, 100] {
        for chunk in soon(process.read(most)).await.unwrap() {
            text += &format!("{:?}:{};", chunk.stream, String::from_utf8(chunk.data).unwrap());
        }
    }
    assert_eq!(text, "Stdout:o;Stdout:ne;Stdout: two;Stderr:erro;Stderr:r;Stdout:three;");
    // A child may still have the pipe.
    assert!(!process.readable().is_ready());
    waits(process.read(1)).await;
    agent.say(Event::Ended { process: id }).await;
    for _ in 0..2 {
        assert_eq!(soon(process.read(1)).await, Ok(vec![]));
        assert_eq!(soon(process.exit()).await, Ok(Exit::Code(3)));
    }
    assert!(process.readable().is_ready());
}

#[tokio::test(start_paused = true)]
async fn more_is_allowed_as_the_reader_takes_it_and_not_for_each_byte() {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("yes")).await;
    for _ in 0..WINDOW_BYTES / MAX_DATA {
        agent.say(output(id, Stream::Stdout, &vec![b'y'; MAX_DATA])).await;
    }
    agent.hears_nothing().await;
    let quarter = WINDOW_BYTES / 4;
    let read = |size| soon(process.read(size));
    assert_eq!(read(quarter - 1).await.unwrap()[0].data.len(), quarter - 1);
    agent.hears_nothing().await;
    read(1).await.unwrap();
    assert_eq!(agent.hear().await, Request::Allow { process: id, bytes: WINDOW / 4 });
    let rest: usize = read(usize::MAX).await.unwrap().iter().map(|chunk| chunk.data.len()).sum();
    assert_eq!(rest, WINDOW_BYTES - quarter);
    assert_eq!(agent.hear().await, Request::Allow { process: id, bytes: WINDOW / 4 * 3 });
}

#[tokio::test(start_paused = true)]
async fn input_goes_out_to_the_window_and_on_as_it_is_taken() {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("cat")).await;
    let data: Vec<u8> = (0..2 * WINDOW_BYTES).map(|at| at as u8).collect();
    assert_eq!(soon(process.write(&[])).await, Ok(0));
    assert!(process.writable().is_ready());
    assert_eq!(soon(process.write(&data)).await, Ok(WINDOW_BYTES));
    assert!(!process.writable().is_ready());
    waits(process.write(&data[WINDOW_BYTES..])).await;
    process.signal(Signal::Interrupt).unwrap();
    process.close_stdin().unwrap();
    let mut got = Vec::new();
    while got.len() < WINDOW_BYTES {
        let Request::Input { data, .. } = agent.hear().await else { panic!("no input") };
        assert!(data.len() <= MAX_DATA);
        got.extend(data);
    }
    assert_eq!(got, data[..WINDOW_BYTES]);
    // Behind what was written before, and once.
    process.close_stdin().unwrap();
    assert_eq!(agent.hear().await, Request::CloseInput { process: id });
    let signal = Signal::Interrupt;
    assert_eq!(agent.hear().await, Request::Signal { process: id, signal });
    assert_eq!(soon(process.write(b"x")).await, Err(ProcessError::InputClosed));
    assert!(process.writable().is_ready());
    agent.say(Event::InputTaken { process: id, bytes: WINDOW }).await;
    agent.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_makes_room() {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("cat")).await;
    assert_eq!(soon(process.write(&vec![0; WINDOW_BYTES])).await, Ok(WINDOW_BYTES));
    for _ in 0..WINDOW_BYTES / MAX_DATA {
        assert!(matches!(agent.hear().await, Request::Input { .. }));
    }
    assert!(!process.writable().is_ready());
    agent.say(Event::InputTaken { process: id, bytes: 7 }).await;
    soon(process.writable().ready()).await;
    assert_eq!(soon(process.write(&[1; 10])).await, Ok(7));
    assert_eq!(agent.hear().await, Request::Input { process: id, data: vec![1; 7] });
    agent.say(Event::InputClosed { process: id }).await;
    assert_eq!(soon(process.write(&[1; 10])).await, Err(ProcessError::InputClosed));
    process.close_stdin().unwrap();
    agent.hears_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_nobody_reads_holds_no_other_up() {
    let (client, mut agent) = Agent::new().await;
    let (_unread, loud) = agent.start(&client, script("yes")).await;
    let (quiet, id) = agent.start(&client, script("echo")).await;
    for _ in 0..WINDOW_BYTES / MAX_DATA {
        agent.say(output(loud, Stream::Stdout, &vec![b'y'; MAX_DATA])).await;
    }
    agent.say(output(id, Stream::Stderr, b"here")).await;
    assert_eq!(soon(quiet.read(9)).await.unwrap()[0].data, b"here");
    // Nor does one with much to send.
    assert_eq!(soon(_unread.write(&vec![0; WINDOW_BYTES])).await, Ok(WINDOW_BYTES));
    assert_eq!(soon(quiet.write(b"little")).await, Ok(6));
    let mut before = 0;
    while !matches!(agent.hear().await, Request::Input { process, .. } if process == id) {
        before += 1;
    }
    assert!(before <= 2, "{before} messages of another came first");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_takes_nothing_is_read_all_the_same() {
    let (client, mut agent) = Agent::new().await;
    let (process, id) = agent.start(&client, script("cat")).await;
    // More than the pipe between holds, so the client is in the middle of writing.
    assert_eq!(soon(process.write(&vec![7; WINDOW_BYTES])).await, Ok(WINDOW_BYTES));
    settle().await;
    for _ in 0..WINDOW_BYTES / MAX_DATA {
        agent.say(output(id, Stream::Stdout, &vec![b'y'; MAX_DATA])).await;
    }
    let mut got = 0;
    while got < WINDOW_BYTES {
        got += soon(process.read(usize::MAX)).await.unwrap()[0].data.len();
    }
    for _ in 0..WINDOW_BYTES / MAX_DATA {
        assert!(matches!(agent.hear().await, Request::Input { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_is_remembered_once_until_it_is_sent() {
    let (client, mut agent) = Agent::silent();
    let process = client.start(script("sleep"));
    for _ in 0..1000 {
        process.signal(Signal::Interrupt).unwrap();
        process.signal(Signal::Kill).unwrap();
    }
    agent.greet().await;
    let id = agent.is_asked_to_start().await;
    for signal in [Signal::Interrupt, Signal::Kill] {
        assert_eq!(agent.hear().await, Request::Signal { process: id, signal });
    }
    agent.hears_nothing().await;
}
