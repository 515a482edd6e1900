//! `xpressclaw:xclaw/log`, and a guest's stdout and stderr, which go the same way.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bindings::xclaw::log as wit;
use domain::limits::{LOG_LINE_MAX_BYTES, LOG_LINES_PER_MINUTE};
use domain::{AgentName, SessionId};
use store::Store;
use store::log::Level;
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use crate::{VerbsView, now_ms};

const MINUTE: Duration = Duration::from_secs(60);

/// The log of one session, limited in rate. Cloning shares it.
#[derive(Clone)]
pub struct Lines(Arc<Inner>);

struct Inner {
    store: Store,
    agent: AgentName,
    session: SessionId,
    rate: Mutex<Rate>,
}

struct Rate {
    since: Instant,
    lines: u32,
    dropped: u64,
}

impl Lines {
    pub fn new(store: Store, agent: AgentName, session: SessionId) -> Self {
        let rate = Mutex::new(Rate { since: Instant::now(), lines: 0, dropped: 0 });
        Self(Arc::new(Inner { store, agent, session, rate }))
    }

    /// Writes a line, or drops and counts it when there are too many. Never fails: a log that
    /// cannot be written is the host's trouble, not the guest's.
    pub fn write(&self, level: Level, message: &str) {
        let dropped = {
            let mut rate = self.0.rate.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = rate.since.elapsed() >= MINUTE;
            let dropped = if fresh {
                let dropped = rate.dropped;
                *rate = Rate { since: Instant::now(), lines: 0, dropped: 0 };
                dropped
            } else {
                0
            };
            if rate.lines >= LOG_LINES_PER_MINUTE {
                rate.dropped += 1;
                return;
            }
            rate.lines += 1;
            dropped
        };
        self.0.tell(dropped);
        self.0.append(level, message);
    }
}

impl Inner {
    fn tell(&self, dropped: u64) {
        if dropped > 0 {
            self.append(Level::Warn, &format!("{dropped} lines were dropped: too many a minute"));
        }
    }

    fn append(&self, level: Level, message: &str) {
        let Self { store, agent, session, .. } = self;
        if let Err(error) = store.log().append(agent, Some(session), level, message, now_ms()) {
            tracing::error!(%error, "a log line was lost");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let rate = self.rate.get_mut().unwrap_or_else(PoisonError::into_inner);
        let dropped = std::mem::take(&mut rate.dropped);
        self.tell(dropped);
    }
}

impl wit::Host for VerbsView<'_> {
    async fn write(&mut self, level: wit::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            wit::Level::Trace => Level::Trace,
            wit::Level::Debug => Level::Debug,
            wit::Level::Info => Level::Info,
            wit::Level::Warn => Level::Warn,
            wit::Level::Error => Level::Error,
        };
        self.0.lines.write(level, &message);
        Ok(())
    }
}

/// A guest's stdout or stderr as an async writer: each line becomes a log line, a longer one than
/// the log keeps becomes several.
pub struct GuestOutput {
    lines: Lines,
    level: Level,
    pending: Vec<u8>,
}

impl GuestOutput {
    pub fn new(lines: Lines, level: Level) -> Self {
        Self { lines, level, pending: Vec::new() }
    }

    /// Writes the first `end` pending bytes as a line.
    fn take(&mut self, end: usize) {
        let line = self.pending.get(..end).unwrap_or(&self.pending);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            self.lines.write(self.level, &String::from_utf8_lossy(line));
        }
        self.pending.drain(..end.min(self.pending.len()));
    }

    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = LOG_LINE_MAX_BYTES - self.pending.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            let newline = now.iter().position(|byte| *byte == b'\n');
            self.pending.extend_from_slice(&now[..newline.unwrap_or(now.len())]);
            bytes = match newline {
                Some(at) => {
                    self.take(self.pending.len());
                    &bytes[at + 1..]
                }
                None => later,
            };
            if self.pending.len() == LOG_LINE_MAX_BYTES {
                self.take(whole_characters(&self.pending));
            }
        }
    }
}

/// Where to cut bytes so that a character at their end is not torn apart.
fn whole_characters(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        // An invalid end of one to three bytes may be the beginning of a character.
        Some(last) if last.invalid().len() < bytes.len() => bytes.len() - last.invalid().len(),
        _ => bytes.len(),
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.add(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let end = self.pending.len();
        self.take(end);
        Poll::Ready(Ok(()))
    }
}

impl Drop for GuestOutput {
    fn drop(&mut self) {
        self.take(self.pending.len());
    }
}
