//! One connection: requests are answered in their order, and what is watched comes between.
//!
//! While a peer does not read, it is not read from either: it holds up nobody but itself.

use futures::StreamExt;
use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::sync::CancellationToken;

use crate::board::{Board, Watching};
use crate::feed::Seen;
use crate::methods::{self, Done, Open};
use crate::protocol::{Error, Hello, Line, Notice, REQUEST_MAX_BYTES, Request, VERSION, code};
use crate::terminal::{Attached, Pending};

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub pid: Option<i32>,
}

impl Peer {
    /// For people and the audit: the kernel's word, not the peer's.
    pub fn name(self) -> String {
        match self.pid {
            Some(pid) => format!("attach (pid {pid})"),
            None => "attach".into(),
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Value,
    result: Value,
}

#[derive(Serialize)]
struct Failure<'a> {
    id: Option<&'a Value>,
    error: Error,
}

/// A line with an error.
pub(crate) fn failure(id: Option<&Value>, code: i64, message: impl Into<String>) -> String {
    Line::write(Failure { id, error: Error { code, message: message.into() } }).unwrap_or_default()
}

/// Serves until the peer leaves, until it breaks the protocol, or until `stop`, and then sends
/// what is left of a session that ended.
pub(crate) async fn serve(
    stream: UnixStream,
    peer: Peer,
    board: &Board,
    hello: Hello,
    stop: CancellationToken,
) {
    let (reader, mut writer) = stream.into_split();
    let codec = LinesCodec::new_with_max_length(REQUEST_MAX_BYTES);
    let mut lines = FramedRead::new(reader, codec);
    let mut open = Open::default();
    let mut pending: Option<Pending> = None;
    let greeting = Line::write(Notice::<Value>::Hello(hello)).unwrap_or_default();
    if writer.write_all(greeting.as_bytes()).await.is_err() {
        return;
    }
    loop {
        let out = tokio::select! {
            // Requests first: a cancel must not wait behind a long record.
            biased;
            line = lines.next(), if pending.is_none() => match line {
                None => return,
                Some(Ok(line)) if line.trim().is_empty() => continue,
                Some(Ok(line)) => reply(&line, peer, board, &mut open, &mut pending),
                Some(Err(error)) => {
                    let _ = writer.write_all(unreadable(&error).as_bytes()).await;
                    return;
                }
            },
            () = room(&pending) => match pending.take().and_then(Pending::send) {
                Some(id) => answer(&id, serde_json::json!({})),
                None => continue,
            },
            seen = next(&mut open.watching) => match seen {
                Seen::Line(line) => line.to_string(),
                Seen::Missed(missed) => lagged(open.watching.as_ref(), missed),
                // The connection stays: another session may be asked for.
                Seen::Ended => {
                    open.watching = None;
                    continue;
                }
            },
            (notice, last) = shown(&mut open.terminal) => {
                if last {
                    open.terminal = None;
                }
                Line::write(notice).unwrap_or_default()
            }
            // Who watches sees the end, and a terminal its own.
            () = stop.cancelled(), if open.watching.is_none() && open.terminal.is_none() => return,
        };
        if writer.write_all(out.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn next(watching: &mut Option<Watching>) -> Seen {
    match watching {
        Some(watching) => watching.cursor.next().await,
        None => std::future::pending().await,
    }
}

async fn shown(terminal: &mut Option<Attached>) -> (Notice, bool) {
    match terminal {
        Some(terminal) => terminal.next().await,
        None => std::future::pending().await,
    }
}

async fn room(pending: &Option<Pending>) {
    match pending {
        Some(pending) => pending.room().await,
        None => std::future::pending().await,
    }
}

fn answer(id: &Value, result: Value) -> String {
    Line::write(Answer { id, result }).unwrap_or_default()
}

fn lagged(watching: Option<&Watching>, missed: u64) -> String {
    let Some(session) = watching.map(|watching| watching.session().clone()) else {
        return String::new();
    };
    Line::write(Notice::<Value>::Lagged { session, missed }).unwrap_or_default()
}

fn unreadable(error: &LinesCodecError) -> String {
    let message = match error {
        LinesCodecError::MaxLineLengthExceeded => {
            format!("a line passes {REQUEST_MAX_BYTES} bytes")
        }
        LinesCodecError::Io(_) => "the line is not UTF-8".to_owned(),
    };
    failure(None, code::INVALID_REQUEST, message)
}

/// The answer to one line; nothing for a notification, as JSON-RPC has it, or while it is pending.
fn reply(
    line: &str,
    peer: Peer,
    board: &Board,
    open: &mut Open,
    pending: &mut Option<Pending>,
) -> String {
    let (id, request) = match read(line) {
        Ok(read) => read,
        Err((id, error)) => return failure(id.as_ref(), error.code, error.message),
    };
    match (methods::perform(request, peer, board, open), id) {
        (Ok(Done::Later(typed, input)), id) => {
            *pending = Some(Pending { id, typed, input });
            String::new()
        }
        (_, None) => String::new(),
        (Ok(Done::Now(result)), Some(id)) => answer(&id, result),
        (Err(error), Some(id)) => failure(Some(&id), error.code, error.message),
    }
}

type Unread = (Option<Value>, Error);

fn read(line: &str) -> Result<(Option<Value>, Request), Unread> {
    let error = |code, message: String| Error { code, message };
    let invalid = |text: &str| (None, error(code::INVALID_REQUEST, text.into()));
    let value = serde_json::from_str(line)
        .map_err(|e| (None, error(code::PARSE, format!("the line is no JSON: {e}"))))?;
    let Value::Object(mut object) = value else {
        return Err(invalid("a line is one object; batches are not served"));
    };
    let id = object.remove("id").filter(|id| !id.is_null());
    if id.as_ref().is_some_and(|id| !id.is_string() && !id.is_number()) {
        return Err(invalid("`id` is text or a number"));
    }
    // Left out by many who type; anything else is another protocol.
    if object.remove("jsonrpc").is_some_and(|version| version != VERSION) {
        return Err((id, error(code::INVALID_REQUEST, format!("`jsonrpc` is {VERSION:?}"))));
    }
    let Some(Value::String(method)) = object.get("method") else {
        return Err((id, error(code::INVALID_REQUEST, "`method` is missing".into())));
    };
    if !methods::NAMES.contains(&method.as_str()) {
        let names = methods::NAMES.join(", ");
        let message = format!("no method `{method}`; there are {names}");
        return Err((id, error(code::METHOD_NOT_FOUND, message)));
    }
    if object.get("params").is_none_or(Value::is_null) {
        object.insert("params".into(), Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_value(Value::Object(object)) {
        Ok(request) => Ok((id, request)),
        Err(e) => Err((id, error(code::INVALID_PARAMS, e.to_string()))),
    }
}
