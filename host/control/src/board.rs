//! The sessions of this process: their owners write here, connections read and act here.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::terminal::Terminals;
use domain::{AgentName, Answer, Event, NanoDollars, SessionId, TurnId, TurnInput};

use crate::desk::{AnswerError, Attendance, Desk};
use crate::feed::{Cursor, Feed};
use crate::notes::Note;
use crate::protocol::{Info, Input, Line, Notice, Questions, Reply, State};

/// What takes an input for the session's turn; `false`: too many wait.
pub type Take = Box<dyn Fn(TurnInput) -> bool + Send + Sync>;

/// A session that is put on the board.
pub struct Opening {
    pub session: SessionId,
    pub agent: AgentName,
    pub harness: String,
    pub model: String,
    /// Where the session's questions go.
    pub desk: Arc<Desk>,
    /// Must not block.
    pub take: Take,
    /// Where its machine's terminals come from.
    pub terminals: Arc<dyn Terminals>,
}

/// Why an input was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InputError {
    #[error("no turn is running in session `{0}`")]
    Idle(SessionId),
    #[error("too many inputs wait for session `{0}`")]
    Full(SessionId),
}

/// Why no session was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FindError {
    #[error("this process runs no session")]
    Empty,
    #[error("this process runs no session `{0}`")]
    Unknown(SessionId),
    #[error("this process runs several sessions: name one in `session`")]
    Several,
}

/// All sessions of this process. Cloning shares it.
#[derive(Clone, Default)]
pub struct Board(Arc<Mutex<Vec<Arc<Entry>>>>);

impl Board {
    fn entries(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a session as long as the seat is kept.
    pub fn open(&self, opening: Opening) -> Seat {
        let entry = Arc::new(Entry {
            opening,
            feed: Arc::new(Feed::new()),
            course: Mutex::new(Course { turn: None, since: now_ms(), cost: NanoDollars(0) }),
            watchers: AtomicUsize::new(0),
        });
        self.entries().push(entry.clone());
        Seat { board: self.clone(), entry }
    }

    /// Every session, in the order of their opening.
    pub fn list(&self) -> Vec<Info> {
        self.entries().iter().map(|entry| entry.info()).collect()
    }

    pub(crate) fn find(&self, session: Option<&SessionId>) -> Result<Arc<Entry>, FindError> {
        let entries = self.entries();
        match (session, entries.as_slice()) {
            (Some(id), entries) => entries
                .iter()
                .find(|entry| entry.opening.session == *id)
                .cloned()
                .ok_or_else(|| FindError::Unknown(id.clone())),
            (None, [one]) => Ok(one.clone()),
            (None, []) => Err(FindError::Empty),
            (None, _) => Err(FindError::Several),
        }
    }
}

/// One session.
pub(crate) struct Entry {
    opening: Opening,
    feed: Arc<Feed>,
    course: Mutex<Course>,
    watchers: AtomicUsize,
}

struct Course {
    turn: Option<TurnId>,
    since: u64,
    cost: NanoDollars,
}

/// Somebody watches, as long as this is kept.
pub(crate) struct Watching {
    pub cursor: Cursor,
    entry: Arc<Entry>,
    _answers: Option<Attendance>,
}

impl Entry {
    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn info(&self) -> Info {
        let Opening { session, agent, harness, model, desk, .. } = &self.opening;
        let questions = desk.open().len();
        let course = self.course();
        Info {
            session: session.clone(),
            agent: agent.clone(),
            harness: harness.clone(),
            model: model.clone(),
            state: match (&course.turn, questions) {
                (None, _) => State::Idle,
                (Some(_), 0) => State::Running,
                (Some(_), _) => State::Asking,
            },
            turn: course.turn.clone(),
            since: course.since,
            cost: course.cost,
            machine: self.opening.terminals.are_there(),
            watchers: self.watchers.load(Ordering::Relaxed),
            questions,
        }
    }

