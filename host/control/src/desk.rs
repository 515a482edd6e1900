//! Where an agent's questions lie until somebody answers: the first valid answer wins.
//!
//! A question lives as long as somebody is there who could answer it. With nobody there it is
//! refused at once, and so is one above a bound. It never waits for those who only watch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::{Answer, Question, QuestionId, TurnInput, User};
use tokio::sync::{Notify, oneshot};

use crate::notes::{Note, Notes};
use crate::protocol::QUESTIONS_MAX;

/// Why an answer does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error("the question is over: it was answered or withdrawn")]
    Gone,
    #[error("`{text}` is none of the choices: {}", choices.join(", "))]
    Choice { text: String, choices: Vec<String> },
}

/// See the module. One per session.
#[derive(Debug, Default)]
pub struct Desk {
    state: Mutex<State>,
    noted: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: Vec<Open>,
    answerers: usize,
    notes: Notes,
}

#[derive(Debug)]
struct Open {
    question: Question,
    answer: oneshot::Sender<Answer>,
}

/// Somebody who answers is there, as long as this is kept.
#[derive(Debug)]
pub struct Attendance(Arc<Desk>);

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is there who answers.
    pub fn attend(self: &Arc<Self>) -> Attendance {
        self.state().answerers += 1;
        Attendance(self.clone())
    }

    /// The open questions, the oldest first.
    pub fn open(&self) -> Vec<Question> {
        self.state().open.iter().map(|open| open.question.clone()).collect()
    }

    /// Answers an open question in the name of `by`.
    pub fn answer(&self, id: &QuestionId, text: &str, by: &str) -> Result<(), AnswerError> {
        let mut state = self.state();
        let at = state.find(id).ok_or(AnswerError::Gone)?;
        let choices = &state.open[at].question.choices;
        if !choices.is_empty() && !choices.iter().any(|choice| choice == text) {
            let (text, choices) = (text.to_owned(), choices.clone());
            return Err(AnswerError::Choice { text, choices });
        }
        let answer = Answer { text: text.to_owned(), by: by.to_owned() };
        // Whoever asked may be gone since; then its withdrawal has not come this far yet.
        if state.open.remove(at).answer.send(answer.clone()).is_err() {
            state.notes.over(id, None);
            drop(state);
            self.noted.notify_one();
            return Err(AnswerError::Gone);
        }
        state.notes.over(id, Some(answer));
        drop(state);
        self.noted.notify_one();
        Ok(())
    }

    /// One of those who answer has none for this question. It is over when there is nobody else.
    pub fn pass(&self, id: &QuestionId) {
        if self.state().answerers <= 1 {
            self.withdraw(id);
        }
    }

    fn withdraw(&self, id: &QuestionId) {
        let mut state = self.state();
        let Some(at) = state.find(id) else { return };
        state.open.remove(at);
        state.notes.over(id, None);
        drop(state);
        self.noted.notify_one();
    }

    fn put(&self, question: &Question) -> Option<oneshot::Receiver<Answer>> {
        let mut state = self.state();
        if state.answerers == 0 || state.open.len() >= QUESTIONS_MAX {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        state.open.push(Open { question: question.clone(), answer });
        state.notes.push(Note::Asked(question.clone()));
        drop(state);
        self.noted.notify_one();
        Some(answered)
    }

    /// `false`: too many wait to be shown; the input is not to be given.
    pub(crate) fn has_room(&self) -> bool {
        self.state().notes.has_room()
    }

    pub(crate) fn input(&self, by: &str, input: TurnInput) {
        self.state().notes.push(Note::Input { by: by.to_owned(), input });
        self.noted.notify_one();
    }

    /// The next note, for the session's owner. Cancel-safe; one at a time.
    pub(crate) async fn note(&self) -> Note {
        loop {
            if let Some(note) = self.try_note() {
                return note;
            }
            self.noted.notified().await;
        }
    }

    pub(crate) fn try_note(&self) -> Option<Note> {
        self.state().notes.pop()
    }
}

impl State {
    fn find(&self, id: &QuestionId) -> Option<usize> {
        self.open.iter().position(|open| open.question.id == *id)
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.answerers -= 1;
        if state.answerers > 0 {
            return;
        }
        for open in std::mem::take(&mut state.open) {
            state.notes.over(&open.question.id, None);
        }
        drop(state);
        self.0.noted.notify_one();
    }
}

