//! The agent: one loop that waits for the host, for commands, for `xclaw` and for the window, and does one
//! small thing for each that is ready.
//!
//! Why one loop: nothing here computes, so threads would only add orders in which things can happen. It
//! must never block, never hold more of a stream than the protocol's window, and never end but by the
//! host's word or with the host's stream; [`crate::init`] starts it again.

mod channel;
mod connections;
mod mirror;
mod port;
mod process;
mod requests;
mod settings;
mod start;
mod wait;
mod window;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use machine_protocol::{Event, FrameError, VERSION};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, WaitStatus};

use self::channel::Channel;
use self::connections::{Connections, News};
use self::mirror::Mirror;
use self::process::{Process, Read, Shown};
use self::wait::Source;
use self::window::Taken;
use crate::report::say;
use crate::tmux;
use crate::tree::Trees;

pub use self::settings::Settings;

/// What the agent ends with when the machine is to be switched off. Not used by shells or by Rust.
pub const POWER_OFF: u8 = 64;

/// Between two attempts to start tmux: a broken one shall not eat the machine.
const TMUX_PAUSE: Duration = Duration::from_secs(5);

/// Why the agent ends.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("no stream to the host")]
    NoStream(#[source] io::Error),
    #[error("the stream to the host broke")]
    Stream(#[source] Errno),
    #[error("the host is gone")]
    HostGone,
    #[error("the host does not speak the protocol")]
    Frame(#[from] FrameError),
    #[error("the host sent more than it was allowed to")]
    Overrun,
    #[error("cannot set up {0}")]
    SetUp(&'static str, #[source] io::Error),
    #[error("cannot wait")]
    Wait(#[source] Errno),
}

/// What the loop does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Continue,
    PowerOff,
}

pub struct Agent {
    settings: Settings,
    host: Channel,
    /// Readable when a child ended.
    ended: UnixStream,
    processes: BTreeMap<u32, Process>,
    trees: Trees,
    connections: Connections,
    mirror: Mirror,
    /// Not before then is tmux started again.
    tmux_at: Option<Instant>,
}

/// `agent`: until the host says so, or goes.
pub fn main(words: &[OsString]) -> ExitCode {
    let ended = Settings::from_words(words).map_err(say).and_then(|settings| {
        Agent::new(settings).and_then(Agent::run).map_err(|error| {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            say(format_args!("the agent ends: {error}{}", cause.unwrap_or_default()));
        })
    });
    match ended {
        Ok(()) => ExitCode::from(POWER_OFF),
        Err(()) => ExitCode::FAILURE,
    }
}

impl Agent {
    fn new(settings: Settings) -> Result<Self, AgentError> {
        let set_up = |what| move |error| AgentError::SetUp(what, error);
        let (ours, ended) = UnixStream::pair().map_err(set_up("signals"))?;
        ended.set_nonblocking(true).map_err(set_up("signals"))?;
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGCHLD, ours)
            .map_err(set_up("signals"))?;
        // Daemons whose parents ended become children of this process, which waits for them. Where that
        // cannot be, process 1 does.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        fs::create_dir_all(&settings.run).map_err(set_up("its folder"))?;
        let mirror =
            Mirror::listen(&tmux::mirror_socket(&settings.run)).map_err(set_up("the mirror"))?;
        let connections =
            Connections::listen(&settings.around.socket).map_err(set_up("XCLAW_SOCKET"))?;
        let (trees, trouble) = Trees::new(settings.groups.as_deref());
        let mut agent = Self {
            host: Channel::new(port::open(settings.stream)?),
            ended,
            processes: BTreeMap::new(),
            trees,
            connections,
            mirror,
            tmux_at: None,
            settings,
        };
        agent.host.send(&Event::Hello { version: VERSION })?;
        if let Some(text) = trouble {
            agent.host.send(&Event::Log { text })?;
        }
        Ok(agent)
    }

    fn run(mut self) -> Result<(), AgentError> {
        self.need_tmux();
        loop {
            for (source, ready) in self.wait()? {
                self.serve(source, ready)?;
            }
            let now = Instant::now();
            self.overdue(now)?;
            self.trees.tend(now);
            if self.requests()? == Next::PowerOff {
                return Ok(());
            }
            self.tell_exits()?;
            self.end_processes()?;
            self.mirror.flush();
            self.host.flush()?;
        }
    }

    fn serve(&mut self, source: Source, ready: PollFlags) -> Result<(), AgentError> {
        match source {
            // Both are written at the end of each round.
            Source::Host | Source::Window if ready == PollFlags::OUT => Ok(()),
            Source::Host => self.host.fill(),
            Source::Ended => self.reap(),
            Source::Output(id, stream) => self.read_output(id, stream),
            Source::Input(id) => self.write_input(id, ready),
            Source::Listener => match self.connections.accept() {
                Some(connection) => self.host.send(&Event::Connected { connection }),
                None => Ok(()),
            },
            Source::Connection(id) => self.tend_connection(id, ready),
            Source::MirrorListener => {
                self.mirror.accept();
                Ok(())
            }
            Source::Window => {
                self.mirror.window_is_gone();
                Ok(())
            }
        }
    }

    /// Waits for all children that ended: the host's and those that lost their parents.
    fn reap(&mut self) -> Result<(), AgentError> {
        let mut buffer = [0; 64];
        while matches!(rustix::io::read(&self.ended, &mut buffer), Ok(count) if count > 0) {}
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => self.exited(pid, status),
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => {
                    self.trees.sweep();
                    return Ok(());
                }
            }
        }
    }

    fn exited(&mut self, pid: Pid, status: WaitStatus) {
        self.trees.waited_for(pid);
        let mut processes = self.processes.values_mut();
        if let Some(process) = processes.find(|p| p.pid == pid && p.is_running()) {
            process.exited(status);
        }
    }

    /// Tells how commands ended, after what they wrote: who hears of the end has the output.
    fn tell_exits(&mut self) -> Result<(), AgentError> {
        for (&process, found) in &mut self.processes {
            let Some(exit) = found.news_of_exit() else { continue };
            if found.shown == Shown::Mirrored {
                self.mirror.exit(process, exit);
            }
            self.host.send(&Event::Exited { process, exit })?;
        }
        Ok(())
    }

    fn read_output(&mut self, id: u32, stream: machine_protocol::Stream) -> Result<(), AgentError> {
        let Some(process) = self.processes.get_mut(&id) else { return Ok(()) };
        let Read::Data(stream, data) = process.read(stream) else { return Ok(()) };
        if process.shown == Shown::Mirrored {
            self.mirror.output(id, &data);
        }
        self.host.send(&Event::Output { process: id, stream, data })
    }

    fn write_input(&mut self, id: u32, ready: PollFlags) -> Result<(), AgentError> {
        let Some(process) = self.processes.get_mut(&id) else { return Ok(()) };
        // A pipe without readers is ready with an error.
        let taken = match ready.contains(PollFlags::OUT) {
            true => process.write(),
            false => Some(Taken::Broken),
        };
        match taken {
            Some(Taken::Bytes(bytes)) if bytes > 0 => {
                self.host.send(&Event::InputTaken { process: id, bytes })
            }
            Some(Taken::Broken) if process.input_broke() => {
                self.host.send(&Event::InputClosed { process: id })
            }
            _ => Ok(()),
        }
    }

    fn tend_connection(&mut self, connection: u32, ready: PollFlags) -> Result<(), AgentError> {
        for news in self.connections.tend(connection, ready) {
            self.host.send(&match news {
                News::Data(data) => Event::Data { connection, data },
                News::Taken(bytes) => Event::DataTaken { connection, bytes },
                News::Closed => Event::Closed { connection },
            })?;
        }
        Ok(())
    }

    /// Does what time alone asks for.
    fn overdue(&mut self, now: Instant) -> Result<(), AgentError> {
        for process in self.processes.values_mut() {
            if process.deadline.is_some_and(|at| now >= at) {
                process.timed_out(now);
                if let Some(tree) = process.tree.take() {
                    self.trees.kill(tree);
                }
            }
            process.close_overdue(now);
        }
        for connection in self.connections.close_overdue(now) {
            self.host.send(&Event::Closed { connection })?;
        }
        Ok(())
    }

    /// Says goodbye to processes that ended with all their output.
    fn end_processes(&mut self) -> Result<(), AgentError> {
        let ended: Vec<u32> =
            self.processes.iter().filter(|(_, p)| p.is_ended()).map(|(id, _)| *id).collect();
        for id in ended {
            if let Some(tree) = self.processes.remove(&id).and_then(|process| process.tree) {
                self.trees.let_live(tree);
            }
            self.host.send(&Event::Ended { process: id })?;
        }
        Ok(())
    }

    /// Brings the windows back unless they are there.
    fn need_tmux(&mut self) {
        let now = Instant::now();
        if self.mirror.is_watched() || self.tmux_at.is_some_and(|at| now < at) {
            return;
        }
        self.tmux_at = Some(now + TMUX_PAUSE);
        if let Err(error) = tmux::spawn(&self.settings, self.trees.windows()) {
            say(format_args!("cannot start tmux: {error}"));
        }
    }
}
