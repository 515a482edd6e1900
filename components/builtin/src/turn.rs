//! The loop: the model answers, its calls are run, their results go back, until it is done.

use std::path::Path;

use crate::answer::Answer;
use crate::events;
use crate::exports::xpressclaw::harness::agent::{Error, Stop};
use crate::failure::failed;
use crate::prompt;
use crate::request::Form;
use crate::session::Session;
use crate::tools::{Toolbox, run};
use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::llm::types::{Finish, Message};

/// Tool turns for one message of the user. A model that has not finished by then goes round in
/// circles more often than not, and each turn is paid for; the user can let it go on.
pub const STEPS_MAX: usize = 20;
/// From so many that are left the model is told, so that it can finish what matters.
const STEPS_LOW: usize = 3;
/// The window of a model that the host does not describe: small enough for any.
const ASSUMED_WINDOW: u64 = 32_768;

impl Session {
    /// One message of the user to its final answer.
    pub fn turn(&mut self, prompt: Vec<Part>) -> Result<Stop, Error> {
        self.inbox.begin();
        self.keep(Message::User(prompt))?;
        let stop = self.converse();
        // What was typed is never lost: the next turn begins with it.
        for parts in self.inbox.rest() {
            self.keep(Message::User(parts))?;
        }
        stop
    }

    fn converse(&mut self) -> Result<Stop, Error> {
        let model = self.model();
        let images = model.as_ref().is_none_or(|model| model.images);
        let window = model.as_ref().map_or(0, |model| u64::from(model.context_window));
        let window = if window == 0 { ASSUMED_WINDOW } else { window };
        let place = self.place(window, images);
        let toolbox = Toolbox::open();
        let workspace = Path::new(&self.config.workspace);
        let form = Form {
            model,
            settings: self.settings,
            system: prompt::system(workspace, self.config.role.as_deref(), STEPS_MAX),
            tools: toolbox.offered(),
        };
        let mut steps = 0;
        loop {
            let mut answer = Answer::default();
            let outcome = match self.answer(&form, window, &mut answer) {
                Ok(outcome) => outcome,
                Err(error) => {
                    self.keep_some(answer.said())?;
                    return failed(error);
                }
            };
            let calls = answer.calls();
            match outcome.finish {
                // A call may be cut off as well as a sentence: none is run.
                Finish::Length => {
                    self.keep_some(answer.said())?;
                    return Ok(Stop::MaxTokens);
                }
                Finish::Refusal => {
                    self.keep_some(answer.said())?;
                    return Ok(Stop::Refusal);
                }
                Finish::Stop | Finish::ToolCalls => self.keep_some(answer.message())?,
            }
            if calls.is_empty() {
                if self.inbox.cancelled() {
                    return Ok(Stop::Cancelled);
                }
                if self.steered()? {
                    continue;
                }
                let Some(parts) = self.inbox.follow_up() else { return Ok(Stop::EndTurn) };
                self.keep(Message::User(parts))?;
                steps = 0;
                continue;
            }
            steps += 1;
            let mut results = run(&calls, &toolbox, &place, &mut self.inbox);
            let left = STEPS_MAX - steps;
            if let Some(last) = results.last_mut().filter(|_| left <= STEPS_LOW) {
                last.content.push(Part::Text(running_out(left)));
            }
            for result in results {
                self.keep(Message::Tool(result))?;
            }
            if self.inbox.cancelled() {
                return Ok(Stop::Cancelled);
            }
            self.steered()?;
            if left == 0 {
                events::message(format!(
                    "I stopped after {STEPS_MAX} tool turns without being done. What was done \
                     stays; tell me to go on, or what to do instead."
                ));
                return Ok(Stop::MaxSteps);
            }
        }
    }

    /// Adds what the user said meanwhile; says whether there was anything.
    fn steered(&mut self) -> Result<bool, Error> {
        let steers = self.inbox.steers();
        let any = !steers.is_empty();
        for parts in steers {
            self.keep(Message::User(parts))?;
        }
        Ok(any)
    }

    fn keep_some(&mut self, message: Option<Message>) -> Result<(), Error> {
        message.map_or(Ok(()), |message| self.keep(message))
    }

    fn keep(&mut self, message: Message) -> Result<(), Error> {
        self.history.push(message).map_err(|error| Error::Other(error.to_string()))
    }
}

fn running_out(left: usize) -> String {
    match left {
        0 => "[this was the last tool turn for this message of the user]".to_owned(),
        1 => "[1 tool turn is left: finish, and say what remains]".to_owned(),
        _ => format!("[{left} tool turns are left: finish what matters, and say what remains]"),
    }
}
