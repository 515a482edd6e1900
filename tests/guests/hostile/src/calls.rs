//! Host calls without end, without purpose, and without giving back what they returned.

use std::mem::forget;

use crate::bindings::exports::xpressclaw::harness::agent::Error;
use crate::bindings::wasi::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use crate::bindings::wasi::http::types::Fields;
use crate::bindings::xpressclaw::base::content::Part;
use crate::bindings::xpressclaw::base::wait;
use crate::bindings::xpressclaw::harness::turn;
use crate::bindings::xpressclaw::harness::types::{Call, Event};
use crate::bindings::xpressclaw::llm::{chat, models as llm_models};
use crate::bindings::xpressclaw::machine::shell;
use crate::bindings::xpressclaw::tools::tools;
use crate::bindings::xpressclaw::xclaw::{ask, budget, log, memory, task, version};
use crate::end::FOR_EVER_MS;
use crate::models::request;
use crate::text::call;
use crate::{Words, files, number, told, word};

/// `flood CALL [TIMES]`: without a number for ever. Answers and errors are ignored.
pub fn flood(words: Words<'_>) -> Result<String, Error> {
    let times = number(words, 1, u64::MAX);
    let text = "x".repeat(usize::try_from(number(words, 2, 100)).unwrap_or(100));
    let once: Box<dyn Fn()> = match word(words, 0) {
        "emit" => Box::new(|| turn::emit(&Event::Message(Part::Text(text.clone())))),
        "wait" => Box::new(|| drop(wait::wait(&[], Some(0)))),
        "timer" => Box::new(|| drop(wait::timer(FOR_EVER_MS))),
        "log" => Box::new(|| log::write(log::Level::Info, &text)),
        "print" => Box::new(|| println!("{text}")),
        "memory" => Box::new(|| drop(memory::add(&text, &[]))),
        "search" => Box::new(|| drop(memory::search(&text, 100))),
        "task" => Box::new(|| drop(task::create(&text, &text, None))),
        "budget" => Box::new(|| drop(budget::status())),
        "version" => Box::new(|| drop(version::get())),
        "ask" => Box::new(|| drop(ask::ask(&text, &[]))),
        "permit" => Box::new(|| drop(turn::permit(&call(&text)))),
        "input" => Box::new(|| drop(turn::take_input())),
        "models" => Box::new(|| drop(llm_models::list_models())),
        "tools" => Box::new(|| drop(tools::call(&text, "{}", "1"))),
        "shell" => Box::new(|| {
            drop(shell::spawn(&shell::Command {
                script: text.clone(),
                cwd: None,
                env: Vec::new(),
                timeout_ms: None,
                pty: None,
                call_id: None,
            }));
        }),
        "complete" => {
            let mut refused = request(&text);
            refused.max_output_tokens = Some(0);
            Box::new(move || drop(chat::complete(&refused)))
        }
        "file" => Box::new(|| drop(std::fs::read("/workspace/none"))),
        unknown => return Err(Error::Invalid(format!("no call {unknown}"))),
    };
    for _ in 0..times {
        once();
    }
    Ok(format!("{times} times"))
}

/// `leak HANDLE`: keeps what it gets, until the host has enough.
pub fn leak(words: Words<'_>) -> Result<String, Error> {
    let input = turn::input_ready();
    let once: Box<dyn Fn()> = match word(words, 0) {
        "timer" => Box::new(|| forget(wait::timer(FOR_EVER_MS))),
        "input" => Box::new(|| forget(turn::input_ready())),
        "permit" => Box::new(|| forget(turn::permit(&call("delete everything")))),
        "fields" => Box::new(|| forget(Fields::new())),
        // By descriptors of the host's: the standard library has a smaller limit of its own.
        "file" => {
            let workspace = files::workspace();
            let (reading, folder) = (DescriptorFlags::READ, OpenFlags::DIRECTORY);
            Box::new(move || {
                let opened = workspace.open_at(PathFlags::empty(), ".", folder, reading);
                forget(opened.expect("the host has enough"));
            })
        }
        unknown => return Err(Error::Invalid(format!("no handle {unknown}"))),
    };
    for _ in 0..number(words, 1, u64::MAX) {
        once();
    }
    Ok(format!("{}", input.ready()))
}

/// `ask-first TOOL ARGUMENTS`: asks for approval of a call of the host's tool, and then makes it, the
/// way a harness with a permission dialog of its own would. With `twice` before the tool's name the
/// call is made twice.
pub fn ask_first(words: Words<'_>) -> String {
    let (times, words) = match words {
        ["twice", rest @ ..] => (2, rest),
        words => (1, words),
    };
    let (tool, arguments) = (word(words, 0), words.get(1..).unwrap_or_default().join(" "));
    let call = Call {
        id: "ask-first".to_owned(),
        tool: tool.to_owned(),
        input: arguments.clone(),
        ..call(tool)
    };
    turn::emit(&Event::Call(call.clone()));
    if let Err(refusal) = turn::permit(&call).answer() {
        return format!("refused ahead: {refusal:?}");
    }
    let once = |_| match tools::call(tool, &arguments, &call.id) {
        Ok(invocation) => told(invocation.finish().map(|output| output.content)),
        Err(error) => format!("refused at once: {error:?}"),
    };
    (0..times).map(once).collect::<Vec<_>>().join("; ")
}

/// `loop CALL TIMES`, for benchmarks: nothing but the call.
pub fn repeat(words: Words<'_>) -> Result<String, Error> {
    let times = number(words, 1, 1);
    match word(words, 0) {
        "ready" => {
            let input = turn::input_ready();
            for _ in 0..times {
                input.ready();
            }
        }
        "log" => {
            for _ in 0..times {
                log::write(log::Level::Info, "a line");
            }
        }
        "memory" => {
            for _ in 0..times {
                drop(memory::list_notes(None, 10));
            }
        }
        "next" => {
            let completion = chat::complete(&request("Hello.")).map_err(crate::models::failed)?;
            crate::models::to_its_end(&completion)?;
            for _ in 0..times {
                drop(completion.next());
            }
        }
        "complete" => {
            for _ in 0..times {
                let completion =
                    chat::complete(&request("Hello.")).map_err(crate::models::failed)?;
                crate::models::to_its_end(&completion)?;
            }
        }
        unknown => return Err(Error::Invalid(format!("no call {unknown}"))),
    }
    Ok(String::new())
}
