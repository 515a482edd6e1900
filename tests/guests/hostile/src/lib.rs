//! A harness that misbehaves on command. The prompt is the act and its arguments, in words
//! (`flood emit`); what the act came to is the answer. `{"start": "spin"}` in the settings plays an
//! act in `start`. For tests and benchmarks of the host: it is never shipped or listed.

#[rustfmt::skip]
mod bindings {
    wit_bindgen::generate!({
        inline: "
            package tests:hostile;
            world hostile {
                include xpressclaw:harness/harness@0.1.0;
                import wasi:filesystem/preopens@0.2.12;
                import wasi:http/outgoing-handler@0.2.12;
            }
        ",
        world: "tests:hostile/hostile",
        path: [
            "../../../wit/deps/io.wit", "../../../wit/deps/clocks.wit",
            "../../../wit/deps/random.wit", "../../../wit/deps/filesystem.wit",
            "../../../wit/deps/sockets.wit", "../../../wit/deps/cli.wit",
            "../../../wit/deps/http.wit", "../../../wit/base", "../../../wit/llm",
            "../../../wit/xclaw", "../../../wit/tools", "../../../wit/machine",
            "../../../wit/harness",
        ],
        generate_all,
    });
}

mod calls;
mod end;
mod files;
mod large;
mod memory;
mod models;
mod network;
mod text;

use bindings::exports::xpressclaw::harness::agent::{Config, Error, Features, Guest, Stop};
use bindings::xpressclaw::base::content::Part;
use bindings::xpressclaw::harness::turn;
use bindings::xpressclaw::harness::types::Event;

struct Hostile;
bindings::export!(Hostile with_types_in bindings);

/// The words after the act's name.
type Words<'a> = &'a [&'a str];

impl Guest for Hostile {
    async fn start(config: Config) -> Result<Features, Error> {
        if let Some((_, rest)) = config.settings.split_once("\"start\":\"")
            && let Some((act, _)) = rest.split_once('"')
        {
            play(act)?;
        }
        Ok(Features::empty())
    }

    async fn turn(prompt: Vec<Part>) -> Result<Stop, Error> {
        let Some(Part::Text(act)) = prompt.first() else {
            return Err(Error::Invalid("name an act".to_owned()));
        };
        let came_to = play(act)?;
        if !came_to.is_empty() {
            turn::emit(&Event::Message(Part::Text(came_to)));
        }
        Ok(Stop::EndTurn)
    }
}

fn play(act: &str) -> Result<String, Error> {
    let words: Vec<&str> = act.split_whitespace().collect();
    let Some((name, rest)) = words.split_first() else { return Ok(String::new()) };
    match *name {
        "say" => Ok(rest.join(" ")),
        "spin" => end::spin(),
        "trap" => end::trap(),
        "exit" => end::exit(rest),
        "fail" => Err(Error::Other(rest.join(" "))),
        "sulk" => end::sulk(),
        "ignore" => end::ignore(),
        "memory" => Ok(memory::all_of_it()),
        "memory-until-it-breaks" => memory::until_it_breaks(),
        "recurse" => Ok(memory::recurse(rest)),
        "flood" => calls::flood(rest),
        "leak" => calls::leak(rest),
        "ask-first" => Ok(calls::ask_first(rest)),
        "loop" => calls::repeat(rest),
        "large" => large::play(rest),
        "model" => models::ask(rest),
        "model-open" => models::open(rest),
        "model-trap" => models::trap_in_the_middle(),
        "model-sulk" => models::sulk(),
        "model-leave" => models::leave_open(),
        "paint" => text::paint(rest),
        "read" | "write" | "list" | "symlink" | "link" | "rename" => Ok(files::play(name, rest)),
        "http" | "connect" | "udp" | "listen" | "lookup" => Ok(network::play(name, rest)),
        unknown => Err(Error::Invalid(format!("no act {unknown}"))),
    }
}

/// The number among the words, or what stands for none.
fn number(words: Words<'_>, at: usize, otherwise: u64) -> u64 {
    words.get(at).and_then(|word| word.parse().ok()).unwrap_or(otherwise)
}

fn word<'a>(words: Words<'a>, at: usize) -> &'a str {
    words.get(at).copied().unwrap_or_default()
}

/// What came of something, as the answer tells it.
fn told<T, E: std::fmt::Debug>(result: Result<T, E>) -> String
where
    T: std::fmt::Debug,
{
    match result {
        Ok(value) => format!("ok: {value:?}"),
        Err(error) => format!("refused: {error:?}"),
    }
}
