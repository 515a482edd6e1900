//! The built-in harness: the model, the workspace, the machine, the verbs and the host's tools in
//! one loop, and nothing else. Small, native, and the whole of it in Rust.
//!
//! The host calls `start` once per instance and then `turn` for each message of the user. What
//! lives longer than a turn is in [`session::Session`]; the loop is in `turn`. Nothing here may
//! panic: a panic is a trap, which ends the instance.

wit_bindgen::generate!({
    world: "xpressclaw:harness/harness",
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
mod compact;
mod events;
mod failure;
mod history;
mod input;
mod model;
mod prompt;
mod request;
mod room;
mod session;
mod settings;
mod tokens;
mod tools;
mod turn;

use std::cell::RefCell;

use exports::xpressclaw::harness::agent::{Config, Error, Features, Guest, Stop};
use xpressclaw::base::content::Part;

use session::Session;

struct Builtin;
export!(Builtin);

thread_local! {
    /// A component has one thread: a cell is enough.
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

impl Guest for Builtin {
    async fn start(config: Config) -> Result<Features, Error> {
        SESSION.set(Some(Session::open(config)?));
        Ok(Features::IMAGES | Features::STEER)
    }

    async fn turn(prompt: Vec<Part>) -> Result<Stop, Error> {
        // Taken out for the turn; a turn is never called before the former one returned.
        let session = SESSION.take();
        let mut session = session.ok_or_else(|| Error::Other("not started".to_owned()))?;
        let stop = session.turn(prompt);
        SESSION.set(Some(session));
        stop
    }
}
