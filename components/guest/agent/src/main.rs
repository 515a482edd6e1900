//! The program `/usr/lib/xpressclaw/init` of the machine: its first process, and, by argument, everything
//! that this process and its children start of ours.
//!
//! Why it exists: the host knows one stream of bytes into the machine; this program makes processes,
//! terminals and connections of it. It is one file, so that its parts always fit each other. Started by
//! the kernel (`init=`) and by itself; it must never need more of the system than Linux, bash and tmux.
//!
//! | argument | what it becomes |
//! |---|---|
//! | none, as process 1 | [`init`]: the system is set up, the agent kept alive |
//! | `agent` | [`agent`]: speaks with the host, runs commands |
//! | `launch …` | [`launch`]: the last step before a command's own program |
//! | `tmux`, `terminal`, `show` | [`tmux`]: the windows that a user watches |
//! | `supervise PROGRAM …`, as process 1 | [`init`] without the set-up, in a container |

mod agent;
mod environment;
mod init;
mod launch;
mod report;
mod tmux;
mod tree;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use report::say;

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let (task, rest) = match words.split_first() {
        Some((task, rest)) => (task.to_str().unwrap_or_default(), rest),
        None => ("", &[][..]),
    };
    // The kernel hands words of its command line that it does not know to the first process.
    let first = rustix::process::getpid().as_raw_nonzero().get() == 1;
    match task {
        "supervise" if first => init::supervise(rest),
        _ if first => init::run(),
        "agent" => agent::main(rest),
        "launch" => launch::main(rest),
        "tmux" => tmux::main(rest),
        "terminal" => tmux::terminal(rest),
        "show" => tmux::show(rest),
        _ => {
            say("this program is the first process of a machine; see its documentation");
            ExitCode::FAILURE
        }
    }
}
