//! Model calls: many, open, broken off.

use std::mem::forget;

use crate::bindings::exports::xpressclaw::harness::agent::Error;
use crate::bindings::xpressclaw::base::content::Part;
use crate::bindings::xpressclaw::base::wait;
use crate::bindings::xpressclaw::harness::turn;
use crate::bindings::xpressclaw::harness::types::Event as Said;
use crate::bindings::xpressclaw::llm::chat::{self, Completion};
use crate::bindings::xpressclaw::llm::types::{self as llm, Event, Message, Request, ToolChoice};
use crate::end::{self, FOR_EVER_MS};
use crate::text::call;
use crate::{Words, number, told};

pub fn request(text: &str) -> Request {
    Request {
        model: None,
        system: None,
        messages: vec![Message::User(vec![Part::Text(text.to_owned())])],
        tools: Vec::new(),
        tool_choice: ToolChoice::None,
        max_output_tokens: None,
        temperature: None,
        effort: None,
        output_schema: None,
        stop: Vec::new(),
        extra: None,
    }
}

pub fn failed(error: llm::Error) -> Error {
    Error::Model(format!("{error:?}"))
}

/// Reads a completion to its end.
pub fn to_its_end(completion: &Completion) -> Result<String, Error> {
    let mut answer = String::new();
    loop {
        for event in completion.next().map_err(failed)? {
            match event {
                Event::Text(piece) => answer.push_str(&piece),
                Event::Finished(_) => return Ok(answer),
                _ => {}
            }
        }
    }
}

/// `model [TIMES]`: one call after the other.
pub fn ask(words: Words<'_>) -> Result<String, Error> {
    let mut answer = String::new();
    for _ in 0..number(words, 0, 1) {
        answer = to_its_end(&chat::complete(&request("Hello.")).map_err(failed)?)?;
    }
    Ok(answer)
}

/// `model-open COUNT`: all at once.
pub fn open(words: Words<'_>) -> Result<String, Error> {
    let count = number(words, 0, 17);
    let mut open = Vec::new();
    for _ in 0..count {
        match chat::complete(&request("Hello.")) {
            Ok(completion) => open.push(completion),
            Err(error) => return Ok(format!("{} open, then {error:?}", open.len())),
        }
    }
    Ok(format!("{count} open"))
}

/// Traps after the first piece of an answer.
pub fn trap_in_the_middle() -> Result<String, Error> {
    let completion = chat::complete(&request("Hello.")).map_err(failed)?;
    let first = completion.next().map_err(failed)?;
    turn::emit(&Said::Notice(format!("{} pieces", first.len())));
    end::trap()
}

/// Sulks over the first piece of an answer.
pub fn sulk() -> Result<String, Error> {
    let completion = chat::complete(&request("Hello.")).map_err(failed)?;
    drop(completion.next());
    end::sulk()
}

/// Ends its turn with everything open that can be open.
pub fn leave_open() -> Result<String, Error> {
    forget(chat::complete(&request("Hello.")).map_err(failed)?);
    forget(wait::timer(FOR_EVER_MS));
    forget(turn::permit(&call("delete everything")));
    forget(turn::input_ready());
    Ok(told::<_, ()>(Ok("left")))
}