/// Withdraws the question of a future that is dropped.
struct Asking<'a>(&'a Desk, &'a QuestionId);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.withdraw(self.1);
    }
}

#[async_trait]
impl User for Desk {
    async fn ask(&self, question: &Question) -> Option<Answer> {
        let answered = self.put(question)?;
        let _asking = Asking(self, &question.id);
        answered.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn question() -> Question {
        Question::new("which?", ["red".to_owned(), "blue".to_owned()])
    }

    fn notes(desk: &Desk) -> Vec<Note> {
        std::iter::from_fn(|| desk.try_note()).collect()
    }

    #[tokio::test]
    async fn nobody_there_is_no_answer_at_once() {
        let desk = Arc::new(Desk::default());
        assert_eq!(desk.ask(&question()).now_or_never(), Some(None));
        assert_eq!(notes(&desk), []);
    }

    #[tokio::test]
    async fn the_first_valid_answer_wins() {
        let desk = Arc::new(Desk::default());
        let _here = (desk.attend(), desk.attend());
        let asked = question();
        let (answer, ()) = tokio::join!(desk.ask(&asked), async {
            assert_eq!(desk.note().await, Note::Asked(asked.clone()));
            assert_eq!(desk.open(), std::slice::from_ref(&asked));
            let wrong = desk.answer(&asked.id, "green", "a");
            assert!(matches!(wrong, Err(AnswerError::Choice { .. })), "{wrong:?}");
            assert_eq!(desk.answer(&asked.id, "blue", "b"), Ok(()));
            assert_eq!(desk.answer(&asked.id, "red", "a"), Err(AnswerError::Gone));
        });
        let answer = answer.unwrap();
        assert_eq!((answer.text.as_str(), answer.by.as_str()), ("blue", "b"));
        assert_eq!(notes(&desk), [Note::Over { id: asked.id, answer: Some(answer) }]);
    }

    #[tokio::test]
    async fn it_is_over_when_the_last_answerer_leaves_or_passes() {
        let desk = Arc::new(Desk::default());
        let (one, two) = (desk.attend(), desk.attend());
        let (first, second) = (question(), question());
        let mut asking = Box::pin(desk.ask(&first));
        assert!(asking.as_mut().now_or_never().is_none());
        desk.pass(&first.id);
        assert!(asking.as_mut().now_or_never().is_none(), "another may still answer");
        drop(one);
        assert!(asking.as_mut().now_or_never().is_none());
        desk.pass(&first.id);
        assert_eq!(asking.await, None);
        let mut asking = Box::pin(desk.ask(&second));
        assert!(asking.as_mut().now_or_never().is_none());
        drop(two);
        assert_eq!(asking.await, None);
        assert_eq!(desk.open(), []);
    }

    #[tokio::test]
    async fn a_withdrawn_question_is_told_only_to_those_who_saw_it() {
        let desk = Arc::new(Desk::default());
        let _here = desk.attend();
        let (unseen, seen) = (question(), question());
        for _ in 0..10_000 {
            assert!(desk.ask(&unseen).now_or_never().is_none());
        }
        assert_eq!(notes(&desk), []);
        let mut asking = Box::pin(desk.ask(&seen));
        assert!(asking.as_mut().now_or_never().is_none());
        assert_eq!(notes(&desk), [Note::Asked(seen.clone())]);
        drop(asking);
        assert_eq!(notes(&desk), [Note::Over { id: seen.id.clone(), answer: None }]);
        assert_eq!(desk.answer(&seen.id, "red", "late"), Err(AnswerError::Gone));
    }

    #[tokio::test]
    async fn too_many_questions_are_refused() {
        let desk = Arc::new(Desk::default());
        let _here = desk.attend();
        let questions: Vec<_> = (0..QUESTIONS_MAX).map(|_| question()).collect();
        let mut asking: Vec<_> = questions.iter().map(|question| desk.ask(question)).collect();
        for asking in &mut asking {
            assert!(asking.now_or_never().is_none());
        }
        assert_eq!(desk.ask(&question()).now_or_never(), Some(None));
    }
}
