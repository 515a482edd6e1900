//! Events on the screen: text for people, JSON for programs.

mod escape;
pub mod input;
mod summary;
mod text;

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use domain::Event;
use serde::Serialize;

use crate::cli::Format;

pub use escape::plain;
pub use summary::{millis, tokens};

pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const YELLOW: Style =
    Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
pub(crate) const RED: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
pub(crate) const CYAN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));

/// Prints a session's events. The answer (or the JSON) goes to stdout, all else to stderr.
pub struct Printer {
    format: Format,
    text: Mutex<text::Text>,
    closed: AtomicBool,
}

impl Printer {
    pub fn new(format: Format) -> Self {
        Self { format, text: Mutex::default(), closed: AtomicBool::new(false) }
    }

    /// One event; none any more after the output was closed.
    pub fn event(&self, event: &Event) {
        if self.is_closed() {
            return;
        }
        let printed = match self.format {
            Format::Json => json(event),
            Format::Text => self.locked(|text| text.event(event)),
        };
        if printed.is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Any object, in JSON; none any more after the output was closed.
    pub fn object<T: Serialize>(&self, object: &T) {
        if !self.is_closed() && json(object).is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Whether nobody reads any more, as behind `| head`: time to end what is under way.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// After the last event of a turn.
    pub fn end_of_turn(&self) {
        if self.format == Format::Text {
            let _ = self.locked(text::Text::end_of_turn);
        }
    }

    /// Something about the run itself, for people, on stderr.
    pub fn note(&self, note: &str) {
        let note = &plain(note);
        let _ = self.locked(|text| text.note(note));
    }

    /// A line for people, as it is, on stderr.
    pub fn plain_line(&self, line: &str) {
        let line = &plain(line);
        let _ = self.locked(|text| text.line(line));
    }

    /// A question that waits for a typed line; the cursor stays behind it.
    pub fn question(&self, text: &str) {
        let text = &plain(text);
        let _ = self.locked(|shown| shown.question(text));
    }

    /// A line was typed: the terminal has begun a new one.
    pub fn typed(&self) {
        self.locked(text::Text::typed);
    }

    fn locked<T>(&self, print: impl FnOnce(&mut text::Text) -> T) -> T {
        print(&mut self.text.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

fn json(object: &impl Serialize) -> std::io::Result<()> {
    let line = json_line(object)?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    stdout.flush()
}

/// A line of JSON. It may be looked at in a terminal, too: what JSON need not escape and a terminal
/// acts on all the same (the control characters above ASCII, Unicode's direction marks) is escaped.
pub fn json_line<T: Serialize>(value: &T) -> std::io::Result<String> {
    let plain = serde_json::to_string(value).map_err(std::io::Error::other)?;
    let mut line = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        match escape::is_harmless(c) {
            true => line.push(c),
            // Only texts hold such characters, and all of them are in the basic plane.
            false => line.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    line.push('\n');
    Ok(line)
}
