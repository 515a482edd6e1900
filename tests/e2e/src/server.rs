//! A model provider's server on loopback that plays answers and remembers the requests.
//!
//! Requests get the plays in their order, on whatever connections they come. One that comes after
//! the last play is refused, so that a test sees it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::{Answer, DEADLINE, Reply};

/// What a request is answered with.
pub enum Play {
    /// The answer, streamed to its end.
    Stream(Answer),
    /// The answer's first piece, and the rest after [`Server::release`].
    Gated(Answer),
    /// The same of Anthropic's Messages API.
    Messages(Reply),
    /// Its events, then the connection is cut.
    CutMessages(Reply),
    /// The answer's pieces, then the connection is cut.
    Cut(Answer),
    /// The answer's pieces, then nothing until the client closes the connection; that is reported
    /// by [`Server::connection_closed`].
    Hold(Answer),
    /// The answer's pieces over and over until the client closes the connection; that is reported
    /// likewise.
    Flood(Answer),
    /// No stream: status line, further headers (each with its line end), body.
    Plain { status: &'static str, headers: &'static str, body: &'static str },
}

/// A request as it arrived.
#[derive(Debug)]
pub struct Request {
    /// The request line and the headers.
    pub head: String,
    pub body: Value,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|line| {
            line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
        })?;
        Some(line.split_once(':')?.1.trim())
    }

    /// Role and text of every message.
    pub fn messages(&self) -> Vec<(String, String)> {
        let messages = self.body["messages"].as_array().expect("a list of messages");
        messages
            .iter()
            .map(|message| {
                let role = message["role"].as_str().expect("a role").to_owned();
                (role, text_of(&message["content"]))
            })
            .collect()
    }
}

/// Content is text or a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// The server. Its thread ends with the test.
pub struct Server {
    address: SocketAddr,
    seen: Receiver<Request>,
    closed: Receiver<()>,
    release: Sender<()>,
}

impl Server {
    pub fn start(plays: impl IntoIterator<Item = Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("a bound port has an address");
        let plays = Arc::new(Mutex::new(plays.into_iter().collect::<VecDeque<_>>()));
        let (tell, seen) = mpsc::channel();
        let (tell_closed, closed) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let released = Arc::new(Mutex::new(released));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tell, tell_closed, plays) = (tell.clone(), tell_closed.clone(), plays.clone());
                let released = released.clone();
                thread::spawn(move || serve(&stream, &tell, &tell_closed, &released, &plays));
            }
        });
        Self { address, seen, closed, release }
    }

    /// What a configuration names.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The next request that nobody looked at.
    #[track_caller]
    pub fn next_request(&self) -> Request {
        self.seen.recv_timeout(DEADLINE).expect("a request arrives")
    }

    /// How many requests arrived that nobody looked at.
    pub fn unseen(&self) -> usize {
        self.seen.try_iter().count()
    }

    /// Lets one gated answer go on.
    pub fn release(&self) {
        self.release.send(()).expect("the server runs");
    }

    /// Waits until the client closed a connection that was held open.
    #[track_caller]
    pub fn connection_closed(&self) {
        self.closed.recv_timeout(DEADLINE).expect("the client closes the connection");
    }
}

fn serve(
    stream: &TcpStream,
    tell: &Sender<Request>,
    tell_closed: &Sender<()>,
    released: &Mutex<Receiver<()>>,
    plays: &Mutex<VecDeque<Play>>,
) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let play = plays.lock().expect("no play panics").pop_front();
        let _ = tell.send(request);
        if perform(stream, play, tell_closed, released).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.trim().parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).expect("a body of JSON");
    Some(Request { head, body })
}

/// An error ends the connection.
fn perform(
    mut stream: &TcpStream,
    play: Option<Play>,
    tell_closed: &Sender<()>,
    released: &Mutex<Receiver<()>>,
) -> std::io::Result<()> {
    let over = || std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    match play {
        Some(Play::Stream(answer)) => {
            begin(stream)?;
            send(stream, &answer.finished())?;
            piece(stream, "data: [DONE]\n\n")?;
            stream.write_all(b"0\r\n\r\n")
        }
        Some(Play::Gated(answer)) => {
            begin(stream)?;
            let pieces = answer.finished();
            let (first, rest) = pieces.split_at(1);
            send(stream, first)?;
            // A test that failed releases nothing: the connection ends with it.
            let waited = released.lock().expect("no play panics").recv_timeout(DEADLINE);
            waited.map_err(|_| over())?;
            send(stream, rest)?;
            piece(stream, "data: [DONE]\n\n")?;
            stream.write_all(b"0\r\n\r\n")
        }
        Some(Play::Messages(reply)) => {
            begin(stream)?;
            send_named(stream, &reply.finished())?;
            stream.write_all(b"0\r\n\r\n")
        }
        Some(Play::CutMessages(reply)) => {
            begin(stream)?;
            send_named(stream, &reply.unfinished())?;
            stream.shutdown(Shutdown::Both)?;
            Err(over())
        }
        Some(Play::Cut(answer)) => {
            begin(stream)?;
            send(stream, &answer.unfinished())?;
            stream.shutdown(Shutdown::Both)?;
            Err(over())
        }
        Some(Play::Hold(answer)) => {
            begin(stream)?;
            send(stream, &answer.unfinished())?;
            // Nothing more is sent by a waiting client; a reset is a closed connection, too.
            let _ = stream.read(&mut [0]);
            let _ = tell_closed.send(());
            Err(over())
        }
        Some(Play::Flood(answer)) => {
            begin(stream)?;
            let pieces = answer.unfinished();
            while send(stream, &pieces).is_ok() {}
            let _ = tell_closed.send(());
            Err(over())
        }
        Some(Play::Plain { status, headers, body }) => plain(stream, status, headers, body),
        None => {
            let body = r#"{"error": {"message": "the test expects no further request"}}"#;
            plain(stream, "400 Bad Request", "", body)
        }
    }
}

fn plain(mut stream: &TcpStream, status: &str, headers: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

fn begin(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
    )
}

fn send(stream: &TcpStream, events: &[Value]) -> std::io::Result<()> {
    events.iter().try_for_each(|event| piece(stream, &format!("data: {event}\n\n")))
}

/// Events that are named as their type.
fn send_named(stream: &TcpStream, events: &[Value]) -> std::io::Result<()> {
    events.iter().try_for_each(|event| {
        let name = event["type"].as_str().expect("an event has a type");
        piece(stream, &format!("event: {name}\ndata: {event}\n\n"))
    })
}

/// One piece in an HTTP chunk of its own.
fn piece(mut stream: &TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
}
