//! A server made of raw bytes, so that answers can be cut, delayed and malformed exactly.
//!
//! Each request gets the next play: a list of steps on its connection. A play that ends neither
//! closed nor broken leaves the connection open for the next request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

/// Every test ends within this time, or fails.
pub const DEADLINE: Duration = Duration::from_secs(30);

pub enum Step {
    Send(Vec<u8>),
    /// Goes on when the test says so.
    Gate(Arc<Notify>),
    /// Closes the connection.
    Close,
    /// Waits until the client closed the connection, then tells the test.
    SeeClosed(Arc<Notify>),
    /// Sends until the client gives up, then tells the test.
    Flood(Vec<u8>, Arc<Notify>),
}

/// A request as it arrived.
#[derive(Debug)]
pub struct Seen {
    /// The request line and the headers.
    pub head: String,
    pub body: Value,
    /// Counts the connections from 0.
    pub connection: usize,
}

pub struct Double {
    pub address: SocketAddr,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Double {
    pub async fn start(plays: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, seen) = mpsc::unbounded_channel();
        let plays = Arc::new(tokio::sync::Mutex::new(plays.into_iter()));
        tokio::spawn(async move {
            let mut connection = 0;
            while let Ok((mut stream, _)) = listener.accept().await {
                let (tell, plays) = (tell.clone(), Arc::clone(&plays));
                tokio::spawn(async move {
                    while let Some((head, body)) = request(&mut stream).await {
                        let _ = tell.send(Seen { head, body, connection });
                        let Some(play) = plays.lock().await.next() else { return };
                        if !perform(&mut stream, play).await {
                            return;
                        }
                    }
                });
                connection += 1;
            }
        });
        Self { address, seen }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub async fn next_request(&mut self) -> Seen {
        tokio::time::timeout(DEADLINE, self.seen.recv()).await.unwrap().unwrap()
    }

    /// How many requests arrived that were not looked at.
    pub fn unseen(&mut self) -> usize {
        std::iter::from_fn(|| self.seen.try_recv().ok()).count()
    }
}

async fn request(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |n| n.parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, serde_json::from_slice(&bytes[end..]).unwrap()))
}

/// Whether the connection goes on.
async fn perform(stream: &mut TcpStream, play: Vec<Step>) -> bool {
    for step in play {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return false;
                }
            }
            Step::Gate(gate) => gate.notified().await,
            Step::Close => return false,
            Step::SeeClosed(closed) => {
                let mut rest = Vec::new();
                // An error is a closed connection as well (a reset).
                let _ = stream.read_to_end(&mut rest).await;
                closed.notify_one();
                return false;
            }
            Step::Flood(bytes, ended) => {
                while stream.write_all(&bytes).await.is_ok() {}
                ended.notify_one();
                return false;
            }
        }
    }
    true
}

/// Headers of a stream, then its pieces, each in an HTTP chunk of its own.
pub fn stream_of(pieces: &[&[u8]]) -> Vec<Step> {
    let mut steps = vec![head()];
    steps.extend(pieces.iter().map(|piece| chunk(piece)));
    steps
}

/// A whole stream of chat completion chunks.
pub fn events(events: &[Value]) -> Vec<Step> {
    let mut steps = vec![head()];
    steps.extend(events.iter().map(|event| chunk(format!("data: {event}\n\n").as_bytes())));
    steps.extend([chunk(b"data: [DONE]\n\n"), end()]);
    steps
}

/// A whole stream of events of the Messages API, each named as its type.
pub fn messages(events: &[Value]) -> Vec<Step> {
    let mut steps = vec![head()];
    steps.extend(events.iter().map(|event| chunk(message(event).as_bytes())));
    steps.push(end());
    steps
}

/// One event of the Messages API.
pub fn message(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
}

pub fn head() -> Step {
    Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec(),
    )
}

pub fn chunk(piece: &[u8]) -> Step {
    let mut bytes = format!("{:x}\r\n", piece.len()).into_bytes();
    bytes.extend_from_slice(piece);
    bytes.extend_from_slice(b"\r\n");
    Step::Send(bytes)
}

pub fn end() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}

/// A whole answer that is no stream.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    vec![Step::Send(text.into_bytes())]
}
