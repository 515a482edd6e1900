//! `attach --terminal`: the machine's terminal in this one.

use std::io::{IsTerminal, Read, Write};

use anyhow::{Context as _, Result};
use control::protocol::{Notice, Request, Terminal, TerminalInput, TerminalSize};
use control::{Client, ClientError, Incoming, terminal};
use rustix::termios::{self, OptionalActions, Termios};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::strings::Strings;
use super::target::Target;
use super::watch::gone;
use crate::commands::output;
use crate::exit::{Exit, Failure};

/// Ctrl-] leaves, as it does in telnet and virsh; everything else belongs to the machine.
const LEAVE: u8 = 0x1d;

/// Bytes read of the keyboard at once; a paste comes in several.
const TYPED_MAX_BYTES: usize = 4 << 10;

/// Pieces of typing that wait while the machine takes none.
const TYPED_QUEUE: usize = 16;

/// Whether this runs in a terminal.
pub fn can_be_shown() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Shows the terminal until it is gone or the user leaves.
pub async fn attach(target: Target, read_only: bool) -> Result<Exit> {
    if !can_be_shown() {
        let failure = Failure::usage("a terminal can only be shown in a terminal");
        return Err(failure.hint("without `--terminal`, `attach` prints events anywhere").into());
    }
    let mut client = Client::connect(&target.socket).await.map_err(gone)?;
    let TerminalSize { columns, rows } = size()?;
    let session = Some(target.info.session.clone());
    let name = &target.info.session;
    output::note(&format!("the machine of session {name}; Ctrl-] leaves"));
    output::note(&format!("what is said there: xpressclaw attach {name} --conversation"));
    let request = Request::Terminal(Terminal { session, columns, rows });
    client.call::<serde_json::Value>(&request).await.map_err(gone)?;
    let raw = Raw::enter()?;
    let left = show(&mut client, read_only).await;
    drop(raw);
    // Below whatever was on the screen.
    output::note("");
    match left? {
        Left::User => Ok(Exit::Ok),
        Left::Ended(None) => {
            output::note("the terminal is gone");
            Ok(Exit::Ok)
        }
        Left::Ended(Some(reason)) => {
            Err(Failure::new(Exit::Failed, format!("no terminal: {reason}")).into())
        }
    }
}

enum Left {
    User,
    Ended(Option<String>),
}

async fn show(client: &mut Client, read_only: bool) -> Result<Left> {
    let mut resized = signal(SignalKind::window_change())?;
    let mut keyboard = keyboard()?;
    let mut strings = Strings::default();
    // The number of the request that is not answered yet: one at a time, so that a machine that takes
    // nothing leaves the rest in this terminal.
    let mut waits: Option<u64> = None;
    loop {
        tokio::select! {
            biased;
            typed = keyboard.recv(), if waits.is_none() => {
                let Some(typed) = typed else { return Ok(Left::User) };
                if typed.contains(&LEAVE) {
                    return Ok(Left::User);
                }
                if !read_only {
                    let input = TerminalInput { data: terminal::input(&typed) };
                    waits = Some(client.send(&Request::TerminalInput(input)).await.map_err(gone)?);
                }
            }
            () = next(&mut resized), if waits.is_none() => {
                waits = Some(client.send(&Request::TerminalResize(size()?)).await.map_err(gone)?);
            }
            incoming = client.next() => match incoming.map_err(gone)? {
                Incoming::Notice(Notice::TerminalOutput { data, .. }) => {
                    let data = terminal::output(&data).ok_or(ClientError::Garbled).map_err(gone)?;
                    let mut stdout = std::io::stdout().lock();
                    stdout.write_all(&strings.without(&data))?;
                    stdout.flush()?;
                }
                Incoming::Notice(Notice::TerminalEnded { reason, .. }) => {
                    return Ok(Left::Ended(reason));
                }
                Incoming::Notice(_) => {}
                Incoming::Done(number, result) => {
                    if waits == Some(number) {
                        waits = None;
                    }
                    result.map_err(ClientError::Refused).map_err(gone)?;
                }
            },
        }
    }
}

/// Cancel-safe.
async fn next(signal: &mut Signal) {
    if signal.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

/// What is typed, by a thread of its own, because reading a terminal blocks. It ends with the process.
fn keyboard() -> Result<mpsc::Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(TYPED_QUEUE);
    std::thread::Builder::new().name("keyboard".into()).spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut buffer = vec![0; TYPED_MAX_BYTES];
        while let Ok(size @ 1..) = stdin.read(&mut buffer) {
            if sender.blocking_send(buffer[..size].to_vec()).is_err() {
                break;
            }
        }
    })?;
    Ok(receiver)
}

fn size() -> Result<TerminalSize> {
    let size = termios::tcgetwinsize(std::io::stdout()).context("the terminal has no size")?;
    Ok(TerminalSize { columns: size.ws_col.max(1), rows: size.ws_row.max(1) })
}

/// This terminal without its own line editing, echo and signals, until it is dropped.
struct Raw(Termios);

impl Raw {
    fn enter() -> Result<Self> {
        let before =
            termios::tcgetattr(std::io::stdin()).context("cannot read the terminal's mode")?;
        let mut raw = before.clone();
        raw.make_raw();
        set(&raw).context("cannot change the terminal's mode")?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // What the machine's terminal may have left on: alternate screen, mouse, bracketed paste, a hidden
        // cursor, colours.
        let reset =
            b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[m";
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(reset).and_then(|()| stdout.flush());
        let _ = set(&self.0);
    }
}

fn set(mode: &Termios) -> rustix::io::Result<()> {
    termios::tcsetattr(std::io::stdin(), OptionalActions::Flush, mode)
}
