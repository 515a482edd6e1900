//! Values larger than any limit, to every import that takes one.

use crate::bindings::exports::xpressclaw::harness::agent::Error;
use crate::bindings::xpressclaw::base::content::{Blob, Part};
use crate::bindings::xpressclaw::base::wait;
use crate::bindings::xpressclaw::harness::turn;
use crate::bindings::xpressclaw::harness::types::{Command, Event, PlanEntry, PlanStatus};
use crate::bindings::xpressclaw::llm::chat;
use crate::bindings::xpressclaw::llm::types::{Message, Tool};
use crate::bindings::xpressclaw::machine::shell;
use crate::bindings::xpressclaw::tools::tools;
use crate::bindings::xpressclaw::xclaw::{ask, log, memory, task};
use crate::models::request;
use crate::text::call;
use crate::{Words, number, told, word};

/// `large WHERE BYTES`: one value of so many bytes, or a list of so many entries.
pub fn play(words: Words<'_>) -> Result<String, Error> {
    let size = usize::try_from(number(words, 1, 17 << 20)).unwrap_or(usize::MAX);
    let text = || "x".repeat(size);
    let emit = |event: Event| {
        turn::emit(&event);
        "emitted".to_owned()
    };
    Ok(match word(words, 0) {
        "message" => emit(Event::Message(Part::Text(text()))),
        "image" => emit(Event::Message(Part::Blob(Blob {
            mime: "image/png".to_owned(),
            data: vec![0; size],
        }))),
        "thought" => emit(Event::Thought(text())),
        "title" => emit(Event::Title(text())),
        "notice" => emit(Event::Notice(text())),
        "call" => emit(Event::Call(call(&text()))),
        "other" => emit(Event::Other(("a.b".to_owned(), text()))),
        "plan" => {
            let entry = PlanEntry { text: String::new(), status: PlanStatus::Pending };
            emit(Event::Plan(vec![entry; size]))
        }
        "commands" => {
            let (name, description) = (text(), text());
            emit(Event::Commands(vec![Command { name, description, hint: None }]))
        }
        "log" => {
            log::write(log::Level::Info, &text());
            "written".to_owned()
        }
        "print" => {
            println!("{}", text());
            "written".to_owned()
        }
        "note" => told(memory::add(&text(), &[])),
        "tags" => told(memory::add("a", &vec![String::new(); size])),
        "search" => told(memory::search(&text(), u32::MAX)),
        "delete" => told(memory::delete(&text())),
        "list" => told(memory::list_notes(Some(&text()), u32::MAX)),
        "task" => told(task::create(&text(), "", None)),
        "detail" => told(task::create("a", &text(), None)),
        "parent" => told(task::create("a", "", Some(&text()))),
        "question" => told(ask::ask(&text(), &[])),
        "choices" => told(ask::ask("a", &vec![String::new(); size])),
        "permit" => told(turn::permit(&call(&text())).answer()),
        "prompt" => told(chat::complete(&request(&text())).map(drop)),
        "messages" => {
            let mut large = request("");
            large.messages = vec![Message::User(Vec::new()); size];
            told(chat::complete(&large).map(drop))
        }
        "model" => {
            let mut large = request("Hello.");
            large.model = Some(text());
            told(chat::complete(&large).map(drop))
        }
        "tool" => {
            let mut large = request("Hello.");
            let (name, description) = (text(), String::new());
            large.tools = vec![Tool { name, description, parameters: "{}".to_owned() }];
            told(chat::complete(&large).map(drop))
        }
        "schema" => {
            let mut large = request("Hello.");
            large.output_schema = Some("[".repeat(size));
            told(chat::complete(&large).map(drop))
        }
        "extra" => {
            let mut large = request("Hello.");
            large.extra = Some(format!("{{\"{}\": 1}}", text()));
            told(chat::complete(&large).map(drop))
        }
        "tool-call" => told(tools::call(&text(), &text(), &text()).map(drop)),
        "script" => told(
            shell::spawn(&shell::Command {
                script: text(),
                cwd: Some(text()),
                env: vec![(text(), String::new())],
                timeout_ms: None,
                pty: None,
                call_id: None,
            })
            .map(drop),
        ),
        "wait" => {
            let input = turn::input_ready();
            told::<_, ()>(Ok(wait::wait(&vec![&input; size], Some(0)).len()))
        }
        "failure" => return Err(Error::Other(text())),
        unknown => return Err(Error::Invalid(format!("no place {unknown}"))),
    })
}
