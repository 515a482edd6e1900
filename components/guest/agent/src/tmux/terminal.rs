//! One of the user's views: what went by in the window `agent` first, then tmux itself.

use std::env;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;

use super::Places;
use super::server::{AGENT, SESSION, ask, tmux};
use super::starter;

/// Tells the status line whose machine this is. The host sets it for `Program::Terminal`.
const NAME: &str = "XCLAW_AGENT";

/// Returns only on failure: this process becomes tmux's client.
pub fn attach(places: &Places) -> io::Result<()> {
    // Not here: the server shall outlive this process and its tree.
    if !starter(places).status()?.success() {
        return Err(io::Error::other("it does not start"));
    }
    let run = &places.run;
    if let Ok(name) = env::var(NAME) {
        ask(tmux(run).args(["set", "-g", "@agent", &name]))?;
    }
    // Of the client's normal screen; tmux draws on the alternate one, so this stays above it.
    let pane = format!("{SESSION}:{AGENT}");
    let mut capture = tmux(run);
    let history = ask(capture.args(["capture-pane", "-p", "-e", "-S", "-", "-t", &pane]))?.stdout;
    let mut out = io::stdout().lock();
    out.write_all(history.trim_ascii_end())?;
    out.write_all(b"\x1b[0m\n")?;
    out.flush()?;
    Err(tmux(run).args(["attach-session", "-t", SESSION]).exec())
}
