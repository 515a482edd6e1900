//! Runs the tools of a language. What they print while they work goes to the user as it comes
//! (their stderr is ours); what they print on stdout is kept for the caller, because stdout is data.

use std::io;
use std::process::{Command, Stdio};

use super::BuildError;

/// The end of a tool's output is where it says what is wrong.
const TAIL_BYTES: usize = 4 << 10;

/// Runs a command to its end and gives back what it printed. `install` says how to get the tool,
/// `fix` what to do when it fails.
pub fn run(command: &mut Command, install: &'static str, fix: &str) -> Result<String, BuildError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let output = command
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .map_err(|source| not_started(tool.clone(), install, source))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let from = text.floor_char_boundary(text.len().saturating_sub(TAIL_BYTES));
    Err(BuildError::Failed {
        tool,
        status: output.status.to_string(),
        fix: fix.into(),
        output: text[from..].into(),
    })
}

fn not_started(tool: String, install: &'static str, source: io::Error) -> BuildError {
    match source.kind() {
        io::ErrorKind::NotFound => BuildError::Missing { tool, fix: install },
        _ => BuildError::Start { tool, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_is_not_there_says_how_to_get_it() {
        let error =
            run(&mut Command::new("xpressclaw-no-such-tool"), "install it", "").unwrap_err();
        assert_eq!(error.to_string(), "`xpressclaw-no-such-tool` is not installed: install it");
    }

    #[test]
    fn a_failure_shows_what_was_printed() {
        let error = run(
            Command::new("sh").args(["-c", "echo what is wrong; exit 3"]),
            "",
            "read the message",
        )
        .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit status: 3); read the message:\nwhat is wrong"), "{text}");
    }
}
