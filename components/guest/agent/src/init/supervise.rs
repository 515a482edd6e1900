//! Keeps one program alive and waits for every process that lost its parent.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process_group, wait};
use rustix::system::{RebootCommand, reboot};

use crate::agent::POWER_OFF;
use crate::report::say;

/// Before the first new start.
const BACK_OFF: Duration = Duration::from_millis(100);
/// At most before a new start: a program that cannot run shall not take the machine's time.
const BACK_OFF_MAX: Duration = Duration::from_secs(5);
/// One that ran for so long did start.
const WELL: Duration = Duration::from_secs(10);

pub fn for_ever(program: impl Fn() -> Command) -> ! {
    let mut back_off = BACK_OFF;
    loop {
        let started = Instant::now();
        match program().spawn() {
            Ok(child) => {
                let status = wait_for(Pid::from_child(&child));
                if status.and_then(|status| status.exit_status()) == Some(POWER_OFF.into()) {
                    power_off();
                }
                say(format_args!("the agent ended: {status:?}"));
            }
            Err(error) => say(format_args!("the agent does not start: {error}")),
        }
        // The next one promises the host that every process of this one is gone.
        let _ = kill_process_group(Pid::INIT, Signal::KILL);
        if started.elapsed() >= WELL {
            back_off = BACK_OFF;
        }
        thread::sleep(back_off);
        back_off = (back_off * 2).min(BACK_OFF_MAX);
    }
}

/// Until `program` ended; whoever else ends is waited for, too.
fn wait_for(program: Pid) -> Option<WaitStatus> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == program => return Some(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            // No children: it was waited for elsewhere, which cannot be.
            Err(_) => return None,
        }
    }
}

/// Only the first process gets here. Nothing that runs is asked to end: what matters is on the host's
/// side of `/workspace`, and is there when this has flushed.
fn power_off() -> ! {
    rustix::fs::sync();
    if let Err(error) = reboot(RebootCommand::PowerOff) {
        say(format_args!("cannot switch off: {error}"));
    }
    // In a container the kernel ends this process in its own time.
    loop {
        thread::park();
    }
}
