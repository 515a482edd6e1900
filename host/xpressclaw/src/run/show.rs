//! What a run shows and takes: events and notes in one order, to the screen and to those who
//! watch; lines typed here and inputs from there, to the harness.

use std::sync::Arc;

use control::{Attendance, Desk, Note, Seat};
use domain::{Answer, Event, Part, TurnInput};
use harness::TurnHandle;

use crate::asked::{self, Asked};
use crate::render::{Printer, input};
use crate::typed::{Typed, Typing};

/// Who speaks at the run's own terminal.
const HERE: &str = "terminal";

/// See the module. Dropping it ends the session for those who watch.
pub struct Show {
    pub printer: Printer,
    seat: Seat,
    desk: Arc<Desk>,
    handle: TurnHandle,
    /// Kept where somebody can be asked.
    present: Option<Attendance>,
    asked: Asked,
}

impl Show {
    /// `present`: a person sees what is printed and can type.
    pub fn new(
        printer: Printer,
        seat: Seat,
        desk: Arc<Desk>,
        handle: TurnHandle,
        present: bool,
    ) -> Self {
        let present = present.then(|| desk.attend());
        Self { printer, seat, desk, handle, present, asked: Asked::default() }
    }

    /// Lines of the terminal, for the turn that begins.
    pub fn typing(&self) -> std::io::Result<Typed> {
        if self.present.is_some() { Typed::terminal() } else { Ok(Typed::nothing()) }
    }

    pub fn event(&mut self, event: &Event) {
        self.seat.event(event);
        self.printer.event(event);
    }

    /// The next note. Cancel-safe.
    pub async fn next_note(&mut self) -> Note {
        self.seat.note().await
    }

    pub fn try_note(&mut self) -> Option<Note> {
        self.seat.try_note()
    }

    pub fn note(&mut self, note: Note, typed: &mut Typed) {
        self.seat.show(&note);
        match note {
            Note::Asked(question) => {
                if self.present.is_some() && self.asked.add(question) {
                    self.ask(typed);
                }
            }
            Note::Over { id, answer } => {
                match answer {
                    Some(Answer { by, text }) if by != HERE => {
                        self.printer.note(&format!("answered by {by}: {text}"));
                    }
                    _ => {}
                }
                if self.asked.over(&id) {
                    self.ask(typed);
                }
            }
            Note::Input { by, input } => self.printer.note(&input::told(&by, HERE, &input)),
        }
    }

    fn ask(&self, typed: &mut Typed) {
        match self.asked.first() {
            Some(question) => {
                self.printer.question(&asked::text(question));
                typed.expect();
            }
            None => typed.rest(),
        }
    }

    /// A line typed here: the answer to what was asked, or a steer.
    pub fn typed(&mut self, typing: Typing, typed: &mut Typed) {
        self.printer.typed();
        match (typing, self.asked.first()) {
            (Typing::Line(line), Some(question)) => match asked::answer(question, &line) {
                // One that came too late: somebody else was faster, and that is on its way here.
                Ok(text) => {
                    let _ = self.desk.answer(&question.id, &text, HERE);
                }
                Err(complaint) => {
                    self.printer.plain_line(&complaint);
                    self.ask(typed);
                }
            },
            (Typing::End, Some(question)) => self.desk.pass(&question.id),
            (Typing::Line(line), None) if !line.trim().is_empty() => {
                let steer = TurnInput::Steer(vec![Part::Text(line)]);
                if self.handle.send(steer.clone()) {
                    self.note(Note::Input { by: HERE.into(), input: steer }, typed);
                } else {
                    self.printer.note("too many lines wait for the harness; this one is dropped");
                }
            }
            (Typing::Line(_) | Typing::End, None) => {}
        }
    }

    /// Cancels the turn in the name of whoever sits here. Never refused.
    pub fn cancel(&mut self) {
        self.handle.cancel();
        self.seat.show(&Note::Input { by: HERE.into(), input: TurnInput::Cancel });
    }

    /// What was given to a turn that ended meanwhile.
    pub fn left(&self) -> Vec<Part> {
        session::leftovers(self.handle.leftovers())
    }
}
