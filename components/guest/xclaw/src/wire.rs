//! One request and its answer on the socket.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use crate::request::Request;

/// Of the only request on the connection.
const ID: u32 = 1;

/// What the host answered.
#[derive(Debug)]
pub enum Answer {
    Result(Value),
    /// For a person.
    Error(String),
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    #[error("XCLAW_SOCKET is not set: is this a machine?")]
    NoSocket,
    #[error("cannot connect to {0}")]
    Connect(String, #[source] io::Error),
    #[error("the connection broke")]
    Broken(#[source] io::Error),
    #[error("the host closed the connection without an answer")]
    Closed,
    #[error("the host answered what is no answer")]
    Malformed,
}

/// Sends `request` and waits for its answer, however long that takes.
pub fn call(socket: Option<OsString>, request: &Request) -> Result<Answer, TransportError> {
    let socket = socket.filter(|socket| !socket.is_empty()).ok_or(TransportError::NoSocket)?;
    let mut stream = UnixStream::connect(&socket)
        .map_err(|error| TransportError::Connect(socket.display().to_string(), error))?;
    let Request { method, params } = request;
    let line = json!({"jsonrpc": "2.0", "id": ID, "method": method, "params": params});
    // A host that refuses a line may close before it read all of it; the answer is there nevertheless.
    let sent = stream.write_all(format!("{line}\n").as_bytes());
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) => return sent.map_err(TransportError::Broken).and(Err(TransportError::Closed)),
            Ok(_) => {}
            Err(error) => return Err(TransportError::Broken(error)),
        }
        let value: Value = serde_json::from_slice(&line).map_err(|_| TransportError::Malformed)?;
        // One without an id is about a line that the host could not read.
        if value["id"] == json!(ID) || value["id"].is_null() {
            return answer(&value);
        }
    }
}

fn answer(value: &Value) -> Result<Answer, TransportError> {
    if let Some(result) = value.get("result") {
        return Ok(Answer::Result(result.clone()));
    }
    let error = value.get("error").ok_or(TransportError::Malformed)?;
    let message = error["message"].as_str().ok_or(TransportError::Malformed)?;
    Ok(Answer::Error(match error["data"]["kind"].as_str() {
        Some(kind) => format!("{message} ({kind})"),
        None => message.to_owned(),
    }))
}
