//! A file server that plays its part: each request gets the next play.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a request is answered with.
#[derive(Debug, Clone)]
pub enum Play {
    /// As a good server does: ranges, and the whole file when the version in `If-Range` is another.
    Serve { version: &'static str, file: Arc<Vec<u8>> },
    /// The same, but the connection ends after so many bytes of the body.
    Cut { version: &'static str, file: Arc<Vec<u8>>, after: usize },
    /// The same, but then nothing comes, until the client closes the connection.
    Stall { version: &'static str, file: Arc<Vec<u8>>, after: usize },
    /// Status line, further headers (each with its line end), body.
    Say { status: &'static str, headers: String, body: Vec<u8> },
}

impl Play {
    pub fn say(status: &'static str, headers: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::Say { status, headers: headers.into(), body: body.into() }
    }

    pub fn redirect(to: impl std::fmt::Display) -> Self {
        Self::say("302 Found", format!("location: {to}\r\n"), "")
    }
}

/// What a client asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub path: String,
    pub range: Option<String>,
    pub if_range: Option<String>,
}

pub struct Server {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// After the last play every request is answered with 418, which no client takes for success.
    pub fn start(plays: impl IntoIterator<Item = Play>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let plays = Arc::new(Mutex::new(plays.into_iter().collect::<VecDeque<_>>()));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (plays, log) = (plays.clone(), log.clone());
                thread::spawn(move || answer(stream, &plays, &log));
            }
        });
        Self { address, asked }
    }

    pub fn mirror(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request a connection: the client must not depend on more.
fn answer(mut stream: TcpStream, plays: &Mutex<VecDeque<Play>>, log: &Mutex<Vec<Asked>>) {
    let Some(asked) = read_request(&stream) else { return };
    let play = plays.lock().unwrap().pop_front();
    log.lock().unwrap().push(asked.clone());
    // A client that goes away is what some tests are about.
    let _ = match play {
        Some(Play::Serve { version, file }) => {
            send(&mut stream, &asked, version, &file, file.len())
        }
        Some(Play::Cut { version, file, after }) => {
            send(&mut stream, &asked, version, &file, after)
        }
        Some(Play::Stall { version, file, after }) => {
            let sent = send(&mut stream, &asked, version, &file, after);
            // Nothing more is sent by the client; a reset is a closed connection, too.
            let _ = stream.read(&mut [0]);
            sent
        }
        Some(Play::Say { status, headers, body }) => say(&mut stream, status, &headers, &body),
        None => say(&mut stream, "418 Unexpected", "", b""),
    };
}

fn read_request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut asked = Asked { path: line.split(' ').nth(1)?.to_owned(), ..Asked::default() };
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { return Some(asked) };
        match name.to_ascii_lowercase().as_str() {
            "range" => asked.range = Some(value.to_owned()),
            "if-range" => asked.if_range = Some(value.to_owned()),
            _ => {}
        }
    }
}

/// The part that was asked for, at most `limit` bytes of it, though more are announced.
fn send(
    stream: &mut TcpStream,
    asked: &Asked,
    version: &str,
    file: &[u8],
    limit: usize,
) -> std::io::Result<()> {
    let from: Option<usize> = asked
        .range
        .as_deref()
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok())
        .filter(|_| asked.if_range.as_deref().is_none_or(|wanted| wanted == version));
    let total = file.len();
    let (status, range, body) = match from {
        Some(from) if from >= total => {
            let range = format!("content-range: bytes */{total}\r\n");
            return say(stream, "416 Range Not Satisfiable", &range, b"");
        }
        Some(from) => {
            let range = format!("content-range: bytes {from}-{}/{total}\r\n", total - 1);
            ("206 Partial Content", range, &file[from..])
        }
        None => ("200 OK", String::new(), file),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\netag: {version}\r\n{range}content-length: {length}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body[..length.min(limit)])
}

fn say(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let length = match headers.contains("content-length") || headers.contains("transfer-encoding") {
        true => String::new(),
        false => format!("content-length: {}\r\n", body.len()),
    };
    let head = format!("HTTP/1.1 {status}\r\n{length}{headers}connection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}
