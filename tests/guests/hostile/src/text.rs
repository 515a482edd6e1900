//! Text that acts on a terminal, in everything that can hold text.

use crate::Words;
use crate::bindings::exports::xpressclaw::harness::agent::Error;
use crate::bindings::xpressclaw::base::content::{Link, Part};
use crate::bindings::xpressclaw::harness::turn::{self, emit};
use crate::bindings::xpressclaw::harness::types::{
    Call, CallContent, CallOutput, CallUpdate, Command, Diff, Event, Kind, Location, PlanEntry,
    PlanStatus, Status,
};
use crate::bindings::xpressclaw::xclaw::{ask, log, memory, task};

/// Changes the title, the clipboard, the colours, the direction and the cursor.
const EVIL: &str = "\x1b]0;owned\x07\x1b]52;c;aGk=\x1b\\\x1b[31m\x1b[2J\u{9b}5m\u{202e}\x08\r";

pub fn call(title: &str) -> Call {
    Call {
        id: "call".to_owned(),
        tool: "bash".to_owned(),
        kind: Kind::Execute,
        title: title.to_owned(),
        input: "{}".to_owned(),
        locations: Vec::new(),
    }
}

/// `paint [answer|error]`: every text is its own name between two evils.
pub fn paint(words: Words<'_>) -> Result<String, Error> {
    let evil = |name: &str| format!("{EVIL}{name}{EVIL}");
    emit(&Event::Title(evil("title")));
    emit(&Event::Notice(evil("notice")));
    emit(&Event::Thought(evil("thought")));
    emit(&Event::Message(Part::Text(evil("message"))));
    emit(&Event::Message(Part::Link(Link {
        uri: evil("uri"),
        mime: Some(evil("mime")),
        title: Some(evil("link-title")),
    })));
    let id = evil("call-id");
    emit(&Event::Call(Call {
        id: id.clone(),
        tool: evil("tool"),
        kind: Kind::Execute,
        title: evil("call-title"),
        input: evil("call-input"),
        locations: vec![Location { path: evil("location"), line: None }],
    }));
    emit(&Event::CallOutput(CallOutput { id: id.clone(), text: evil("call-output") }));
    for status in [Status::Completed, Status::Failed, Status::Denied] {
        let diff = Diff { path: evil("path"), old: Some(evil("old")), new: evil("new") };
        emit(&Event::CallUpdate(CallUpdate {
            id: id.clone(),
            status: Some(status),
            content: Some(vec![
                CallContent::Part(Part::Text(evil("call-content"))),
                CallContent::Diff(diff),
            ]),
            output: Some(evil("structured")),
        }));
    }
    emit(&Event::Plan(vec![PlanEntry { text: evil("plan"), status: PlanStatus::Pending }]));
    emit(&Event::Commands(vec![Command {
        name: evil("command"),
        description: evil("description"),
        hint: Some(evil("hint")),
    }]));
    emit(&Event::Other((evil("vendor.name"), evil("json"))));
    log::write(log::Level::Warn, &evil("log"));
    println!("{}", evil("stdout"));
    eprintln!("{}", evil("stderr"));
    drop(memory::add(&evil("note"), &[evil("tag")]));
    drop(memory::add(&evil("note"), &[]));
    drop(task::create(&evil("task"), &evil("detail"), None));
    drop(task::create("task", &evil("detail"), None));
    drop(turn::permit(&call(&evil("permit"))).answer());
    drop(ask::ask(&evil("question"), &[evil("choice"), evil("other")]));
    match words {
        ["error", ..] => Err(Error::Other(evil("failure"))),
        _ => Ok(evil("answer")),
    }
}
