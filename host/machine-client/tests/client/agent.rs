//! An agent for tests, at the other end of a pipe.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use machine_client::{Client, Command, Connection, Process, Program, Size};
use machine_protocol::{Decoder, Event, Request, VERSION, encode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Of paused time: reached when everything waits.
const LONG: Duration = Duration::from_secs(60);

/// Bytes that fit between client and agent: little, so that both often wait.
const PIPE: usize = 4 << 10;

pub struct Agent {
    pub stream: DuplexStream,
    decoder: Decoder,
    pub connections: UnboundedReceiver<Connection>,
}

impl Agent {
    /// One that has not said hello.
    pub fn silent() -> (Client, Self) {
        let (ours, stream) = tokio::io::duplex(PIPE);
        let (sender, connections) = unbounded_channel();
        let on_connection = move |connection| drop(sender.send(connection));
        let client = Client::new(ours, Arc::new(on_connection));
        (client, Self { stream, decoder: Decoder::default(), connections })
    }

    /// One that has.
    pub async fn new() -> (Client, Self) {
        let (client, mut agent) = Self::silent();
        agent.greet().await;
        (client, agent)
    }

    pub async fn greet(&mut self) {
        self.say(Event::Hello { version: VERSION }).await;
        assert!(matches!(self.hear().await, Request::Clock { .. }));
    }

    pub async fn say(&mut self, event: Event) {
        self.say_bytes(&encode(&event).unwrap()).await;
    }

    pub async fn say_bytes(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    pub async fn hear(&mut self) -> Request {
        soon(self.next()).await.expect("the client closed the stream")
    }

    /// The next request; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Request> {
        loop {
            if let Some(request) = self.decoder.message().unwrap() {
                return Some(request);
            }
            let mut buffer = [0; PIPE];
            let size = self.stream.read(&mut buffer).await.unwrap();
            self.decoder.push(&buffer[..size]);
            if size == 0 {
                return None;
            }
        }
    }

    /// That nothing comes, whatever else is done meanwhile.
    pub async fn hears_nothing(&mut self) {
        let heard = tokio::time::timeout(LONG, self.next()).await;
        assert!(heard.is_err(), "{heard:?}");
    }

    /// The next request starts a process, with the clock before it; its id.
    pub async fn is_asked_to_start(&mut self) -> u32 {
        assert!(matches!(self.hear().await, Request::Clock { .. }));
        match self.hear().await {
            Request::Start { process, .. } => process,
            other => panic!("{other:?}"),
        }
    }

    /// Starts a process from both ends.
    pub async fn start(&mut self, client: &Client, command: Command) -> (Process, u32) {
        let process = client.start(command);
        let id = self.is_asked_to_start().await;
        self.say(Event::Started { process: id }).await;
        soon(process.started()).await.unwrap();
        (process, id)
    }

    /// A connection from both ends.
    pub async fn connect(&mut self, connection: u32) -> Connection {
        self.say(Event::Connected { connection }).await;
        soon(self.connections.recv()).await.unwrap()
    }
}

pub fn script(text: &str) -> Command {
    let program = Program::Script(text.into());
    Command { program, cwd: None, env: Vec::new(), timeout_ms: None, pty: None }
}

pub const SIZE: Size = Size { columns: 80, rows: 24 };

/// The result, which must not need anything that does not happen.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("it does not come")
}

/// That it waits, although everything was done that could be.
pub async fn waits<T: std::fmt::Debug>(future: impl Future<Output = T>) {
    let result = tokio::time::timeout(LONG, future).await;
    assert!(result.is_err(), "{result:?}");
}

/// Lets everything be done that can be.
pub async fn settle() {
    tokio::time::sleep(LONG).await;
}

/// Throws away all bytes that come; how many.
pub async fn drain(agent: &mut Agent) -> usize {
    agent.decoder = Decoder::default();
    let mut buffer = [0; PIPE];
    let mut size = 0;
    while let Ok(read) = tokio::time::timeout(LONG, agent.stream.read(&mut buffer)).await {
        size += read.unwrap();
    }
    size
}
