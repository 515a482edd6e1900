//! The driver's side of the conversation with `runner.sh`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::wire::Wire;

/// The runner, which a system's shell is told to read.
pub const RUNNER: &str = include_str!("runner.sh");

/// Until a system has booted and read the runner; also with a debugger's patience.
const START: Duration = Duration::from_secs(120);

/// What a script may print in all. More is a mistake in the script.
const OUTPUT_MOST: usize = 64 << 20;

/// A runner that waits for requests.
pub struct Shell<W> {
    wire: W,
    unread: Vec<u8>,
    started: Outcome,
}

/// What became of a script.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// On the host's clock.
    pub wall: Duration,
    /// Of the host's processor.
    pub cpu: Duration,
    /// Of the guest, where they are counted.
    pub instructions: Option<u64>,
}

impl<W: Wire> Shell<W> {
    /// Gives a system that is starting the runner, and waits for it. `start` switches the system on: what
    /// that costs belongs to the start.
    ///
    /// # Errors
    /// It did not start.
    pub fn start(start: impl FnOnce() -> Result<W>) -> Result<Self> {
        let began = Instant::now();
        let wire = start()?;
        let mut shell = Self { wire, unread: Vec::new(), started: Outcome::default() };
        let text = format!("{}\n{RUNNER}", RUNNER.len());
        let deadline = began + START;
        shell.expect("hello", deadline)?;
        shell.wire.send(text.as_bytes())?;
        shell.expect("ready", deadline)?;
        shell.started.wall = began.elapsed();
        let clock = shell.wire.clock()?;
        shell.started.cpu = clock.cpu.unwrap_or_default();
        shell.started.instructions = clock.instructions;
        Ok(shell)
    }

    /// What it took until the runner ran, in processor time where that can be told.
    pub fn started(&self) -> &Outcome {
        &self.started
    }

    /// Stores bytes as the file `/tmp/line/put`.
    ///
    /// # Errors
    /// The system is gone, or was not done in time.
    pub fn put(&mut self, bytes: &[u8], limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        self.wire.send(format!("put {}\n", bytes.len()).as_bytes())?;
        self.wire.send(bytes)?;
        self.expect("stored", deadline)
    }

    /// Runs a script of bash in a subshell in a fresh folder.
    ///
    /// # Errors
    /// The system is gone, or the script was not done in time. The shell is of no use any more, then.
    pub fn run(&mut self, script: &str, limit: Duration) -> Result<Outcome> {
        let deadline = Instant::now() + limit;
        self.wire.send(format!("do {}\n{script}", script.len()).as_bytes())?;
        self.expect("begin", deadline)?;
        let (before, began) = (self.wire.clock()?, Instant::now());
        self.wire.send(b"go\n")?;
        let line = self.line(deadline)?;
        let (wall, after) = (began.elapsed(), self.wire.clock()?);
        let words: Vec<&str> = line.split(' ').collect();
        let ["end", status, user, system] = words[..] else {
            bail!("the runner said `{line}`");
        };
        let told = seconds(user)? + seconds(system)?;
        let cpu = before.cpu.zip(after.cpu).map(|(before, after)| after.saturating_sub(before));
        let instructions = before.instructions.zip(after.instructions);
        self.wire.send(b"go\n")?;
        let line = self.line(deadline)?;
        let sizes: Vec<usize> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [out, err] = sizes[..] else { bail!("the runner said `{line}`") };
        ensure!(out + err <= OUTPUT_MOST, "a script printed {} bytes", out + err);
        let stdout = self.bytes(out, deadline)?;
        let stderr = self.bytes(err, deadline)?;
        Ok(Outcome {
            status: status.parse()?,
            stdout,
            stderr,
            wall,
            cpu: cpu.unwrap_or(told),
            instructions: instructions.map(|(before, after)| after - before),
        })
    }

    /// The system.
    pub fn wire(&self) -> &W {
        &self.wire
    }

    fn expect(&mut self, word: &str, deadline: Instant) -> Result<()> {
        let line = self.line(deadline)?;
        ensure!(line == word, "instead of `{word}` it said `{line}`");
        Ok(())
    }

    fn line(&mut self, deadline: Instant) -> Result<String> {
        loop {
            if let Some(at) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line = self.unread.drain(..=at).take(at).collect();
                return Ok(String::from_utf8(line)?);
            }
            self.receive(deadline)?;
        }
    }

    fn bytes(&mut self, size: usize, deadline: Instant) -> Result<Vec<u8>> {
        while self.unread.len() < size {
            self.receive(deadline)?;
        }
        Ok(self.unread.drain(..size).collect())
    }

    fn receive(&mut self, deadline: Instant) -> Result<()> {
        let received = self.wire.receive(&mut self.unread, deadline);
        received.with_context(|| format!("it said last: {}", self.wire.last_words()))
    }
}

fn seconds(text: &str) -> Result<Duration> {
    Ok(Duration::try_from_secs_f64(text.parse()?)?)
}
