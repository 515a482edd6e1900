//! `bash`: a command in the agent's Linux machine.

use serde_json::json;

use super::capture::Capture;
use super::{Args, Failure, Outcome, Place, Tool, Way};
use crate::events;
use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::base::wait::Waitable;
use crate::xpressclaw::harness::types::{Kind, Status};
use crate::xpressclaw::machine::shell::{Command, Exit, OutputStream, Process, spawn};
use crate::xpressclaw::machine::types::Error;

pub static TOOL: Tool = Tool {
    name: "bash",
    description: "Run a command with bash in the agent's Linux machine, in the workspace. Each \
                  command is a new shell; it has no input, and what it leaves running ends with it. \
                  Gives stdout, stderr and the exit status.",
    parameters: r#"{"type":"object","properties":{"command":{"type":"string"},"timeout":{"type":"integer","minimum":1,"maximum":3600,"description":"Seconds; default 120"}},"required":["command"],"additionalProperties":false}"#,
    kind: Kind::Execute,
    shows: "command",
    way: Way::Machine,
};

/// Seconds: long enough for a build's step, short enough that a command which waits for input that
/// never comes does not hold the turn.
const TIMEOUT: usize = 120;
const TIMEOUT_MAX: usize = 3_600;
/// One read of output.
const READ_BYTES: u32 = 64 << 10;
/// Reads after the exit: what something that was left running prints has no end.
const LAST_READS: usize = 256;

const NO_MACHINE: &str = "no machine attached: commands cannot run in this session; read, write, \
                          edit, list, grep and find work on the workspace";

/// A command under way. Fields are dropped in this order: what depends on the process before it.
pub struct Running {
    readable: Waitable,
    exited: Waitable,
    process: Process,
    ended: bool,
    stdout: Capture,
    stderr: Capture,
    id: String,
    timeout: usize,
}

impl Running {
    pub fn start(args: &Args, id: &str) -> Result<Self, Failure> {
        let timeout = args.count("timeout", TIMEOUT, TIMEOUT_MAX)?;
        let process = spawn(&Command {
            script: args.text("command")?.to_owned(),
            cwd: None, // the workspace, wherever the machine has it
            env: Vec::new(),
            timeout_ms: u32::try_from(timeout * 1_000).ok(),
            pty: None,
            call_id: Some(id.to_owned()),
        })?;
        process.close_stdin()?;
        Ok(Self {
            readable: process.readable(),
            exited: process.exited(),
            process,
            ended: false,
            stdout: Capture::new(format!("{id} stdout")),
            stderr: Capture::new(format!("{id} stderr")),
            id: id.to_owned(),
            timeout,
        })
    }

    /// What to wait for.
    pub fn waitables(&self) -> impl Iterator<Item = &Waitable> {
        let readable = (!self.ended).then_some(&self.readable);
        readable.into_iter().chain([&self.exited])
    }

    /// Takes what has arrived; gives the outcome when the command is over, which it is when its
    /// shell is, even if it left something running that holds the output.
    pub fn advance(&mut self, place: &Place) -> Option<Outcome> {
        self.step(place).unwrap_or_else(|failure| Some(Outcome::failed(failure)))
    }

    fn step(&mut self, place: &Place) -> Result<Option<Outcome>, Failure> {
        let over = self.exited.ready();
        for _ in 0..if over { LAST_READS } else { 1 } {
            if self.ended || !self.readable.ready() {
                break;
            }
            self.read(place)?;
        }
        if !over {
            return Ok(None);
        }
        let exit = self.process.exit()?;
        let name = String::new();
        let stdout = std::mem::replace(&mut self.stdout, Capture::new(name.clone()));
        let stderr = std::mem::replace(&mut self.stderr, Capture::new(name));
        Ok(Some(result(stdout.finish(place), stderr.finish(place), exit, self.timeout)))
    }

    fn read(&mut self, place: &Place) -> Result<(), Failure> {
        let chunks = self.process.read(READ_BYTES)?;
        self.ended = chunks.is_empty();
        for chunk in chunks {
            let stream = match chunk.stream {
                OutputStream::Stdout => &mut self.stdout,
                OutputStream::Stderr => &mut self.stderr,
            };
            events::output(&self.id, stream.take(&chunk.data, place));
        }
        Ok(())
    }
}

/// The streams apart, and how it ended.
fn result(stdout: Option<String>, stderr: Option<String>, exit: Exit, timeout: usize) -> Outcome {
    let mut text = stdout.unwrap_or_default();
    let line = |text: &mut String| {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
    };
    if let Some(stderr) = stderr {
        line(&mut text);
        text.push_str("[stderr]\n");
        text.push_str(&stderr);
    }
    let how = match exit {
        Exit::Code(0) => None,
        Exit::Code(code) => Some(format!("[exit status {code}]")),
        Exit::Signal(signal) => Some(format!("[ended by signal {signal}]")),
        Exit::TimedOut => Some(format!("[ended after {timeout} s, its time-out]")),
    };
    if let Some(how) = &how {
        line(&mut text);
        text.push_str(how);
    }
    let status = if how.is_some() { Status::Failed } else { Status::Completed };
    let output = match exit {
        Exit::Code(code) => json!({"exit": code}),
        Exit::Signal(signal) => json!({"signal": signal}),
        Exit::TimedOut => json!({"timed_out": true}),
    };
    let content = if text.is_empty() { "(no output)".to_owned() } else { text };
    Outcome {
        status,
        content: vec![Part::Text(content)],
        diff: None,
        output: Some(output.to_string()),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NoMachine => NO_MACHINE.into(),
            Error::Denied(text) => Self::denied(text),
            Error::Cancelled => Self::cancelled(),
            Error::Gone(text) => format!("the machine stopped or was rolled back: {text}").into(),
            Error::NotFound(text) | Error::Invalid(text) | Error::Other(text) => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stdout: Option<&str>, stderr: Option<&str>, exit: Exit, expected: (&str, Status)) {
        let outcome = result(stdout.map(str::to_owned), stderr.map(str::to_owned), exit, 120);
        let [Part::Text(text)] = &outcome.content[..] else { panic!("one text") };
        assert_eq!((text.as_str(), outcome.status), expected);
    }

    #[test]
    fn streams_and_exit_stay_apart() {
        check(Some("hi\n"), None, Exit::Code(0), ("hi\n", Status::Completed));
        check(None, None, Exit::Code(0), ("(no output)", Status::Completed));
        check(
            Some("hi"),
            Some("oh\n"),
            Exit::Code(2),
            ("hi\n[stderr]\noh\n[exit status 2]", Status::Failed),
        );
        check(None, Some("oh"), Exit::Code(0), ("[stderr]\noh", Status::Completed));
        check(None, None, Exit::Signal(9), ("[ended by signal 9]", Status::Failed));
        check(
            Some("a"),
            None,
            Exit::TimedOut,
            ("a\n[ended after 120 s, its time-out]", Status::Failed),
        );
    }

    #[test]
    fn no_machine_is_said_and_a_denial_is_one() {
        assert!(Failure::from(Error::NoMachine).text.starts_with("no machine attached"));
        let denied = Failure::from(Error::Denied("by rule 3".into()));
        assert_eq!((denied.text.as_str(), denied.denied), ("by rule 3", true));
    }
}
