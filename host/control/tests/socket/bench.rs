//! A process with one session, and raw connections to it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use control::{Board, Client, Desk, Opening, Seat, Server};
use domain::chat::Usage;
use domain::event::{HarnessEvent, Stop};
use domain::terminal::{NoTerminal, Size, Terminal, Terminals};
use domain::{AgentName, Event, NanoDollars, Part, SessionId, TurnId, TurnInput};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// Everything here takes milliseconds; a busy machine may be a thousand times slower.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct Bench {
    pub place: TempDir,
    pub board: Board,
    pub desk: Arc<Desk>,
    pub seat: Seat,
    pub server: Server,
    /// What the session was given.
    pub taken: Arc<Mutex<Vec<TurnInput>>>,
}

pub fn id(name: &str) -> SessionId {
    SessionId::new(name).unwrap()
}

pub fn seat(board: &Board, name: &str) -> (Seat, Arc<Desk>, Arc<Mutex<Vec<TurnInput>>>) {
    let (desk, taken) = (Arc::new(Desk::default()), Arc::<Mutex<Vec<TurnInput>>>::default());
    let given = taken.clone();
    let seat = board.open(Opening {
        session: id(name),
        agent: AgentName::new("pi").unwrap(),
        harness: "pi".into(),
        model: "m".into(),
        desk: desk.clone(),
        take: Box::new(move |input| {
            let mut taken = given.lock().unwrap();
            taken.push(input);
            taken.len() <= 2_000
        }),
        terminals: Arc::new(Mirrors),
    });
    (seat, desk, taken)
}

/// Terminals that show what is typed into them; `!` ends one, and `#` is not taken for ever. One of a
/// single column there is none of.
pub struct Mirrors;

struct Mirror(mpsc::Sender<Vec<u8>>, AsyncMutex<mpsc::Receiver<Vec<u8>>>);

#[async_trait]
impl Terminals for Mirrors {
    fn are_there(&self) -> bool {
        true
    }

    async fn attach(&self, size: Size) -> Result<Box<dyn Terminal>, NoTerminal> {
        if size.columns == 1 {
            return Err(NoTerminal("there is no machine".into()));
        }
        let (sender, receiver) = mpsc::channel(1_000);
        sender.try_send(format!("{size:?}").into_bytes()).unwrap();
        Ok(Box::new(Mirror(sender, AsyncMutex::new(receiver))))
    }
}

#[async_trait]
impl Terminal for Mirror {
    async fn read(&self) -> Vec<u8> {
        self.1.lock().await.recv().await.unwrap_or_default()
    }

    async fn write(&self, data: &[u8]) {
        match data {
            b"!" => self.0.send(Vec::new()).await.unwrap(),
            b"#" => std::future::pending().await,
            data => self.0.send(data.to_vec()).await.unwrap(),
        }
    }

    async fn resize(&self, size: Size) {
        self.0.send(format!("{size:?}").into_bytes()).await.unwrap();
    }
}

impl Bench {
    pub fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let board = Board::default();
        let (seat, desk, taken) = seat(&board, "s");
        let server = Server::start(&place.path().join("control"), board.clone(), "9.9").unwrap();
        Self { place, board, desk, seat, server, taken }
    }

    pub fn folder(&self) -> PathBuf {
        self.place.path().join("control")
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.server.path()).await.unwrap()
    }

    pub async fn raw(&self) -> Raw {
        let mut raw = self.unheard().await;
        assert_eq!(raw.read().await["method"], "hello");
        raw
    }

    /// A connection whose greeting is not read yet.
    pub async fn unheard(&self) -> Raw {
        let stream = loop {
            match UnixStream::connect(self.server.path()).await {
                Ok(stream) => break stream,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    tokio::task::yield_now().await;
                }
                Err(error) => panic!("{error}"),
            }
        };
        let (reader, writer) = stream.into_split();
        Raw { reader: BufReader::new(reader), writer }
    }

    pub fn begin(&mut self) {
        self.seat.event(&Event::TurnStarted {
            session: id("s"),
            turn: TurnId::mint(),
            agent: AgentName::new("pi").unwrap(),
            harness: "pi".into(),
            model: "m".into(),
        });
    }

    pub fn say(&mut self, text: &str) {
        self.seat.event(&Event::Harness(HarnessEvent::Message { part: Part::text(text) }));
    }

    pub fn finish(&mut self) {
        self.seat.event(&Event::TurnFinished {
            turn: TurnId::mint(),
            stop: Stop::EndTurn,
            models: Vec::new(),
            usage: Usage::default(),
            cost: NanoDollars(7),
            elapsed_ms: 1,
        });
    }
}

/// A connection that says what it likes.
pub struct Raw {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Raw {
    pub async fn write(&mut self, bytes: &[u8]) {
        // A server that closed is what some tests are about.
        let _ = self.writer.write_all(bytes).await;
    }

    pub async fn line(&mut self, line: &str) {
        self.write(line.as_bytes()).await;
        self.write(b"\n").await;
    }

    /// The next line as JSON; `null` at the end.
    pub async fn read(&mut self) -> Value {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line);
        match tokio::time::timeout(DEADLINE, read).await.expect("a line or the end") {
            Ok(0) | Err(_) => Value::Null,
            Ok(_) => serde_json::from_str(&line).expect("a line of JSON"),
        }
    }

    pub async fn ask(&mut self, line: &str) -> Value {
        self.line(line).await;
        self.read().await
    }
}

/// Waits until something holds.
pub async fn until(mut holds: impl FnMut() -> bool) {
    let look = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, look).await.expect("it holds in time");
}
