//! The host's end of a computer's port: a stream of bytes in both directions.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::turns::Task;
use crate::wires::Due;

/// The stream. Reading ends when the computer does; writing is then a broken pipe. A guest that sends
/// while nobody reads waits; when this is dropped, what it sends is thrown away.
pub struct Port {
    task: Arc<Task>,
}

impl Port {
    pub(crate) fn new(task: Arc<Task>) -> Self {
        Self { task }
    }
}

impl AsyncRead for Port {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (size, due) = ready!(self.task.wires.poll_read(cx, into.initialize_unfilled()));
        into.advance(size);
        if due == Due::Yes {
            self.task.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Port {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(size) = ready!(self.task.wires.poll_write(cx, bytes)) else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        self.task.wake();
        Poll::Ready(Ok(size))
    }

    /// What was written is on its way.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// A port has no half-closed state.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if self.task.wires.abandon() == Due::Yes {
            self.task.wake();
        }
    }
}
