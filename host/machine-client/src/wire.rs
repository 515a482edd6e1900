//! The task that carries messages: the only place that reads and writes the stream.
//!
//! It reads whether or not the guest takes what it is sent, and writes whether or not there is something to
//! read, so the two never wait for each other.

use std::io;
use std::sync::Arc;

use machine_protocol::{Decoder, Event, FrameError};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf,
};

use crate::client::OnConnection;
use crate::connection::Connection;
use crate::error::Ended;
use crate::shared::Shared;
use crate::state::News;

/// Bytes read at once: one message with data.
const READ: usize = 64 << 10;

/// Serves the stream until its end; then everybody who waits is told.
pub fn serve(
    stream: impl AsyncRead + AsyncWrite + Send,
    shared: Arc<Shared>,
    on_connection: OnConnection,
) -> impl Future<Output = ()> + Send {
    // Not in the future: it may be dropped before it ran at all.
    let guard = Guard(Arc::clone(&shared));
    let (reader, writer) = tokio::io::split(stream);
    let wire = Wire {
        reader,
        writer,
        decoder: Decoder::default(),
        out: Vec::new(),
        written: 0,
        unflushed: false,
        shared,
        on_connection,
    };
    async move {
        let ended = wire.run().await;
        tracing::debug!(%ended, "the machine's agent is not spoken to any more");
        guard.0.lock().end(ended);
    }
}

/// Tells everybody also when this task is dropped with its runtime, or panics.
struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.lock().end(Ended::Stopped);
    }
}

struct Wire<S> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    decoder: Decoder,
    /// Whole messages on their way, and how much of them is written.
    out: Vec<u8>,
    written: usize,
    unflushed: bool,
    shared: Arc<Shared>,
    on_connection: OnConnection,
}

impl<S: AsyncRead + AsyncWrite> Wire<S> {
    async fn run(mut self) -> Ended {
        let mut buffer = vec![0; READ];
        loop {
            match self.step(&mut buffer).await {
                Ok(()) => {}
                Err(ended) => return ended,
            }
        }
    }

    /// Does one thing of those that can be done, or waits for one.
    async fn step(&mut self, buffer: &mut [u8]) -> Result<(), Ended> {
        // A guest that always has something must not keep this thread to itself.
        tokio::task::consume_budget().await;
        if self.out.is_empty() {
            self.fill()?;
        }
        let idle = self.out.is_empty();
        if idle && !self.unflushed && self.shared.lock().is_done() {
            return Err(Ended::Stopped);
        }
        let Self { reader, writer, out, written, shared, .. } = self;
        tokio::select! {
            read = reader.read(buffer) => {
                let size = read.map_err(broken)?;
                self.read(&buffer[..size])
            }
            wrote = write(writer, &out[*written..]), if !idle || self.unflushed => match wrote {
                Ok(size) => {
                    self.wrote(size);
                    Ok(())
                }
                Err(error) => Err(self.rest(buffer, error).await),
            },
            () = shared.wake.notified(), if idle => Ok(()),
        }
    }

    fn fill(&mut self) -> Result<(), Ended> {
        let filled = self.shared.lock().requests(&mut self.out);
        filled.map_err(|error| Ended::Protocol(error.to_string()))
    }

    fn wrote(&mut self, size: usize) {
        self.written += size;
        self.unflushed = size > 0;
        if self.written == self.out.len() {
            self.start_over();
        }
    }

    /// What comes next to be written is the beginning of a message.
    fn start_over(&mut self) {
        self.out.clear();
        self.written = 0;
    }

    /// Does what came.
    fn read(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        if bytes.is_empty() {
            return Err(Ended::Closed);
        }
        self.decoder.push(bytes);
        while let Some(event) = self.message()? {
            match self.shared.change(|state| state.event(event))? {
                News::Nothing => {}
                News::Hello => self.start_over(),
                News::Connected(key) => {
                    (self.on_connection)(Connection::new(Arc::clone(&self.shared), key));
                }
            }
        }
        Ok(())
    }

    fn message(&mut self) -> Result<Option<Event>, Ended> {
        self.decoder.message().map_err(|error: FrameError| Ended::Protocol(error.to_string()))
    }

    /// Nothing can be written any more. What had come before that is read, then that is the end.
    async fn rest(&mut self, buffer: &mut [u8], error: io::Error) -> Ended {
        loop {
            let read = tokio::select! {
                biased;
                read = self.reader.read(buffer) => read,
                () = std::future::ready(()) => return broken(error),
            };
            let ended = match read {
                Ok(size) => self.read(&buffer[..size]).err(),
                Err(error) => Some(broken(error)),
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }
}

/// Writes some of `bytes`, or, when there are none, sees to it that what was written is on its way. Like
/// both, it has done nothing when it is dropped before its end.
async fn write(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<usize> {
    if bytes.is_empty() {
        return writer.flush().await.map(|()| 0);
    }
    match writer.write(bytes).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        size => Ok(size),
    }
}

fn broken(error: io::Error) -> Ended {
    Ended::Stream(Arc::new(error))
}
