//! How far a download is, on stderr: one line that is rewritten on a terminal, a line every so
//! often elsewhere, so that a log stays readable.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use models::Event;

use super::super::output::{note, size};

/// Between two rewritten lines: faster than anybody reads costs a slow terminal.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(30);
/// The speed is that of about the last so many seconds.
const SPEED_WINDOW: Duration = Duration::from_secs(5);
const ERASE_LINE: &str = "\r\x1b[K";

pub struct Progress {
    terminal: bool,
    shown: Option<Instant>,
    line: bool,
    since: (Instant, u64),
    speed: Option<u64>,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            shown: None,
            line: false,
            since: (Instant::now(), 0),
            speed: None,
        }
    }

    pub fn event(&mut self, event: Event) {
        match event {
            Event::Started { from, total } => {
                self.since = (Instant::now(), from);
                self.speed = None;
                let total = total.map_or("of unknown size".to_owned(), size);
                self.say(&match from {
                    0 => format!("downloading {total}"),
                    from => format!("downloading {total}, from {} on", size(from)),
                });
            }
            Event::Arrived { bytes, total } => {
                let elapsed = self.since.0.elapsed();
                if elapsed >= SPEED_WINDOW || self.speed.is_none() {
                    self.speed = per_second(bytes.saturating_sub(self.since.1), elapsed);
                    if elapsed >= SPEED_WINDOW {
                        self.since = (Instant::now(), bytes);
                    }
                }
                self.often(|speed| line(bytes, total, speed));
            }
            Event::Checked { bytes } => {
                self.often(|_| format!("checking what is there, {}", size(bytes)));
            }
            Event::Waiting { reason, wait } => {
                self.say(&format!("{reason}; trying again in {} s", wait.as_secs().max(1)));
            }
            Event::StartedOver => self.say("the file is another one now; starting over"),
        }
    }

    /// Leaves the line free for what follows.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.line) {
            write(ERASE_LINE);
        }
    }

    fn say(&mut self, text: &str) {
        self.end();
        note(text);
    }

    fn often(&mut self, text: impl FnOnce(Option<u64>) -> String) {
        let pause = if self.terminal { ON_TERMINAL } else { ELSEWHERE };
        let now = Instant::now();
        let first = self.shown.is_none();
        if self.shown.is_some_and(|shown| now.duration_since(shown) < pause) {
            return;
        }
        self.shown = Some(now);
        let text = text(self.speed);
        if self.terminal {
            self.line = true;
            write(&format!("{ERASE_LINE}{text}"));
        } else if !first {
            note(&text);
        }
    }
}

fn line(bytes: u64, total: Option<u64>, speed: Option<u64>) -> String {
    let mut line = match total {
        Some(total) if total > 0 => {
            format!("{:3} %  {} of {}", bytes.saturating_mul(100) / total, size(bytes), size(total))
        }
        _ => size(bytes),
    };
    if let Some(speed) = speed.filter(|speed| *speed > 0) {
        line.push_str(&format!("  {}/s", size(speed)));
        if let Some(total) = total {
            line.push_str(&format!("  {} left", left(total.saturating_sub(bytes) / speed)));
        }
    }
    line
}

fn left(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

fn per_second(bytes: u64, elapsed: Duration) -> Option<u64> {
    let millis = u64::try_from(elapsed.as_millis()).ok().filter(|millis| *millis > 0)?;
    Some(bytes.saturating_mul(1_000) / millis)
}

fn write(text: &str) {
    let mut stderr = anstream::stderr().lock();
    // A closed stderr loses it.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        let mib = 1 << 20;
        assert_eq!(
            line(50 * mib, Some(200 * mib), Some(mib)),
            " 25 %  50 MiB of 200 MiB  1.0 MiB/s  2 min left"
        );
        assert_eq!(line(5 * mib, None, Some(mib)), "5.0 MiB  1.0 MiB/s");
        assert_eq!(line(5, Some(10), None), " 50 %  5 bytes of 10 bytes");
        assert_eq!(left(7_260), "2 h 1 min");
        assert_eq!(per_second(10, Duration::from_millis(500)), Some(20));
        assert_eq!(per_second(10, Duration::ZERO), None);
    }
}
