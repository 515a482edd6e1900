//! Programs that connected to `XCLAW_SOCKET`. Their bytes go to the host as they are: who may do what, and
//! what they mean, is decided there.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use machine_protocol::{MAX_CONNECTIONS, MAX_DATA, WINDOW};
use rustix::event::PollFlags;
use rustix::io::Errno;

use super::window::{Overrun, Taken, Window};

/// How long a program may take to read its last answer after the host closed the connection.
const CLOSING: Duration = Duration::from_secs(2);

struct Connection {
    stream: UnixStream,
    /// Bytes that the host takes.
    allowed: u64,
    /// It sends no more, but may still read.
    sent_all: bool,
    /// It went, and what it sent before is not all read: the host must allow more first.
    left: bool,
    window: Window,
    /// The host closed it: gone when everything is written, or then.
    close_at: Option<Instant>,
}

/// News for the host.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    Data(Vec<u8>),
    Taken(u32),
    Closed,
}

pub struct Connections {
    listener: UnixListener,
    open: BTreeMap<u32, Connection>,
    next: u32,
}

impl Connections {
    pub fn listen(socket: &Path) -> io::Result<Self> {
        Ok(Self { listener: listen(socket)?, open: BTreeMap::new(), next: 0 })
    }

    /// The listener, unless there are as many connections as there may be.
    pub fn listener(&self) -> Option<BorrowedFd<'_>> {
        (self.open.len() < MAX_CONNECTIONS).then(|| self.listener.as_fd())
    }

    /// Each connection with what to wait for. A hang-up comes unasked.
    pub fn wanted(
        &self,
        takes_data: bool,
    ) -> impl Iterator<Item = (u32, BorrowedFd<'_>, PollFlags)> {
        self.open.iter().filter_map(move |(id, connection)| {
            let mut flags = PollFlags::empty();
            let reads = takes_data && connection.allowed > 0 && connection.close_at.is_none();
            flags.set(PollFlags::IN, reads && !connection.sent_all);
            flags.set(PollFlags::OUT, !connection.window.is_empty());
            (!connection.left || flags.contains(PollFlags::IN))
                .then(|| (*id, connection.stream.as_fd(), flags))
        })
    }

    /// Takes one that waits; its id.
    pub fn accept(&mut self) -> Option<u32> {
        let (stream, _) = self.listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        while self.open.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let window = Window::default();
        let allowed = WINDOW.into();
        let connection =
            Connection { stream, allowed, sent_all: false, left: false, window, close_at: None };
        self.open.insert(id, connection);
        Some(id)
    }

    /// Does what `ready` says can be done.
    pub fn tend(&mut self, id: u32, ready: PollFlags) -> Vec<News> {
        let mut news = Vec::new();
        let Some(connection) = self.open.get_mut(&id) else { return news };
        let mut gone = false;
        if ready.contains(PollFlags::IN) {
            gone = !connection.read(&mut news);
        }
        if ready.contains(PollFlags::OUT) {
            gone |= !connection.write(&mut news);
        }
        if ready.intersects(PollFlags::HUP | PollFlags::ERR) {
            // What it sent before it went shall not be lost.
            connection.left = !connection.sent_all && connection.has_unread();
            gone |= !connection.left;
        }
        if gone || connection.is_done() {
            self.open.remove(&id);
            news.push(News::Closed);
        }
        news
    }

    pub fn push(&mut self, id: u32, data: &[u8]) -> Result<(), Overrun> {
        self.open.get_mut(&id).map_or(Ok(()), |connection| connection.window.push(data))
    }

    pub fn allow(&mut self, id: u32, bytes: u32) {
        if let Some(connection) = self.open.get_mut(&id) {
            connection.allowed = connection.allowed.saturating_add(bytes.into());
        }
    }

    /// Whether it is closed at once; later that is news.
    pub fn close(&mut self, id: u32, now: Instant) -> bool {
        let Some(connection) = self.open.get_mut(&id) else { return false };
        connection.close_at.get_or_insert(now + CLOSING);
        let done = connection.is_done();
        if done {
            self.open.remove(&id);
        }
        done
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.open.values().filter_map(|connection| connection.close_at).min()
    }

    /// Closes those that did not read their last answer; their ids.
    pub fn close_overdue(&mut self, now: Instant) -> Vec<u32> {
        let overdue = |connection: &Connection| connection.close_at.is_some_and(|at| now >= at);
        let ids: Vec<_> = self.open.iter().filter(|(_, c)| overdue(c)).map(|(id, _)| *id).collect();
        self.open.retain(|id, _| !ids.contains(id));
        ids
    }
}

impl Connection {
    fn is_done(&self) -> bool {
        self.close_at.is_some() && self.window.is_empty()
    }

    fn has_unread(&self) -> bool {
        rustix::io::ioctl_fionread(&self.stream).is_ok_and(|bytes| bytes > 0)
    }

    /// Whether it is still there.
    fn read(&mut self, news: &mut Vec<News>) -> bool {
        let most = usize::try_from(self.allowed).unwrap_or(MAX_DATA).min(MAX_DATA);
        let mut data = vec![0; most];
        match rustix::io::read(&self.stream, &mut data[..]) {
            Ok(0) => self.sent_all = true,
            Ok(count) => {
                data.truncate(count);
                self.allowed -= count as u64;
                news.push(News::Data(data));
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return false,
        }
        true
    }

    /// Whether it is still there.
    fn write(&mut self, news: &mut Vec<News>) -> bool {
        match self.window.write(&self.stream) {
            Taken::Bytes(0) => true,
            Taken::Bytes(count) => {
                news.push(News::Taken(count));
                true
            }
            Taken::Broken => false,
        }
    }
}

/// A socket at `path`, in place of one that an earlier agent left.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
