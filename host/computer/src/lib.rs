//! Runs the machine's computers: the other side of `components/computer`.
//!
//! Why it exists: a computer is a WebAssembly module that only ever runs when somebody calls it, and has
//! no time, disk or wires of its own. Called by the machine crate. It must never run a guest on a thread
//! of the async runtime, let one computer hold another up, or pass a guest's mistake on as more than that
//! computer's end.
//!
//! [`Computers`] is a fixed set of threads; [`Computer`] is one computer on it, which runs in slices
//! while it has something to do, and costs no CPU while it has not. A computer sees one disk, one console
//! whose text is kept for messages about it, one [`Port`]: a stream of bytes, and folders: [`Share`].
//!
//! | module | what |
//! |---|---|
//! | `computers` | the threads, and whose turn it is |
//! | `computer` | the handle |
//! | `turn`, `clock` | what happens in one turn |
//! | `instance`, `imports` | the module's functions, and what it asks of the host |
//! | `wires`, `port` | bytes between a computer and the async host |
//! | `disk` | read-only disks |
//! | `share` | folders of the host |

mod clock;
mod computer;
mod computers;
mod disk;
mod imports;
mod instance;
mod module;
mod port;
mod share;
mod turn;
mod turns;
mod wires;

pub use computer::{Computer, Config, State, Used};
pub use computers::{Computers, Options, StartError};
pub use disk::{Disk, DiskError};
pub use instance::Failure;
pub use port::Port;
pub use share::Share;
pub use wires::CONSOLE_KEPT;
