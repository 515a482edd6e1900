//! Which functions of a program run: a breakpoint at the begin of each, which is taken away when it is
//! met. So each costs one stop, and the program runs at its own speed between them (`ptrace(2)`).

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::map::Function;

/// `int3` of x86-64.
const BREAKPOINT: u8 = 0xcc;

/// Runs `command` to its end and returns the functions that ran, the first first. `functions` are
/// those of its program, by address.
pub fn functions(command: &Command, functions: &[Function]) -> Result<Vec<String>> {
    let program = fs::canonicalize(command.get_program())?;
    // The shell stops itself, so that it is there to be traced when it becomes the program.
    let mut shell = Command::new("sh");
    shell.args(["-c", "kill -STOP $$; exec \"$0\" \"$@\""]).arg(&program);
    shell.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = shell.spawn()?;
    let pid = Pid::from_raw(i32::try_from(child.id())?);
    let traced = trace(pid, &program, functions);
    if traced.is_err() {
        // It may have ended.
        let _ = child.kill();
    }
    // Whoever traces has waited for it already.
    let _ = child.wait();
    traced
}

fn trace(pid: Pid, program: &Path, functions: &[Function]) -> Result<Vec<String>> {
    let stopped = waitpid(pid, Some(WaitPidFlag::WSTOPPED))?;
    ensure!(matches!(stopped, WaitStatus::Stopped(..)), "the shell did not stop: {stopped:?}");
    let options =
        Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid, options).context("the program cannot be traced")?;
    nix::sys::signal::kill(pid, Signal::SIGCONT)?;
    let mut breakpoints: Option<Breakpoints<'_>> = None;
    loop {
        // Of every thread. Who ends is not asked to go on.
        let (thread, signal) = match waitpid(None::<Pid>, Some(WaitPidFlag::__WALL))? {
            WaitStatus::Exited(ended, code) if ended == pid => {
                ensure!(code == 0, "the program ended with {code}");
                let ran = breakpoints.context("the program did not start")?.ran;
                return Ok(ran.into_iter().map(|at| functions[at].name.clone()).collect());
            }
            WaitStatus::Signaled(ended, signal, _) if ended == pid => bail!("ended by {signal}"),
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) | WaitStatus::StillAlive => continue,
            WaitStatus::PtraceEvent(thread, _, event) => {
                if event == ptrace::Event::PTRACE_EVENT_EXEC as i32 && breakpoints.is_none() {
                    breakpoints = Some(Breakpoints::set(pid, program, functions)?);
                }
                (thread, None)
            }
            WaitStatus::Stopped(thread, Signal::SIGTRAP) => {
                let met = match &mut breakpoints {
                    Some(breakpoints) => breakpoints.met(thread)?,
                    None => false,
                };
                (thread, (!met).then_some(Signal::SIGTRAP))
            }
            WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
            other => match other.pid() {
                Some(thread) => (thread, None),
                None => continue,
            },
        };
        ptrace::cont(thread, signal)?;
    }
}

struct Breakpoints<'a> {
    memory: File,
    base: u64,
    functions: &'a [Function],
    /// What stood there.
    first_bytes: Vec<u8>,
    met: Vec<bool>,
    /// In the order of their first run.
    ran: Vec<usize>,
}

impl<'a> Breakpoints<'a> {
    fn set(pid: Pid, program: &Path, functions: &'a [Function]) -> Result<Self> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let program = program.to_string_lossy();
        let first = maps.lines().find(|line| line.ends_with(&*program));
        let first = first.with_context(|| format!("{program} is not mapped"))?;
        let base = u64::from_str_radix(first.split('-').next().unwrap_or_default(), 16)?;
        let memory = File::options().read(true).write(true).open(format!("/proc/{pid}/mem"))?;
        let mut first_bytes = vec![0; functions.len()];
        for (function, byte) in functions.iter().zip(&mut first_bytes) {
            let address = base + function.address;
            memory.read_exact_at(std::slice::from_mut(byte), address)?;
            memory.write_all_at(&[BREAKPOINT], address)?;
        }
        let met = vec![false; functions.len()];
        Ok(Self { memory, base, functions, first_bytes, met, ran: Vec::new() })
    }

    /// Whether a thread stopped at a breakpoint; it is then where it was before. Two threads may meet
    /// one at once.
    fn met(&mut self, thread: Pid) -> Result<bool> {
        let mut registers = ptrace::getregs(thread)?;
        let Some(at) = registers.rip.checked_sub(1) else { return Ok(false) };
        let address = at.wrapping_sub(self.base);
        let Ok(found) = self.functions.binary_search_by_key(&address, |f| f.address) else {
            return Ok(false);
        };
        if !self.met[found] {
            self.met[found] = true;
            self.memory.write_all_at(&[self.first_bytes[found]], at)?;
            self.ran.push(found);
        }
        registers.rip = at;
        ptrace::setregs(thread, registers)?;
        Ok(true)
    }
}
