//! Events as text: the answer on stdout, everything around it dimmed on stderr.

use std::io::{self, Write};

use domain::event::{CallContent, HarnessEvent, Status, Stop};
use domain::{Event, Part, Verdict};

use super::escape::{Filter, plain};
use super::{BOLD, CYAN, DIM, RED, YELLOW, millis, tokens};

/// Characters of a tool call's title.
const TITLE_CHARS: usize = 120;
/// Characters of a failed call's first line.
const REASON_CHARS: usize = 200;

/// What the cursor stands after.
#[derive(Default, PartialEq)]
enum At {
    #[default]
    LineStart,
    Answer,
    Thought,
    Question,
}

#[derive(Default)]
pub struct Text {
    at: At,
    filter: Filter,
}

impl Text {
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Harness(event) => self.harness(event),
            Event::Retry { attempt, reason, delay_ms, .. } => {
                let delay = millis(*delay_ms);
                self.line(&format!("{YELLOW}retry {attempt} in {delay}{YELLOW:#}: {}", plain(reason)))
            }
            Event::Downgrade { from, to, reason, left_out } => {
                self.line(&format!(
                    "{YELLOW}answering from `{}` instead of `{}`{YELLOW:#}: {}",
                    plain(to),
                    plain(from),
                    plain(reason)
                ))?;
                if left_out.is_nothing() {
                    return Ok(());
                }
                self.line(&format!("{DIM}left out, so that it fits `{}`: {left_out}{DIM:#}", plain(to)))
            }
            Event::Budget { message, .. } => self.line(&format!("{YELLOW}budget{YELLOW:#}: {message}")),
            Event::Overshoot { model, reserved, cost } => self.line(&format!(
                "{RED}`{}` charged {cost} where at most {reserved} was reserved{RED:#}; it is booked in full",
                plain(model)
            )),
            Event::Rollback { reason } => {
                self.line(&format!("{YELLOW}rolled back{YELLOW:#}: {}", plain(reason)))
            }
            Event::Refused { what, hint } => {
                self.line(&format!("{YELLOW}refused{YELLOW:#}: {}", plain(what)))?;
                if what.contains(hint.as_str()) { Ok(()) } else { self.line(&plain(hint)) }
            }
            Event::Server { server, message, hint } => self.line(&format!(
                "{YELLOW}MCP server `{}`{YELLOW:#}: {} {DIM}({}){DIM:#}",
                plain(server),
                plain(message),
                plain(hint)
            )),
            Event::Approval { kind, subject, verdict: Verdict::Denied, by, .. } => self.line(&format!(
                "{YELLOW}denied{YELLOW:#}: {kind} {} {DIM}({}){DIM:#}",
                first_line(subject, TITLE_CHARS),
                plain(by)
            )),
            Event::Verb { verb, summary } => {
                self.line(&format!("{CYAN}{verb}{CYAN:#} {DIM}{}{DIM:#}", first_line(summary, TITLE_CHARS)))
            }
            Event::TurnFinished { stop, models, usage, cost, elapsed_ms, .. } => {
                if let Some(why) = unusual(*stop) {
                    self.line(&format!("{YELLOW}{why}{YELLOW:#}"))?;
                }
                let models = match models.as_slice() {
                    [] => "no model answered".to_owned(),
                    models => plain(&models.join(", ")),
                };
                self.closing(&models, &tokens(usage), &cost.to_string(), *elapsed_ms)
            }
            Event::TurnFailed { usage, cost, elapsed_ms, .. } => {
                self.closing("failed", &tokens(usage), &cost.to_string(), *elapsed_ms)
            }
            // The question is printed where it is answered, failures where the command ends.
            Event::Ask { .. }
            | Event::Answered { .. }
            | Event::Approval { .. }
            | Event::TurnStarted { .. }
            | Event::StepStarted { .. }
            | Event::StepFinished { .. }
            | Event::StepFailed { .. } => Ok(()),
        }
    }

    fn harness(&mut self, event: &HarnessEvent) -> io::Result<()> {
        match event {
            HarnessEvent::Message { part: Part::Text(text) } => {
                let text = self.filter.next(text);
                self.answer(&text)
            }
            HarnessEvent::Message { part } => {
                let text = domain::content::plain_text(std::slice::from_ref(part));
                self.answer(&plain(&text))
            }
            HarnessEvent::Thought { text } => {
                let text = plain(text);
                if self.at != At::Thought {
                    self.fresh_line()?;
                }
                self.at = At::Thought;
                let mut stderr = anstream::stderr().lock();
                write!(stderr, "{DIM}{text}{DIM:#}")?;
                stderr.flush()
            }
            HarnessEvent::Call(call) => {
                let title = first_line(&call.title, TITLE_CHARS);
                self.line(&format!("{BOLD}●{BOLD:#} {title}"))
            }
            HarnessEvent::CallUpdate(update) => match update.status {
                Some(status @ (Status::Failed | Status::Denied)) => {
                    let word = if status == Status::Failed { "failed" } else { "denied" };
                    let reason = first_line(&text_of(update.content.as_deref()), REASON_CHARS);
                    self.line(&format!("  {RED}{word}{RED:#} {DIM}{reason}{DIM:#}"))
                }
                _ => Ok(()),
            },
            HarnessEvent::Notice { text } => self.line(&format!("{DIM}{}{DIM:#}", plain(text))),
            HarnessEvent::CallOutput { .. }
            | HarnessEvent::Plan { .. }
            | HarnessEvent::Commands { .. }
            | HarnessEvent::Title { .. }
            | HarnessEvent::Other { .. } => Ok(()),
        }
    }

    fn answer(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if matches!(self.at, At::Thought | At::Question) {
            self.fresh_line()?;
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        self.at = if text.ends_with('\n') { At::LineStart } else { At::Answer };
        Ok(())
    }

    /// Ends what is on the line, on the stream that it is on.
    fn fresh_line(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.at) {
            At::LineStart => Ok(()),
            At::Answer => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(b"\n")?;
                stdout.flush()
            }
            At::Thought | At::Question => writeln!(anstream::stderr().lock()),
        }
    }

    pub fn line(&mut self, line: &str) -> io::Result<()> {
        self.fresh_line()?;
        writeln!(anstream::stderr().lock(), "{line}")
    }

    pub fn note(&mut self, note: &str) -> io::Result<()> {
        self.line(&format!("{DIM}{note}{DIM:#}"))
    }

    pub fn question(&mut self, text: &str) -> io::Result<()> {
        self.fresh_line()?;
        let mut stderr = anstream::stderr().lock();
        write!(stderr, "\n? {text}\n? ")?;
        stderr.flush()?;
        self.at = At::Question;
        Ok(())
    }

    pub fn typed(&mut self) {
        if self.at == At::Question {
            self.at = At::LineStart;
        }
    }

    pub fn end_of_turn(&mut self) -> io::Result<()> {
        self.filter = Filter::default();
        self.fresh_line()
    }

    fn closing(&mut self, how: &str, tokens: &str, cost: &str, ms: u64) -> io::Result<()> {
        self.line(&format!("{DIM}{how} · {tokens} · {cost} · {}{DIM:#}", millis(ms)))
    }
}

fn unusual(stop: Stop) -> Option<&'static str> {
    match stop {
        Stop::EndTurn => None,
        Stop::MaxTokens => Some("the answer reached its output limit"),
        Stop::MaxSteps => Some("the harness reached its limit of steps"),
        Stop::Refusal => Some("the model refused"),
        Stop::Cancelled => Some("cancelled"),
    }
}

fn text_of(content: Option<&[CallContent]>) -> String {
    let parts: Vec<Part> = content
        .unwrap_or_default()
        .iter()
        .filter_map(|content| match content {
            CallContent::Part(part) => Some(part.clone()),
            CallContent::Diff(_) => None,
        })
        .collect();
    domain::content::plain_text(&parts)
}

/// The first line that says something, without what must not reach a terminal.
pub fn first_line(text: &str, max: usize) -> String {
    let text = plain(text);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    match line.char_indices().nth(max) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}
