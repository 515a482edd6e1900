//! `xclaw`: the verbs as a command inside the machine.
//!
//! Why it exists: a program in the machine, or the model in a shell, wants its memory, its tasks, its budget
//! and its user. Each run sends one request to the socket `XCLAW_SOCKET` and prints the answer; the wire
//! contract is `docs/xclaw-socket.md`. It must never know whose agent it acts for: the host does.

mod arguments;
mod request;
mod usage;
mod wire;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use arguments::Action;
use wire::{Answer, TransportError};

/// The verb failed.
const FAILED: u8 = 1;
/// The host was not reached.
const UNREACHED: u8 = 2;
/// The command line is wrong.
const USAGE: u8 = 3;

fn main() -> ExitCode {
    let words = env::args_os().skip(1).map(|word| word.into_string());
    let action = words
        .collect::<Result<Vec<_>, _>>()
        .map_err(|word| format!("not UTF-8: {}", word.display()))
        .and_then(|words| arguments::parse(&words, read_stdin));
    match action {
        Ok(Action::Help) => print(usage::TEXT),
        Ok(Action::Call(request)) => match wire::call(env::var_os("XCLAW_SOCKET"), &request) {
            Ok(Answer::Result(value)) if value.is_null() => ExitCode::SUCCESS,
            Ok(Answer::Result(value)) => print(&format!("{value}\n")),
            Ok(Answer::Error(error)) => fail(FAILED, &error),
            Err(error) => fail(UNREACHED, &with_cause(&error)),
        },
        Err(text) => fail(USAGE, &format!("{text}; see xclaw --help")),
    }
}

fn read_stdin() -> io::Result<String> {
    io::read_to_string(io::stdin())
}

fn with_cause(error: &TransportError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// A reader that went away early has what it wanted.
fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            fail(UNREACHED, &format!("cannot write the answer: {error}"))
        }
        _ => ExitCode::SUCCESS,
    }
}

fn fail(status: u8, text: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "xclaw: {text}");
    ExitCode::from(status)
}
