//! What the host and the guest agent say to each other, over one port of the machine's console.
//!
//! Why it exists: the machine's console carries bytes, and a harness wants processes with separate
//! outputs, several at once, none of which may fill the host's memory. Used by `host/machine-client` and by
//! `components/guest`; it must never do I/O.
//!
//! **Wire format.** Each message is a [`frame`]: its length as four bytes, the least significant first,
//! then the message in postcard's format (<https://postcard.jamesmunns.com/wire-format>). The guest speaks
//! first: [`Event::Hello`]. Both sides are trusted differently: the host believes nothing that it reads
//! (a guest can hurt only itself), so every frame is bounded and every number is checked.
//!
//! **Ids** are chosen by the side that opens: the host's processes by the host, the guest's
//! connections by the guest. An id is free again after the last message about it ([`Event::Ended`],
//! or the second of both [`Closed`](Event::Closed) and [`Close`](Request::Close)).
//!
//! **Flow control.** Nobody sends data that the other side did not allow. [`Request::Allow`] and
//! [`Event::InputTaken`] add to what may be sent; both directions start with [`WINDOW`] bytes for
//! each stream, and stdout and stderr of a process share one window. A program whose output nobody
//! reads is therefore stopped by its full pipe.

mod frame;

use serde::{Deserialize, Serialize};

pub use frame::{Decoder, FrameError, encode};

/// Changes with every change that an older peer would misread.
pub const VERSION: u32 = 1;

/// The console port that the agent opens: `/dev/virtio-ports/` and this name.
pub const PORT: &str = "xpressclaw.agent";

/// Bytes of a stream that may be under way before the receiver allows more: enough to keep a pipe
/// (64 KiB in Linux) and the console busy, small enough for many streams.
pub const WINDOW: u32 = 256 << 10;

/// Bytes of data in one message: what a pipe of Linux holds.
pub const MAX_DATA: usize = 64 << 10;

/// Bytes of a whole message: the longest script (128 KiB), environment (64 KiB) and data, with room.
pub const MAX_FRAME: usize = 512 << 10;

/// Processes at once, terminals included; the contract allows 64 processes and 16 terminals for a
/// session, and a machine may serve a few sessions' worth of leftovers.
pub const MAX_PROCESSES: usize = 128;

/// Connections of `xclaw` at once.
pub const MAX_CONNECTIONS: usize = 32;

/// A terminal's size in character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

/// What a process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Program {
    /// `/bin/bash -c` with this script. Mirrored into the window `agent` of the machine's tmux.
    Script(String),
    /// A client of the machine's tmux, its scrollback first; needs a terminal. The variable
    /// `XCLAW_AGENT` of the command's environment is the name in its status line.
    Terminal,
}

/// A process to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub program: Program,
    /// An absolute path; `None`: the workspace.
    pub cwd: Option<String>,
    /// Added to the machine's environment.
    pub env: Vec<(String, String)>,
    /// Milliseconds of the machine's time until the whole tree is killed; `None`: never.
    pub timeout_ms: Option<u32>,
    /// A pseudo-terminal of this size; all output is then [`Stream::Stdout`].
    pub pty: Option<Size>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    Stdout,
    Stderr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    Interrupt,
    Terminate,
    Kill,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// The exit status, 0 to 255.
    Code(u8),
    /// The signal's number.
    Signal(u8),
    /// The time was up and the tree was killed.
    TimedOut,
}

/// Why a process was not started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The working directory is missing or is not one.
    NoDirectory(String),
    /// The command cannot be: a relative path, a NUL, an id in use, a terminal without a size.
    Invalid(String),
    /// The system has no room for another process, or another reason that it gives.
    System(String),
    /// There is no shell any more, so that no script can run: the machine's own files were removed.
    NoShell,
}

/// From the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// The wall clock, nanoseconds since the Unix epoch: after the hello, after a checkpoint was restored,
    /// and before each start, since a machine's clock lags behind while the machine computes.
    Clock { unix_nanos: u64 },
    /// Starts a process. Answered by [`Event::Started`] or [`Event::Refused`].
    Start { process: u32, command: Command },
    /// For its stdin or terminal, at most [`MAX_DATA`] bytes.
    Input { process: u32, data: Vec<u8> },
    /// End of its stdin; on a terminal, the character that means it. Idempotent.
    CloseInput { process: u32 },
    /// To the whole process tree, also what is left of it after the exit, until [`Event::Ended`].
    Signal { process: u32, signal: Signal },
    /// A new size of its terminal.
    Resize { process: u32, size: Size },
    /// So many more bytes of its output may be sent.
    Allow { process: u32, bytes: u32 },
    /// Nobody wants to know any more: the whole tree is killed, output is thrown away, and
    /// [`Event::Ended`] follows.
    Drop { process: u32 },
    /// To an `xclaw` connection, at most [`MAX_DATA`] bytes.
    Data { connection: u32, data: Vec<u8> },
    /// So many more bytes of a connection may be sent.
    AllowData { connection: u32, bytes: u32 },
    /// The host closes a connection, after what it sent before; [`Event::Closed`] follows, unless it
    /// came before. A program that sends no more is not told of: it may still wait for its answer.
    Close { connection: u32 },
    /// Write everything to the disks and switch the machine off.
    PowerOff,
}

/// From the guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The agent is there. Comes again after an agent that died was started anew: every id is free
    /// then, and every process of the old one is gone.
    Hello {
        version: u32,
    },
    Started {
        process: u32,
    },
    /// Not started; the id is free.
    Refused {
        process: u32,
        refusal: Refusal,
    },
    /// At most [`MAX_DATA`] bytes, in the order of each stream.
    Output {
        process: u32,
        stream: Stream,
        data: Vec<u8>,
    },
    /// So many more bytes of input may be sent.
    InputTaken {
        process: u32,
        bytes: u32,
    },
    /// Nobody reads its input any more; what is sent is thrown away.
    InputClosed {
        process: u32,
    },
    /// The command itself ended. What it wrote came before; output of children that hold its pipes may
    /// follow.
    Exited {
        process: u32,
        exit: Exit,
    },
    /// End of output, and the command ended; the id is free. What it left in the background without
    /// its output lives on.
    Ended {
        process: u32,
    },
    /// A program connected to the socket `XCLAW_SOCKET`.
    Connected {
        connection: u32,
    },
    /// What it sent, at most [`MAX_DATA`] bytes.
    Data {
        connection: u32,
        data: Vec<u8>,
    },
    /// So many more bytes may be sent to it.
    DataTaken {
        connection: u32,
        bytes: u32,
    },
    /// It went, or the host's [`Request::Close`] is done.
    Closed {
        connection: u32,
    },
    /// A line for the host's log.
    Log {
        text: String,
    },
}
