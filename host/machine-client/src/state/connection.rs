//! One connection of `xclaw`: bytes both ways, and which side closed it.

use std::collections::VecDeque;
use std::io;
use std::task::{Context, Poll, Waker};

use machine_protocol::Request;
use tokio::io::ReadBuf;

use super::flow::{Inflow, Outflow, Overrun};
use super::front;

/// What became of the program's side.
#[derive(Debug, PartialEq, Eq)]
enum Theirs {
    Open,
    Closed,
    /// It went with something else, or was given up.
    Lost(String),
}

#[derive(Debug, PartialEq, Eq)]
enum Ours {
    Open,
    /// The guest is to be told after what was written.
    Closing,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handle {
    Held,
    Dropped,
}

#[derive(Debug)]
pub struct Connection {
    pub id: u32,
    theirs: Theirs,
    ours: Ours,
    handle: Handle,
    data: VecDeque<u8>,
    inflow: Inflow,
    outflow: Outflow,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Connection {
    pub fn new(id: u32) -> Self {
        Self {
            id,
            theirs: Theirs::Open,
            ours: Ours::Open,
            handle: Handle::Held,
            data: VecDeque::new(),
            inflow: Inflow::default(),
            outflow: Outflow::default(),
            reader: None,
            writer: None,
        }
    }

    /// Whether the guest may speak of it.
    pub fn is_open(&self) -> bool {
        self.theirs == Theirs::Open
    }

    /// Whether the program went and the host has not closed its side.
    pub fn lingers(&self) -> bool {
        self.theirs == Theirs::Closed && self.ours == Ours::Open
    }

    /// Whether both sides have closed it, so that the guest may use its id again.
    pub fn is_free(&self) -> bool {
        self.theirs != Theirs::Open && self.ours == Ours::Closed
    }

    /// Whether nobody will ask for it and the guest is owed nothing.
    pub fn is_forgotten(&self) -> bool {
        self.handle == Handle::Dropped && self.is_free()
    }

    pub fn on_data(&mut self, data: &[u8]) -> Result<(), Overrun> {
        self.inflow.arrived(data.len())?;
        if self.handle == Handle::Held {
            self.data.extend(data);
            wake(&mut self.reader);
        }
        Ok(())
    }

    pub fn on_taken(&mut self, bytes: u32) -> Result<(), Overrun> {
        self.outflow.taken(bytes)?;
        wake(&mut self.writer);
        Ok(())
    }

    pub fn on_closed(&mut self) {
        self.finish(Theirs::Closed);
    }

    /// Gone with whatever carried it. What it had sent can be read before that is told.
    pub fn lose(&mut self, reason: &str) {
        if self.is_free() {
            return;
        }
        self.ours = Ours::Closed;
        if !matches!(self.theirs, Theirs::Lost(_)) {
            self.finish(Theirs::Lost(reason.into()));
        }
    }

    /// What it had sent is thrown away, too; the guest is told that the host closed it.
    pub fn give_up(&mut self, reason: &str) {
        self.data = VecDeque::new();
        self.close();
        self.finish(Theirs::Lost(reason.into()));
    }

    fn finish(&mut self, theirs: Theirs) {
        self.theirs = theirs;
        self.outflow.clear();
        wake(&mut self.reader);
        wake(&mut self.writer);
    }

    /// The host's side is closed after what was written.
    pub fn close(&mut self) {
        if self.ours == Ours::Open {
            self.ours = Ours::Closing;
        }
    }

    pub fn leave(&mut self) {
        self.handle = Handle::Dropped;
        self.data = VecDeque::new();
        self.close();
    }

    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let size = front::move_into(&mut self.data, into);
        if size > 0 {
            self.inflow.consumed(size);
            return Poll::Ready(Ok(()));
        }
        match &self.theirs {
            Theirs::Open if into.remaining() > 0 => {
                self.reader = Some(cx.waker().clone());
                Poll::Pending
            }
            Theirs::Open | Theirs::Closed => Poll::Ready(Ok(())),
            Theirs::Lost(reason) => Poll::Ready(Err(lost(reason))),
        }
    }

    pub fn poll_write(&mut self, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match &self.theirs {
            Theirs::Lost(reason) => return Poll::Ready(Err(lost(reason))),
            Theirs::Closed => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Theirs::Open if self.ours != Ours::Open => {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            Theirs::Open => {}
        }
        let size = self.outflow.push(data);
        if size == 0 && !data.is_empty() {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(size))
    }

    pub fn has_requests(&self) -> bool {
        match (&self.theirs, &self.ours) {
            (_, Ours::Closed) => false,
            (_, Ours::Closing) => true,
            (Theirs::Open, Ours::Open) => !self.outflow.is_empty() || self.inflow.is_due(),
            (Theirs::Closed | Theirs::Lost(_), Ours::Open) => false,
        }
    }

    /// The next message about it.
    pub fn request(&mut self) -> Option<Request> {
        let connection = self.id;
        if !self.has_requests() {
            return None;
        }
        if let Some(data) = self.outflow.take() {
            return Some(Request::Data { connection, data });
        }
        if self.ours == Ours::Closing {
            self.ours = Ours::Closed;
            return Some(Request::Close { connection });
        }
        self.inflow.take().map(|bytes| Request::AllowData { connection, bytes })
    }
}

fn lost(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, reason.to_owned())
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
