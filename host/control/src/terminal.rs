//! A connection's client of a session's terminal.
//!
//! Reading and writing are each at their own pace: a terminal that takes no input while nobody reads
//! its output must not hold up that output.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::SessionId;
use domain::terminal::{Size, Terminal, Terminals};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::protocol::{Error, Notice, TERMINAL_INPUT_MAX_BYTES, code};

/// Pieces that wait on either side: enough that nobody waits for a wake-up.
const QUEUE: usize = 4;

/// What the peer does to its terminal.
#[derive(Debug)]
pub(crate) enum Typed {
    Data(Vec<u8>),
    Size(Size),
}

enum Shown {
    Data(Vec<u8>),
    /// With the reason, if it is none that the peer knows.
    Ended(Option<String>),
}

/// Somebody is at the terminal, as long as this is kept.
pub(crate) struct Attached {
    session: SessionId,
    typed: mpsc::Sender<Typed>,
    shown: mpsc::Receiver<Shown>,
    _task: AbortOnDropHandle<()>,
}

impl Attached {
    pub fn new(session: SessionId, terminals: Arc<dyn Terminals>, size: Size) -> Self {
        let (typed, inputs) = mpsc::channel(QUEUE);
        let (outputs, shown) = mpsc::channel(QUEUE);
        let task = tokio::spawn(async move {
            let reason = match terminals.attach(size).await {
                Ok(terminal) => {
                    join(terminal.as_ref(), inputs, &outputs).await;
                    None
                }
                Err(error) => Some(error.to_string()),
            };
            // The peer may be gone first.
            let _ = outputs.send(Shown::Ended(reason)).await;
        });
        Self { session, typed, shown, _task: AbortOnDropHandle::new(task) }
    }

    /// Where input goes.
    pub fn input(&self) -> mpsc::Sender<Typed> {
        self.typed.clone()
    }

    /// What the peer is shown next, and whether that is the last of it. Cancel-safe.
    pub async fn next(&mut self) -> (Notice, bool) {
        let session = self.session.clone();
        match self.shown.recv().await {
            Some(Shown::Data(data)) => {
                (Notice::TerminalOutput { session, data: STANDARD.encode(data) }, false)
            }
            Some(Shown::Ended(reason)) => (Notice::TerminalEnded { session, reason }, true),
            None => (Notice::TerminalEnded { session, reason: None }, true),
        }
    }
}

/// Until the terminal or the peer is gone.
async fn join(
    terminal: &dyn Terminal,
    mut inputs: mpsc::Receiver<Typed>,
    outputs: &mpsc::Sender<Shown>,
) {
    let reading = async {
        loop {
            let data = terminal.read().await;
            if data.is_empty() || outputs.send(Shown::Data(data)).await.is_err() {
                return;
            }
        }
    };
    let writing = async {
        while let Some(typed) = inputs.recv().await {
            match typed {
                Typed::Data(data) => terminal.write(&data).await,
                Typed::Size(size) => terminal.resize(size).await,
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}

/// The bytes of `data`.
pub(crate) fn decode(data: &str) -> Result<Vec<u8>, Error> {
    let invalid = |message| Error { code: code::INVALID_PARAMS, message };
    let bytes = STANDARD.decode(data).map_err(|e| invalid(format!("`data` is no Base64: {e}")))?;
    if bytes.len() > TERMINAL_INPUT_MAX_BYTES {
        return Err(invalid(format!("`data` has at most {TERMINAL_INPUT_MAX_BYTES} bytes")));
    }
    Ok(bytes)
}

/// The bytes of a terminal's output, as a client gets them.
pub fn output(data: &str) -> Option<Vec<u8>> {
    STANDARD.decode(data).ok()
}

/// What is typed, as a client sends it.
pub fn input(data: &[u8]) -> String {
    STANDARD.encode(data)
}

/// An answer that waits until the terminal takes what it is about.
pub(crate) struct Pending {
    pub id: Option<Value>,
    pub typed: Typed,
    pub input: mpsc::Sender<Typed>,
}

impl Pending {
    /// Waits until there is room. Cancel-safe: nothing is handed over before that.
    pub async fn room(&self) {
        // A closed queue is room, too: what is typed there is lost.
        let _ = self.input.reserve().await;
    }

    /// Hands it over; [`Pending::room`] came before.
    pub fn send(self) -> Option<Value> {
        let _ = self.input.try_send(self.typed);
        self.id
    }
}
