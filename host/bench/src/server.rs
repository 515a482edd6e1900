//! A model server on loopback that answers every chat completion with one sentence, and says when
//! the first request arrived. Both sides of a comparison talk to the same one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// A client that does not finish its request is given up.
const READ_LIMIT: Duration = Duration::from_secs(30);

pub struct Server {
    pub address: SocketAddr,
    arrivals: Receiver<(Instant, Sender<()>)>,
}

impl Server {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (arrived, arrivals) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let arrived = arrived.clone();
                std::thread::spawn(move || {
                    // A client that goes away ends its connection; the benchmark notices by its exit.
                    let _ = serve(stream, &arrived);
                });
            }
        });
        Ok(Self { address, arrivals })
    }

    /// Waits for a request, runs `look` while its sender waits for the answer, and lets it go on.
    pub fn arrival<T>(&self, limit: Duration, look: impl FnOnce() -> T) -> Result<(Instant, T)> {
        let (at, go_on) = self.arrivals.recv_timeout(limit).context("no request arrived")?;
        let seen = look();
        // The connection may be gone already.
        let _ = go_on.send(());
        Ok((at, seen))
    }
}

fn serve(stream: TcpStream, arrived: &Sender<(Instant, Sender<()>)>) -> Result<()> {
    stream.set_read_timeout(Some(READ_LIMIT))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let at = Instant::now();
        let mut length = 0usize;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        reader.by_ref().take(length as u64).read_to_end(&mut Vec::new())?;
        let (go_on, wait) = channel();
        arrived.send((at, go_on))?;
        wait.recv_timeout(READ_LIMIT)?;
        stream.write_all(answer().as_bytes())?;
        stream.flush()?;
    }
}

fn answer() -> String {
    let chunk = |delta: &str, finish: &str, usage: &str| {
        format!(
            "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]{usage}}}\n\n"
        )
    };
    let usage = ",\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2,\"total_tokens\":12}";
    let body = [
        chunk("{\"role\":\"assistant\",\"content\":\"Hello.\"}", "null", ""),
        chunk("{}", "\"stop\"", usage),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
