//! A harness that keeps the contract but for one duty, which the settings name: `{"misfit":
//! "buffers"}`. Without a name it keeps all. The conformance suite has to find each of them out; it
//! is never shipped or listed.

wit_bindgen::generate!({
    world: "xpressclaw:harness/harness",
    path: [
        "../../../wit/deps/io.wit", "../../../wit/deps/clocks.wit", "../../../wit/deps/random.wit",
        "../../../wit/deps/filesystem.wit", "../../../wit/deps/sockets.wit",
        "../../../wit/deps/cli.wit", "../../../wit/deps/http.wit", "../../../wit/base",
        "../../../wit/llm", "../../../wit/xclaw", "../../../wit/tools", "../../../wit/machine",
        "../../../wit/harness",
    ],
    generate_all,
});

mod session;
mod tool;

use std::cell::RefCell;

use exports::xpressclaw::harness::agent::{Config, Error, Features, Guest, Stop};
use session::Session;
use xpressclaw::base::content::Part;
use xpressclaw::llm::types as llm;

struct Misfit;
export!(Misfit);

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// The duty that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    Nothing,
    /// Shows an answer when it is whole.
    Buffers,
    /// Begins each turn without what was said before.
    Forgets,
    /// Begins each process without what was said before.
    ForgetsPast,
    /// Ends the turn at a call.
    IgnoresCalls,
    /// Says that every call succeeded.
    Boasts,
    /// Panics at arguments that it cannot read.
    Panics,
    /// Says that it heeds input and does not.
    IgnoresInput,
    /// Returns an error when it is cancelled.
    FailsOnCancel,
    /// Has another word for every failure.
    Mumbles,
    /// Accepts no answer of another model.
    Insists,
    /// Says of every end that it was a good one.
    Embellishes,
    /// Puts what any session of its agent was told into every request.
    Gossips,
    /// Shows no more than 64 KiB.
    Cuts,
    /// Shows letters of English only.
    Ascii,
    /// Says that it takes images and drops them.
    Blind,
    /// Never ends a call for those who watch.
    Silent,
}

impl Broken {
    fn named(settings: &str) -> Self {
        let settings: serde_json::Value = serde_json::from_str(settings).unwrap_or_default();
        match settings["misfit"].as_str() {
            Some("buffers") => Self::Buffers,
            Some("forgets") => Self::Forgets,
            Some("forgets-past") => Self::ForgetsPast,
            Some("ignores-calls") => Self::IgnoresCalls,
            Some("boasts") => Self::Boasts,
            Some("panics") => Self::Panics,
            Some("ignores-input") => Self::IgnoresInput,
            Some("fails-on-cancel") => Self::FailsOnCancel,
            Some("mumbles") => Self::Mumbles,
            Some("insists") => Self::Insists,
            Some("embellishes") => Self::Embellishes,
            Some("gossips") => Self::Gossips,
            Some("cuts") => Self::Cuts,
            Some("ascii") => Self::Ascii,
            Some("blind") => Self::Blind,
            Some("silent") => Self::Silent,
            Some(unknown) => panic!("nobody knows the misfit {unknown}"),
            None => Self::Nothing,
        }
    }
}

impl Guest for Misfit {
    async fn start(config: Config) -> Result<Features, Error> {
        let broken = Broken::named(&config.settings);
        SESSION.set(Some(Session::new(broken, config)));
        Ok(Features::IMAGES | Features::STEER)
    }

    async fn turn(prompt: Vec<Part>) -> Result<Stop, Error> {
        let mut session = SESSION.take().ok_or_else(|| Error::Other("not started".to_owned()))?;
        let stop = session.turn(prompt);
        let broken = session.broken;
        SESSION.set(Some(session));
        stop.or_else(|error| failed(broken, error))
    }
}

fn failed(broken: Broken, error: llm::Error) -> Result<Stop, Error> {
    match (broken, &error) {
        (Broken::FailsOnCancel, llm::Error::Cancelled) | (Broken::Mumbles, _) => {
            return Err(Error::Other("something went wrong".to_owned()));
        }
        (Broken::Embellishes, _) => return Ok(Stop::EndTurn),
        _ => {}
    }
    Err(match error {
        llm::Error::Cancelled => return Ok(Stop::Cancelled),
        llm::Error::BudgetExhausted(budget) => Error::Budget(budget.message),
        llm::Error::InvalidRequest(text) => Error::Invalid(text),
        llm::Error::ProviderFailed(failure) => Error::Model(failure.message),
        other => Error::Model(format!("{other:?}")),
    })
}
