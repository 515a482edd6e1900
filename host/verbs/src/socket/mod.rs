//! The verbs for programs inside the machine: JSON-RPC 2.0, one object a line.
//!
//! The wire contract is `docs/xclaw-socket.md`. Whoever holds the connection is the agent whose machine
//! it comes from; nothing that is read here says who calls. Called by the session for each connection that
//! the machine's agent reports. A guest may send anything: a line, the requests under way and with them
//! memory are bounded, and what is no request is answered, never a panic.

mod method;
mod wire;

use std::io;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use harness::TurnHandle;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, FramedRead};

use crate::{VerbsCtx, VerbsView};
use wire::{Failure, Request};

/// Bytes of a line: the longest value that a verb takes (64 KiB) fits with each byte escaped in six,
/// twice over.
const LINE_MAX_BYTES: usize = 1 << 20;

/// Requests under way on one connection: each may hold a line, and a question to the user.
const REQUESTS_MAX: usize = 16;

/// What a connection acts with. Cloning shares it.
#[derive(Clone)]
pub struct Door {
    ctx: VerbsCtx,
    turn: TurnHandle,
}

impl Door {
    /// For the machine of the session that `ctx` belongs to; a request belongs to the turn that runs
    /// when it comes.
    pub fn new(ctx: VerbsCtx, turn: TurnHandle) -> Self {
        Self { ctx, turn }
    }

    /// Answers one connection until its end. What is under way then is withdrawn, as it is when the
    /// future is dropped.
    ///
    /// # Errors
    /// The stream failed.
    pub async fn serve(self, stream: impl AsyncRead + AsyncWrite) -> io::Result<()> {
        let (reader, mut writer) = tokio::io::split(stream);
        let newline = || b"\n".to_vec();
        let codec = AnyDelimiterCodec::new_with_max_length(newline(), newline(), LINE_MAX_BYTES);
        let mut lines = FramedRead::new(reader, codec);
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some::<Vec<u8>>(answer) = under_way.next() => writer.write_all(&answer).await?,
                line = lines.next(), if under_way.len() < REQUESTS_MAX => match line {
                    None => return Ok(()),
                    Some(Ok(line)) => under_way.push(self.clone().answer(line)),
                    Some(Err(AnyDelimiterCodecError::Io(error))) => return Err(error),
                    Some(Err(AnyDelimiterCodecError::MaxChunkLengthExceeded)) => {
                        let failure = Failure::request(format!("a line has at most {LINE_MAX_BYTES} bytes"));
                        writer.write_all(&wire::answer(None, Err(failure))).await?;
                        return writer.shutdown().await;
                    }
                },
            }
        }
    }

    /// The line that answers this one; empty where none is wanted.
    async fn answer(mut self, line: Bytes) -> Vec<u8> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Vec::new();
        }
        let Request { id, method, params } = match Request::parse(&line) {
            Ok(request) => request,
            Err(failure) => return wire::answer(None, Err(failure)),
        };
        self.ctx.cancellation = self.turn.cancellation();
        let result = method::call(&mut VerbsView(&mut self.ctx), &method, params).await;
        match id {
            Some(id) => wire::answer(Some(id), result),
            None => Vec::new(),
        }
    }
}