    pub fn questions(&self) -> Questions {
        Questions { questions: self.opening.desk.open() }
    }

    pub fn watch(self: &Arc<Self>, answers: bool) -> Watching {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        let answers = answers.then(|| self.opening.desk.attend());
        Watching { cursor: self.feed.read(), entry: self.clone(), _answers: answers }
    }

    #[cfg(unix)]
    pub fn attach(&self, size: domain::terminal::Size) -> crate::terminal::Attached {
        let Opening { session, terminals, .. } = &self.opening;
        crate::terminal::Attached::new(session.clone(), terminals.clone(), size)
    }

    /// Hands an input to the running turn, in the name of `by`.
    pub fn input(&self, input: TurnInput, by: &str) -> Result<(), InputError> {
        let id = || self.opening.session.clone();
        // Held until it is given: an input for this turn must not meet the next.
        let course = self.course();
        if course.turn.is_none() {
            return Err(InputError::Idle(id()));
        }
        let desk = &self.opening.desk;
        if !desk.has_room() || !(self.opening.take)(input.clone()) {
            return Err(InputError::Full(id()));
        }
        desk.input(by, input);
        Ok(())
    }

    pub fn answer(&self, reply: &Reply, by: &str) -> Result<(), AnswerError> {
        self.opening.desk.answer(&reply.question, &reply.text, by)
    }

    fn append<'e>(&self, notice: impl FnOnce(SessionId, u64) -> Notice<&'e Event>) {
        let notice = notice(self.opening.session.clone(), self.feed.next());
        // Our own types become JSON; were one not to, it would be missing from a view.
        if let Ok(line) = Line::write(notice) {
            self.feed.append(line);
        }
    }
}

impl Watching {
    pub fn session(&self) -> &SessionId {
        &self.entry.opening.session
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.entry.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The owner's end of a session on the board. Dropping it ends the session for all who watch.
pub struct Seat {
    board: Board,
    entry: Arc<Entry>,
}

impl Seat {
    /// Shows an event. Never waits.
    pub fn event(&mut self, event: &Event) {
        let mut course = self.entry.course();
        match event {
            Event::TurnStarted { turn, .. } => {
                course.turn = Some(turn.clone());
                course.since = now_ms();
                self.entry.feed.turn();
            }
            Event::TurnFinished { .. } | Event::TurnFailed { .. } => {
                course.turn = None;
                course.since = now_ms();
            }
            Event::StepFinished { cost, .. } => course.cost = course.cost.saturating_add(*cost),
            _ => {}
        }
        drop(course);
        self.entry.append(|session, seq| Notice::Event { session, seq, event });
    }

    /// The next note. The owner first shows the events before it, then the note. Cancel-safe.
    pub async fn note(&mut self) -> Note {
        self.entry.opening.desk.note().await
    }

    /// The next note if there is one now.
    pub fn try_note(&mut self) -> Option<Note> {
        self.entry.opening.desk.try_note()
    }

    /// Shows a note. Never waits.
    pub fn show(&mut self, note: &Note) {
        self.entry.append(|session, seq| match note.clone() {
            Note::Asked(question) => Notice::Question { session, seq, question },
            Note::Over { id: question, answer } => {
                let (by, text) = match answer {
                    Some(Answer { by, text }) => (Some(by), Some(text)),
                    None => (None, None),
                };
                Notice::Answered { session, seq, question, by, text }
            }
            Note::Input { by, input } => {
                let input = match input {
                    TurnInput::Steer(parts) => Input::Steer(parts),
                    TurnInput::FollowUp(parts) => Input::FollowUp(parts),
                    TurnInput::Cancel => Input::Cancel,
                };
                Notice::Input { session, seq, by, input }
            }
        });
    }

    pub fn info(&self) -> Info {
        self.entry.info()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.entry.append(|session, seq| Notice::Ended { session, seq });
        self.entry.feed.end();
        self.board.entries().retain(|entry| !Arc::ptr_eq(entry, &self.entry));
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
