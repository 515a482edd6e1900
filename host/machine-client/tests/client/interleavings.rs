//! Random orders of what both ends do, with a model of what may be under way.

use std::collections::VecDeque;

use machine_client::{Exit, Process, Stream};
use machine_protocol::{Event, MAX_DATA, Request, WINDOW};
use proptest::prelude::*;

use crate::agent::{Agent, script, settle, soon};

/// One thing that one end does, if it may.
#[derive(Debug, Clone)]
enum Act {
    /// The guest sends so much output, if its window has room.
    Say(usize, Stream, usize),
    /// The guest reads all requests that wait for it.
    Hear,
    /// The guest's program takes so much of its input.
    Take(usize, usize),
    /// The owner reads at most so much, if it would not wait.
    Read(usize, usize),
    /// The owner writes so much, if it would not wait.
    Write(usize, usize),
    CloseInput(usize),
}

const PROCESSES: usize = 3;

fn act() -> impl Strategy<Value = Act> {
    let stream = prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)];
    let size = || prop_oneof![3 => 1..200usize, 1 => 1..=MAX_DATA, 1 => Just(MAX_DATA)];
    let large = || prop_oneof![size(), Just(WINDOW as usize), Just(1 << 20)];
    prop_oneof![
        6 => (0..PROCESSES, stream, size()).prop_map(|(of, stream, size)| Act::Say(of, stream, size)),
        3 => Just(Act::Hear),
        4 => (0..PROCESSES, large()).prop_map(|(of, size)| Act::Take(of, size)),
        5 => (0..PROCESSES, large()).prop_map(|(of, size)| Act::Read(of, size)),
        5 => (0..PROCESSES, large()).prop_map(|(of, size)| Act::Write(of, size)),
        1 => (0..PROCESSES).prop_map(Act::CloseInput),
    ]
}

/// What both ends know of a process.
struct Model {
    process: Process,
    id: u32,
    /// Sent by the guest and not read: the bytes with their streams.
    unread: VecDeque<(Stream, u8)>,
    allowed: usize,
    /// Written by the owner and not heard.
    unheard: VecDeque<u8>,
    /// Heard and not taken.
    untaken: usize,
    closed: bool,
    heard_close: bool,
    counter: u8,
}

impl Model {
    fn byte(&mut self) -> u8 {
        self.counter = self.counter.wrapping_add(1);
        self.counter
    }

    fn room(&self) -> usize {
        WINDOW as usize - self.unheard.len() - self.untaken
    }

    async fn say(&mut self, agent: &mut Agent, stream: Stream, size: usize) {
        let size = size.min(self.allowed);
        if size == 0 {
            return;
        }
        let data: Vec<u8> = (0..size).map(|_| self.byte()).collect();
        self.allowed -= size;
        self.unread.extend(data.iter().map(|byte| (stream, *byte)));
        agent.say(Event::Output { process: self.id, stream, data }).await;
    }

    async fn take(&mut self, agent: &mut Agent, size: usize) {
        let size = size.min(self.untaken);
        if size > 0 {
            self.untaken -= size;
            let bytes = u32::try_from(size).unwrap();
            agent.say(Event::InputTaken { process: self.id, bytes }).await;
        }
    }

    fn hear(&mut self, request: Request) {
        match request {
            Request::Input { data, .. } => {
                assert!(!self.heard_close && data.len() <= MAX_DATA);
                for byte in &data {
                    assert_eq!(self.unheard.pop_front(), Some(*byte));
                }
                self.untaken += data.len();
                assert!(self.untaken <= WINDOW as usize);
            }
            Request::Allow { bytes, .. } => {
                self.allowed += bytes as usize;
                assert!(self.allowed + self.unread.len() <= WINDOW as usize);
            }
            Request::CloseInput { .. } => {
                assert!(self.closed && self.unheard.is_empty() && !self.heard_close);
                self.heard_close = true;
            }
            other => panic!("{other:?}"),
        }
    }

