//! The other end of the socket.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use rustix::process::geteuid;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};

use crate::folder::{Folder, FolderError};
use crate::protocol::{
    Error, Hello, Line, Notice, PROTOCOL, RECORD_MAX_BYTES, Request, VERSION, code,
};

/// How long a process may take for an answer; one that is stopped never gives it.
const PATIENCE: Duration = Duration::from_secs(5);
/// A socket whose queue is full: its process is busy accepting.
const AGAIN: Duration = Duration::from_millis(10);

/// A process could not be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the process that it belonged to is gone")]
    Dead,
    #[error("it belongs to another user")]
    Foreign,
    #[error("it does not answer")]
    Silent,
    #[error("it closed the connection")]
    Closed,
    #[error("it speaks protocol {0} of the control socket, and this program {PROTOCOL}")]
    Protocol(u32),
    #[error("it says what is no line of the protocol")]
    Garbled,
    #[error("it refused: {0}")]
    Refused(Error),
    #[error("the connection broke")]
    Io(#[source] io::Error),
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// What comes from the process.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    Notice(Notice),
    /// What became of a request, by its number.
    Done(u64, Result<Value, Error>),
}

/// A connection to one process.
#[derive(Debug)]
pub struct Client {
    lines: FramedRead<OwnedReadHalf, LinesCodec>,
    writer: OwnedWriteHalf,
    hello: Hello,
    requests: u64,
    early: VecDeque<Incoming>,
}

#[derive(serde::Serialize)]
struct Numbered<'a> {
    id: u64,
    #[serde(flatten)]
    request: &'a Request,
}

impl Client {
    /// Connects to a socket, and hears its greeting.
    pub async fn connect(socket: &Path) -> Result<Self, ClientError> {
        let (Some(parent), Some(name)) =
            (socket.parent(), socket.file_name().and_then(|name| name.to_str()))
        else {
            return Err(ClientError::Dead);
        };
        let folder = Folder::open(parent)?.ok_or(ClientError::Dead)?;
        Self::connect_in(&folder, name).await
    }

    pub(crate) async fn connect_in(folder: &Folder, name: &str) -> Result<Self, ClientError> {
        let address = folder.address(name).map_err(ClientError::Io)?;
        let stream = timeout(PATIENCE, dial(address)).await.map_err(|_| ClientError::Silent)??;
        let credentials = stream.peer_cred().map_err(ClientError::Io)?;
        if credentials.uid() != geteuid().as_raw() {
            return Err(ClientError::Foreign);
        }
        let (reader, writer) = stream.into_split();
        let codec = LinesCodec::new_with_max_length(RECORD_MAX_BYTES);
        let mut lines = FramedRead::new(reader, codec);
        let first =
            timeout(PATIENCE, line(&mut lines)).await.map_err(|_| ClientError::Silent)??;
        let hello = greeting(&first)?;
        Ok(Self { lines, writer, hello, requests: 0, early: VecDeque::new() })
    }

    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Sends a request and waits for its result; what comes meanwhile is kept for `next`.
    pub async fn call<T: DeserializeOwned>(&mut self, request: &Request) -> Result<T, ClientError> {
        let number = self.send(request).await?;
        let answer = timeout(PATIENCE, async {
            loop {
                match self.read().await? {
                    Incoming::Done(done, result) if done == number => {
                        return Ok::<_, ClientError>(result);
                    }
                    other => self.early.push_back(other),
                }
            }
        });
        let result = answer.await.map_err(|_| ClientError::Silent)??;
        let value = result.map_err(ClientError::Refused)?;
        serde_json::from_value(value).map_err(|_| ClientError::Garbled)
    }

    /// Sends a request; its result comes from `next`, under this number.
    pub async fn send(&mut self, request: &Request) -> Result<u64, ClientError> {
        self.requests += 1;
        let line = Line::write(Numbered { id: self.requests, request })
            .map_err(|_| ClientError::Garbled)?;
        self.writer.write_all(line.as_bytes()).await.map_err(ClientError::Io)?;
        Ok(self.requests)
    }

    /// What comes next; notifications of a newer version are skipped. Cancel-safe.
    pub async fn next(&mut self) -> Result<Incoming, ClientError> {
        match self.early.pop_front() {
            Some(early) => Ok(early),
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Result<Incoming, ClientError> {
        loop {
            let text = line(&mut self.lines).await?;
            if let Some(incoming) = incoming(&text)? {
                return Ok(incoming);
            }
        }
    }
}

async fn dial(address: PathBuf) -> Result<UnixStream, ClientError> {
    loop {
        match UnixStream::connect(&address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => tokio::time::sleep(AGAIN).await,
                io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                    return Err(ClientError::Dead);
                }
                _ => return Err(ClientError::Io(error)),
            },
        }
    }
}

async fn line(lines: &mut FramedRead<OwnedReadHalf, LinesCodec>) -> Result<String, ClientError> {
    match lines.next().await {
        Some(Ok(line)) => Ok(line),
        Some(Err(LinesCodecError::MaxLineLengthExceeded)) => Err(ClientError::Garbled),
        Some(Err(LinesCodecError::Io(error))) if error.kind() == io::ErrorKind::InvalidData => {
            Err(ClientError::Garbled)
        }
        Some(Err(LinesCodecError::Io(error))) => Err(ClientError::Io(error)),
        None => Err(ClientError::Closed),
    }
}

/// The first line: `hello`, or why there is none.
fn greeting(text: &str) -> Result<Hello, ClientError> {
    let value: Value = serde_json::from_str(text).map_err(|_| ClientError::Garbled)?;
    if let Ok(error) = serde_json::from_value::<Error>(value["error"].clone()) {
        return Err(ClientError::Refused(error));
    }
    // The number before everything else: another protocol may look different.
    let protocol = value["params"]["protocol"].as_u64().ok_or(ClientError::Garbled)?;
    let protocol = u32::try_from(protocol).map_err(|_| ClientError::Garbled)?;
    if protocol != PROTOCOL {
        return Err(ClientError::Protocol(protocol));
    }
    serde_json::from_value(value["params"].clone()).map_err(|_| ClientError::Garbled)
}

fn incoming(text: &str) -> Result<Option<Incoming>, ClientError> {
    let value: Value = serde_json::from_str(text).map_err(|_| ClientError::Garbled)?;
    if value["jsonrpc"] != VERSION {
        return Err(ClientError::Garbled);
    }
    if value.get("method").is_some() {
        return Ok(serde_json::from_value(value).ok().map(Incoming::Notice));
    }
    let result = match value.get("error") {
        Some(error) => Err(serde_json::from_value(error.clone()).unwrap_or(Error {
            code: code::PARSE,
            message: "an error that cannot be read".into(),
        })),
        None => Ok(value["result"].clone()),
    };
    match value["id"].as_u64() {
        Some(number) => Ok(Some(Incoming::Done(number, result))),
        // An error about the line as such: what was sent is not understood.
        None => result.map(|_| None).map_err(ClientError::Refused),
    }
}
