//! What happens beside the events of a session, on its way to the session's owner.
//!
//! A queue and not a channel: a question that is withdrawn before it was shown leaves it again, so
//! that it is bounded by what is open, however fast a guest asks and withdraws.

use std::collections::VecDeque;

use domain::{Answer, Question, QuestionId, TurnInput};

/// See the module. The owner shows it, then passes it to `Seat::show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    Asked(Question),
    /// `None`: withdrawn, or nobody is left who could answer.
    Over {
        id: QuestionId,
        answer: Option<Answer>,
    },
    /// The input is given to the session already.
    Input {
        by: String,
        input: TurnInput,
    },
}

/// Inputs that wait to be shown: as many as a session takes (`harness` has the same bound).
const INPUTS_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub(crate) struct Notes(VecDeque<Note>);

impl Notes {
    pub fn push(&mut self, note: Note) {
        self.0.push_back(note);
    }

    /// A question is over. One that nobody has seen and nobody answered was never there.
    pub fn over(&mut self, id: &QuestionId, answer: Option<Answer>) {
        let unseen = |note: &Note| matches!(note, Note::Asked(question) if question.id == *id);
        if let Some(at) = self.0.iter().position(unseen)
            && answer.is_none()
        {
            self.0.remove(at);
        } else {
            self.0.push_back(Note::Over { id: id.clone(), answer });
        }
    }

    pub fn has_room(&self) -> bool {
        self.0.iter().filter(|note| matches!(note, Note::Input { .. })).count() < INPUTS_MAX
    }

    pub fn pop(&mut self) -> Option<Note> {
        self.0.pop_front()
    }
}
