//! A system that is a process, whose line is its standard input and output.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::NamedTempFile;

/// Bytes that are read at once, and how many of these wait: a system that prints more waits for us.
const READ: usize = 64 << 10;
const WAITING: usize = 16;

/// The process, in a group of its own that ends with this.
pub struct Piped {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    words: NamedTempFile,
}

impl Piped {
    pub fn start(command: &mut Command) -> Result<Self> {
        let words = NamedTempFile::new()?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(words.reopen()?)
            .process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let input = child.stdin.take().context("no standard input")?;
        let mut from = child.stdout.take().context("no standard output")?;
        let (send, output) = sync_channel(WAITING);
        // It ends with the process, or when nobody wants its bytes.
        thread::spawn(move || {
            let mut buffer = vec![0; READ];
            while let Ok(size @ 1..) = from.read(&mut buffer) {
                if send.send(buffer[..size].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, input, output, words })
    }

    pub fn id(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.input.write_all(bytes)?;
        Ok(self.input.flush()?)
    }

    pub fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.output.recv_timeout(left) {
            Ok(bytes) => into.extend(bytes),
            Err(RecvTimeoutError::Timeout) => bail!("it was not done in time"),
            Err(RecvTimeoutError::Disconnected) => bail!("it ended"),
        }
        Ok(())
    }

    /// What it wrote to its standard error.
    pub fn last_words(&self) -> String {
        let bytes = fs::read(self.words.path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = killpg(self.id(), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}
