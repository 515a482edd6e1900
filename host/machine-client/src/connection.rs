//! A connection of `xclaw`, as a stream.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::shared::Shared;

/// A program in the machine that connected to `XCLAW_SOCKET`. Reading ends when it went; a program that
/// only stopped sending is not told of. Shutting down closes the connection after what was written, and so
/// does dropping. Errors: the program went (writing), or the machine or its agent did.
#[derive(Debug)]
pub struct Connection {
    shared: Arc<Shared>,
    key: u64,
}

impl Connection {
    pub(crate) fn new(shared: Arc<Shared>, key: u64) -> Self {
        Self { shared, key }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.shared.change(|state| state.poll_read(self.key, cx, into))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.shared.change(|state| state.poll_write(self.key, cx, data))
    }

    /// What was written is on its way.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.change(|state| state.close_connection(self.key));
        Poll::Ready(Ok(()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.change(|state| state.drop_connection(self.key));
    }
}
