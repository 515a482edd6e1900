//! What the agent waits for.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use machine_protocol::Stream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{Agent, AgentError};
use crate::tree::PURSUIT_PAUSE;

/// Who is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Host,
    /// A child ended.
    Ended,
    Output(u32, Stream),
    Input(u32),
    Listener,
    Connection(u32),
    MirrorListener,
    Window,
}

impl Agent {
    /// Who is ready, and for what; nobody when only time passed.
    pub(super) fn wait(&self) -> Result<Vec<(Source, PollFlags)>, AgentError> {
        let wanted = self.wanted();
        let mut fds: Vec<_> =
            wanted.iter().map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        match poll(&mut fds, self.patience().as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(Vec::new()),
            Err(error) => return Err(AgentError::Wait(error)),
        }
        let ready = wanted.iter().zip(&fds).map(|((source, ..), fd)| (*source, fd.revents()));
        Ok(ready.filter(|(_, ready)| !ready.is_empty()).collect())
    }

    fn wanted(&self) -> Vec<(Source, BorrowedFd<'_>, PollFlags)> {
        let out_if = |pending| if pending { PollFlags::OUT } else { PollFlags::empty() };
        let takes_data = self.host.takes_data();
        let mut host = out_if(!self.host.is_flushed());
        host.set(PollFlags::IN, self.host.takes_requests());
        let mut wanted = vec![
            (Source::Host, self.host.fd(), host),
            (Source::Ended, self.ended.as_fd(), PollFlags::IN),
            (Source::MirrorListener, self.mirror.listener(), PollFlags::IN),
        ];
        if let Some((window, pending)) = self.mirror.window() {
            wanted.push((Source::Window, window, out_if(pending)));
        }
        if let Some(listener) = self.connections.listener() {
            wanted.push((Source::Listener, listener, PollFlags::IN));
        }
        for (id, fd, flags) in self.connections.wanted(takes_data) {
            wanted.push((Source::Connection(id), fd, flags));
        }
        for (&id, process) in &self.processes {
            if takes_data {
                for (stream, fd) in process.readable() {
                    wanted.push((Source::Output(id, stream), fd, PollFlags::IN));
                }
            }
            if let Some((fd, pending)) = process.writable() {
                wanted.push((Source::Input(id), fd, out_if(pending)));
            }
        }
        wanted
    }

    /// How long at most.
    fn patience(&self) -> Option<Timespec> {
        let now = Instant::now();
        let pursuit = self.trees.is_pursuing().then(|| now + PURSUIT_PAUSE);
        let processes = self.processes.values().filter_map(|process| process.next_deadline());
        let until = processes.chain(pursuit).chain(self.connections.next_deadline()).min()?;
        let rest = until.saturating_duration_since(now);
        Some(Timespec {
            tv_sec: i64::try_from(rest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: rest.subsec_nanos().into(),
        })
    }
}