    async fn read(&mut self, most: usize) {
        assert_eq!(self.process.readable().is_ready(), !self.unread.is_empty());
        if self.unread.is_empty() {
            return;
        }
        let expected = most.min(self.unread.len());
        let mut got = 0;
        let mut last = None;
        for chunk in soon(self.process.read(most)).await.unwrap() {
            assert!(!chunk.data.is_empty() && last != Some(chunk.stream));
            last = Some(chunk.stream);
            got += chunk.data.len();
            for byte in chunk.data {
                assert_eq!(self.unread.pop_front(), Some((chunk.stream, byte)));
            }
        }
        assert_eq!(got, expected);
    }

    async fn write(&mut self, size: usize) {
        let room = self.room();
        assert_eq!(self.process.writable().is_ready(), self.closed || room > 0);
        if self.closed || room == 0 {
            return;
        }
        let data: Vec<u8> = (0..size).map(|_| self.byte()).collect();
        let written = soon(self.process.write(&data)).await.unwrap();
        assert_eq!(written, size.min(room));
        self.unheard.extend(&data[..written]);
    }
}

async fn hear_all(agent: &mut Agent, models: &mut [Model]) {
    let short = std::time::Duration::from_millis(1);
    while let Ok(request) = tokio::time::timeout(short, agent.next()).await {
        let request = request.expect("the client closed the stream");
        let id = match &request {
            Request::Input { process, .. }
            | Request::Allow { process, .. }
            | Request::CloseInput { process } => *process,
            other => panic!("{other:?}"),
        };
        models.iter_mut().find(|model| model.id == id).unwrap().hear(request);
    }
}

async fn play(acts: Vec<Act>) {
    let (client, mut agent) = Agent::new().await;
    let mut models = Vec::new();
    for _ in 0..PROCESSES {
        let (process, id) = agent.start(&client, script("cat")).await;
        models.push(Model {
            process,
            id,
            unread: VecDeque::new(),
            allowed: WINDOW as usize,
            unheard: VecDeque::new(),
            untaken: 0,
            closed: false,
            heard_close: false,
            counter: 0,
        });
    }
    for act in acts {
        match act {
            Act::Say(of, stream, size) => models[of].say(&mut agent, stream, size).await,
            Act::Hear => hear_all(&mut agent, &mut models).await,
            Act::Take(of, size) => models[of].take(&mut agent, size).await,
            Act::Read(of, size) => models[of].read(size).await,
            Act::Write(of, size) => models[of].write(size).await,
            Act::CloseInput(of) => {
                models[of].process.close_stdin().unwrap();
                models[of].closed = true;
            }
        }
        settle().await;
    }
    // In the end all arrives that was sent, and the ends are told.
    for model in &mut models {
        agent.say(Event::Exited { process: model.id, exit: Exit::Code(0) }).await;
        settle().await;
        model.read(usize::MAX).await;
    }
    hear_all(&mut agent, &mut models).await;
    for model in &models {
        assert!(model.unheard.is_empty() && model.closed == model.heard_close);
        assert!(model.allowed > WINDOW as usize / 2, "a guest that all was read of may send");
        agent.say(Event::Ended { process: model.id }).await;
        assert_eq!(soon(model.process.read(1)).await, Ok(vec![]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_all_bytes_arrive_and_windows_hold(acts in prop::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(play(acts));
    }

    /// Noise, as bytes and as messages: nothing panics, and everybody who waits is told.
    #[test]
    fn noise_ends_the_client_or_does_nothing(
        noise in prop::collection::vec(prop::collection::vec(0..16u8, 1..12), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (client, mut agent) = Agent::new().await;
            let process = client.start(script("cat"));
            agent.is_asked_to_start().await;
            for message in noise {
                // A message's length is right, so that much of it is one.
                let mut bytes = u32::try_from(message.len()).unwrap().to_le_bytes().to_vec();
                bytes.extend(message);
                if tokio::io::AsyncWriteExt::write_all(&mut agent.stream, &bytes).await.is_err() {
                    break;
                }
            }
            drop(agent);
            soon(client.ended()).await;
            let _ = soon(process.exit()).await;
            while soon(process.read(100)).await.is_ok_and(|chunks| !chunks.is_empty()) {}
        });
    }
}
