//! Middleware between a harness and its models: secrets leave as placeholders, and where the model
//! answers with a placeholder the original comes back.
//!
//! The harness works with the real values all the time and knows nothing of this; the provider
//! never sees them. Nothing here writes a secret anywhere: the log gets counts. When in doubt a
//! text is redacted: a false alarm costs the model a word, and the answer is restored all the same.

wit_bindgen::generate!({
    world: "xpressclaw:harness/llm-middleware",
    // Every package that the world names, the named before the naming.
    path: [
        "../../wit/deps/io.wit", "../../wit/deps/clocks.wit", "../../wit/deps/random.wit",
        "../../wit/deps/filesystem.wit", "../../wit/deps/sockets.wit", "../../wit/deps/cli.wit",
        "../../wit/deps/http.wit", "../../wit/base", "../../wit/llm", "../../wit/xclaw",
        "../../wit/tools", "../../wit/machine", "../../wit/harness",
    ],
    generate_all,
});

mod answer;
mod find;
mod outgoing;
mod restore;
mod rules;
mod vault;

use std::cell::RefCell;

use exports::xpressclaw::llm::chat::{Completion, Guest, GuestCompletion};
use xpressclaw::base::wait::Waitable;
use xpressclaw::llm::chat;
use xpressclaw::llm::types::{Error, Event, Request};
use xpressclaw::xclaw::log::{self, Level};

use answer::Answer;
use find::Finder;
use vault::Vault;

struct Redactor;
export!(Redactor);

thread_local! {
    /// What lives as long as the session does. A component has one thread: a cell is enough.
    static KNOWN: RefCell<(Option<Finder>, Vault)> = RefCell::default();
}

impl Guest for Redactor {
    type Completion = Redacted;

    fn complete(mut request: Request) -> Result<Completion, Error> {
        let news = KNOWN.with_borrow_mut(|(finder, vault)| {
            let finder = match finder {
                Some(finder) => finder,
                // A request that cannot be looked through is not sent.
                None => finder.insert(Finder::new().map_err(Error::Other)?),
            };
            outgoing::redact(&mut request, finder, vault);
            Ok::<_, Error>(vault.take_news())
        })?;
        if let Some(news) = news {
            log::write(Level::Info, &news);
        }
        let inner = chat::complete(&request)?;
        Ok(Completion::new(Redacted { inner, answer: RefCell::default() }))
    }
}

/// A completion whose placeholders are replaced on the way in.
struct Redacted {
    inner: chat::Completion,
    answer: RefCell<Answer>,
}

impl GuestCompletion for Redacted {
    fn next(&self) -> Result<Vec<Event>, Error> {
        let mut answer = self.answer.borrow_mut();
        if let Some(error) = answer.take_failure() {
            return Err(error);
        }
        let arrived = self.inner.next();
        KNOWN.with_borrow(|(_, vault)| answer.restore(arrived, vault))
    }

    /// What is held back waits for more of it, so this is ready when the host's is.
    fn ready(&self) -> Waitable {
        if self.answer.borrow().has_failed() {
            return xpressclaw::base::wait::timer(0);
        }
        self.inner.ready()
    }
}
