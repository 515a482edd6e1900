//! The machine's first process: sets the system up, then keeps the agent alive, for ever.
//!
//! Why it exists: Linux ends with its first process, so this one does as little as can be: no stream is
//! read here, nothing depends on what commands do. What cannot be set up is said on the console, and the
//! rest is tried: an agent without `/workspace` can still tell the host what is wrong.

mod boot;
mod loopback;
mod overlay;
mod supervise;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::process::{Command, ExitCode};

use rustix::process::setpriority_process;

use crate::report::say;
use crate::tree::this_program;

/// `oom_score_adj`: never. Without this process there is no machine, without the agent no way into it;
/// what the agent starts gives it up ([`crate::launch`]).
const NEVER: &str = "-1000";

/// Sets the machine up and supervises the agent. Never returns: Linux would panic.
pub fn run() -> ExitCode {
    boot::boot();
    protect();
    supervise::for_ever(|| {
        let mut agent = this_program();
        agent.arg("agent");
        agent
    })
}

/// `supervise PROGRAM …`: the same for a program in a container, whose system is set up.
pub fn supervise(words: &[OsString]) -> ExitCode {
    let (program, rest) = match words.split_first() {
        Some((program, rest)) => (program.as_os_str(), rest),
        None => (OsStr::new("/bin/false"), &[][..]),
    };
    supervise::for_ever(|| {
        let mut command = Command::new(program);
        command.args(rest);
        command
    })
}

/// The highest priority of ordinary processes: among a thousand of a fork bomb, the agent still has its
/// turn at once. What it starts gives that up, too.
const FIRST: i32 = -20;

fn protect() {
    if let Err(error) = setpriority_process(None, FIRST) {
        say(format_args!("not before others when there are many: {error}"));
    }
    if let Err(error) = fs::write("/proc/self/oom_score_adj", NEVER) {
        say(format_args!("not protected when memory ends: {error}"));
    }
}
