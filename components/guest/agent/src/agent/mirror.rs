//! What the window `agent` of the machine's tmux shows: each script and its output as it comes, for the
//! user who watches.
//!
//! It never holds a command up: what the window does not take in time is lost, and it says so. The window's
//! own program (`tmux::show`) connects to a socket here; when it is not there, what comes is kept up to a
//! limit until it is.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use machine_protocol::Exit;
use rustix::io::Errno;

use super::connections::listen;

/// Bytes that wait for the window: several screens, and little memory.
const PENDING_MAX: usize = 256 << 10;

/// Bytes of a script that are shown: a person reads no longer one here.
const SCRIPT_SHOWN: usize = 4096;

/// What a program may have left the screen in is undone before the next line of ours: the alternate
/// screen, modes (DECSTR), colours.
const RESET: &str = "\x1b[?1049l\x1b[!p\x1b[0m";

pub struct Mirror {
    listener: UnixListener,
    window: Option<UnixStream>,
    pending: VecDeque<u8>,
    lost: u64,
    /// Whose output was shown last, and whether it ended its line.
    last: Option<u32>,
    line_open: bool,
}

impl Mirror {
    pub fn listen(socket: &Path) -> io::Result<Self> {
        let listener = listen(socket)?;
        let pending = VecDeque::new();
        Ok(Self { listener, window: None, pending, lost: 0, last: None, line_open: false })
    }

    pub fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// The window, and whether something waits for it.
    pub fn window(&self) -> Option<(BorrowedFd<'_>, bool)> {
        self.window.as_ref().map(|window| (window.as_fd(), !self.pending.is_empty()))
    }

    pub fn is_watched(&self) -> bool {
        self.window.is_some()
    }

    /// A window's program connected; the last one counts.
    pub fn accept(&mut self) {
        if let Ok((window, _)) = self.listener.accept()
            && window.set_nonblocking(true).is_ok()
        {
            self.window = Some(window);
        }
    }

    pub fn window_is_gone(&mut self) {
        self.window = None;
    }

    pub fn script(&mut self, process: u32, script: &str) {
        let mut end = script.len().min(SCRIPT_SHOWN);
        while !script.is_char_boundary(end) {
            end -= 1;
        }
        let shown = printable(script[..end].trim_end());
        let more = if end < script.len() { " …" } else { "" };
        let lines = shown.replace('\n', "\n  ");
        self.line(&format!("\x1b[1m[{process}]$ {lines}{more}\x1b[0m"));
        self.last = Some(process);
    }

    pub fn output(&mut self, process: u32, data: &[u8]) {
        if self.last != Some(process) {
            self.line(&format!("\x1b[2m[{process}]\x1b[0m"));
            self.last = Some(process);
        }
        self.push(data);
        self.line_open = data.last() != Some(&b'\n');
    }

    pub fn exit(&mut self, process: u32, exit: Exit) {
        let how = match exit {
            Exit::Code(0) => "done".into(),
            Exit::Code(code) => format!("exit status {code}"),
            Exit::Signal(signal) => format!("ended by signal {signal}"),
            Exit::TimedOut => "out of time".into(),
        };
        self.line(&format!("\x1b[2m[{process}] {how}\x1b[0m"));
        self.last = None;
    }

    /// A line of ours.
    fn line(&mut self, text: &str) {
        self.push(RESET.as_bytes());
        if self.line_open {
            self.push(b"\n");
        }
        self.push(text.as_bytes());
        self.push(b"\n");
        self.line_open = false;
    }

    fn push(&mut self, data: &[u8]) {
        let room = PENDING_MAX - self.pending.len().min(PENDING_MAX);
        let (kept, lost) = data.split_at(data.len().min(room));
        self.pending.extend(kept);
        self.lost += lost.len() as u64;
    }

    /// Writes what the window takes now.
    pub fn flush(&mut self) {
        let Some(window) = &self.window else { return };
        loop {
            if self.pending.is_empty() {
                if self.lost == 0 {
                    return;
                }
                let lost = std::mem::take(&mut self.lost);
                self.pending.extend(format!("{RESET}\n[{lost} bytes are not shown]\n").as_bytes());
            }
            let (front, _) = self.pending.as_slices();
            match rustix::io::write(window, front) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => return self.window_is_gone(),
            }
        }
    }
}

/// A script as text: what would steer the terminal is shown instead.
fn printable(script: &str) -> String {
    let mut out = String::with_capacity(script.len());
    for c in script.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn watched(folder: &Path) -> (Mirror, UnixStream) {
        let socket = folder.join("mirror");
        let mut mirror = Mirror::listen(&socket).unwrap();
        let window = UnixStream::connect(&socket).unwrap();
        mirror.accept();
        (mirror, window)
    }

    fn shown(mirror: Mirror, mut window: UnixStream) -> String {
        drop(mirror);
        let mut text = String::new();
        window.read_to_string(&mut text).unwrap();
        text.replace(RESET, "").replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    }

    #[test]
    fn commands_are_told_apart_and_cannot_steer_the_terminal_by_their_script() {
        let folder = tempfile::tempdir().unwrap();
        let (mut mirror, window) = watched(folder.path());
        mirror.script(1, "echo a\x1b]0;x\x07\necho b\n");
        mirror.output(1, b"a\n");
        mirror.output(2, b"other");
        mirror.output(1, b"b\n");
        mirror.exit(1, Exit::Code(3));
        mirror.flush();
        assert_eq!(
            shown(mirror, window),
            "[1]$ echo a\\u{1b}]0;x\\u{7}\n  echo b\na\n[2]\nother\n[1]\nb\n[1] exit status 3\n"
        );
    }

    #[test]
    fn a_window_that_does_not_read_loses_output_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (mut mirror, mut window) = watched(folder.path());
        let piece = [b'x'; 64 << 10];
        for _ in 0..100 {
            mirror.output(1, &piece);
            mirror.flush();
            assert!(mirror.pending.len() <= PENDING_MAX);
        }
        window.set_nonblocking(true).unwrap();
        let mut got = Vec::new();
        while mirror.lost > 0 || !mirror.pending.is_empty() {
            let _ = window.read_to_end(&mut got);
            mirror.flush();
        }
        let text = String::from_utf8(got).unwrap() + &shown(mirror, window);
        assert!(text.len() < 100 * piece.len());
        assert!(text.contains("bytes are not shown"));
    }

    #[test]
    fn what_comes_before_the_window_is_shown_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("mirror");
        let mut mirror = Mirror::listen(&socket).unwrap();
        mirror.script(1, "true");
        mirror.flush();
        assert!(!mirror.is_watched());
        let window = UnixStream::connect(&socket).unwrap();
        mirror.accept();
        mirror.flush();
        assert_eq!(shown(mirror, window), "[1]$ true\n");
    }
}
