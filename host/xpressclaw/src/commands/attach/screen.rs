//! What is shown of a session that runs elsewhere.

use control::protocol::{Input, Notice};
use domain::event::Stop;
use domain::{Event, TurnInput};
use serde_json::Value;

use crate::asked::{self, Asked};
use crate::cli::Format;
use crate::exit::Exit;
use crate::render::{Printer, input};
use crate::typed::Typed;

/// The session as far as it was seen.
pub struct Screen {
    pub printer: Printer,
    format: Format,
    /// How the protocol names this process.
    own: String,
    /// Whether a line typed here answers.
    answers: bool,
    pub asked: Asked,
    pub running: bool,
    /// How the last turn ended.
    pub exit: Exit,
}

impl Screen {
    pub fn new(format: Format, answers: bool, running: bool) -> Self {
        Self {
            printer: Printer::new(format),
            format,
            own: format!("attach (pid {})", std::process::id()),
            answers,
            asked: Asked::default(),
            running,
            exit: Exit::Ok,
        }
    }

    /// Shows a notification. `false`: it was the last one.
    pub fn notice(&mut self, notice: Notice, typed: &mut Typed) -> bool {
        if self.format == Format::Json {
            self.printer.object(&flat(&notice));
        }
        match notice {
            Notice::Hello(_) => {}
            Notice::Event { event, .. } => self.event(event),
            Notice::Question { question, .. } => self.question(question, typed),
            Notice::Answered { question, by, text, .. } => {
                if let (Some(by), Some(text)) = (by, text)
                    && by != self.own
                {
                    self.note(&format!("answered by {by}: {text}"));
                }
                if self.asked.over(&question) {
                    self.ask(typed);
                }
            }
            Notice::Input { by, input, .. } => {
                let input = match input {
                    Input::Steer(parts) => TurnInput::Steer(parts),
                    Input::FollowUp(parts) => TurnInput::FollowUp(parts),
                    Input::Cancel => TurnInput::Cancel,
                };
                self.note(&input::told(&by, &self.own, &input));
            }
            Notice::Lagged { missed, .. } => {
                self.note(&format!("{missed} entries are not shown: too old, or too large"));
            }
            Notice::Ended { .. } => return false,
            // Only for who asked for a terminal.
            Notice::TerminalOutput { .. } | Notice::TerminalEnded { .. } => {}
        }
        true
    }

    /// An event; one of a newer version is skipped.
    fn event(&mut self, event: Value) {
        let Ok(event) = serde_json::from_value::<Event>(event) else { return };
        match &event {
            Event::TurnStarted { .. } => self.running = true,
            Event::TurnFinished { stop, .. } => {
                self.running = false;
                self.exit = if *stop == Stop::Cancelled { Exit::Cancelled } else { Exit::Ok };
            }
            Event::TurnFailed { fault, .. } => {
                self.running = false;
                self.exit = (*fault).into();
            }
            _ => {}
        }
        if self.format == Format::Json {
            return;
        }
        self.printer.event(&event);
        match &event {
            Event::TurnFinished { .. } => self.printer.end_of_turn(),
            Event::TurnFailed { message, .. } => {
                self.printer.end_of_turn();
                self.printer.note(&format!("the turn failed: {message}"));
            }
            _ => {}
        }
    }

    /// A question that waits; one that is known already is not shown again.
    pub fn question(&mut self, question: domain::Question, typed: &mut Typed) {
        if self.format == Format::Json {
            return;
        }
        if !self.answers {
            return self.printer.note(&format!("a question waits: {}", asked::text(&question)));
        }
        if self.asked.add(question) {
            self.ask(typed);
        }
    }

    pub fn ask(&self, typed: &mut Typed) {
        match self.asked.first() {
            Some(question) => {
                self.printer.question(&asked::text(question));
                typed.expect();
            }
            None => typed.rest(),
        }
    }

    /// For people; a program has it in the notification.
    fn note(&self, note: &str) {
        if self.format == Format::Text {
            self.printer.note(note);
        }
    }
}

/// A notification as one flat object: its method as `kind`, then what it says.
fn flat(notice: &Notice) -> Value {
    let mut object = serde_json::Map::new();
    if let Ok(Value::Object(mut notice)) = serde_json::to_value(notice) {
        object.insert("kind".into(), notice.remove("method").unwrap_or_default());
        if let Some(Value::Object(params)) = notice.remove("params") {
            object.extend(params);
        }
    }
    Value::Object(object)
}
