//! JSON-RPC 2.0's objects (<https://www.jsonrpc.org/specification>), as far as `docs/xclaw-socket.md`
//! has them.

use bindings::xclaw::types::Error;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Told apart by the client alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(i64),
    Text(String),
}

pub(super) struct Request {
    /// None: a notification, which nobody wants answered.
    pub id: Option<Id>,
    pub method: String,
    pub params: Map<String, Value>,
}

/// As it is on the wire. Other members are ignored, as they would be in a later version.
#[derive(Deserialize)]
struct Envelope {
    jsonrpc: String,
    #[serde(default, deserialize_with = "present")]
    id: Option<Id>,
    method: String,
    #[serde(default)]
    params: Map<String, Value>,
}

/// `null` is no id, and not the same as none.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Id>, D::Error> {
    Id::deserialize(from).map(Some)
}

impl Request {
    pub fn parse(line: &[u8]) -> Result<Self, Failure> {
        let value: Value = serde_json::from_slice(line).map_err(|error| Failure {
            code: -32700,
            kind: None,
            message: format!("not JSON: {error}"),
        })?;
        if !value.is_object() {
            let what = "a request is one JSON object on one line; batches are not supported";
            return Err(Failure::request(what.into()));
        }
        let envelope: Envelope = serde_json::from_value(value)
            .map_err(|error| Failure::request(format!("not a JSON-RPC request: {error}")))?;
        let Envelope { jsonrpc, id, method, params } = envelope;
        if jsonrpc != "2.0" {
            return Err(Failure::request("`jsonrpc` must be \"2.0\"".into()));
        }
        Ok(Self { id, method, params })
    }
}

/// Why a request was not done.
pub(super) struct Failure {
    code: i32,
    kind: Option<&'static str>,
    message: String,
}

impl Failure {
    /// It is none.
    pub fn request(message: String) -> Self {
        Self { code: -32600, kind: None, message }
    }

    pub fn method(name: &str) -> Self {
        Self { code: -32601, kind: None, message: format!("there is no method `{name}`") }
    }

    pub fn params(error: &serde_json::Error) -> Self {
        Self { code: -32602, kind: Some("invalid"), message: error.to_string() }
    }

    /// A broken invariant of the host; the details are in its log.
    pub fn host() -> Self {
        Self { code: -32000, kind: Some("other"), message: "the host failed".into() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (code, kind, message) = match error {
            Error::Invalid(text) => (-32602, "invalid", text),
            Error::NotFound(text) => (-32001, "not-found", text),
            Error::Denied(text) => (-32002, "denied", text),
            Error::Cancelled => (-32003, "cancelled", "the turn was cancelled".into()),
            Error::Other(text) => (-32000, "other", text),
        };
        Self { code, kind: Some(kind), message }
    }
}

/// A line with its end. `None` as an id is JSON-RPC's `null`: it is not known which request this is.
pub(super) fn answer(id: Option<Id>, result: Result<Value, Failure>) -> Vec<u8> {
    let line = match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(Failure { code, kind, message }) => {
            let mut error = json!({"code": code, "message": message});
            if let Some(kind) = kind {
                error["data"] = json!({"kind": kind});
            }
            json!({"jsonrpc": "2.0", "id": id, "error": error})
        }
    };
    format!("{line}\n").into_bytes()
}
