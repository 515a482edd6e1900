//! The smallest harness, and the template for yours: it sends the user's message and the history
//! to the model and hands the answer through, piece by piece. No tools, no files.
//!
//! The contract is in `wit/harness`; its doc comments say what each call promises.

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

use std::cell::RefCell;

use exports::xpressclaw::harness::agent::{Config, Error, Features, Guest, Stop};
use llm::{AssistantPart, Finish, Message, Request, ToolChoice};
use xpressclaw::base::content::Part;
use xpressclaw::harness::turn;
use xpressclaw::harness::types::{Event, Role};
use xpressclaw::llm::{chat, types as llm};

struct Echo;
export!(Echo);

thread_local! {
    /// What lives as long as the session does: the next request. The host keeps no conversation,
    /// so each request carries all of it. A component has one thread: a cell is enough.
    static SESSION: RefCell<Option<Request>> = const { RefCell::new(None) };
}

impl Guest for Echo {
    /// Handles that outlive a turn would be opened here; this harness needs none.
    async fn start(config: Config) -> Result<Features, Error> {
        let past = config.history.into_iter().map(|past| match past.role {
            Role::User => Message::User(past.parts),
            Role::Assistant => {
                Message::Assistant(past.parts.into_iter().filter_map(said).collect())
            }
        });
        SESSION.set(Some(Request {
            model: None, // the agent's own
            system: config.role,
            messages: past.collect(),
            tools: Vec::new(),
            tool_choice: ToolChoice::None,
            max_output_tokens: None,
            temperature: None,
            effort: None,
            output_schema: None,
            stop: Vec::new(),
            extra: None,
        }));
        // No `steer`: what the user types meanwhile waits in the host and is the next prompt.
        Ok(Features::IMAGES)
    }

    async fn turn(prompt: Vec<Part>) -> Result<Stop, Error> {
        // Taken out for the turn; a turn is never called before the former one returned.
        let mut request = SESSION.take().ok_or_else(|| Error::Other("not started".to_owned()))?;
        request.messages.push(Message::User(prompt));
        let mut reply = String::new();
        let stop = answer(&request, &mut reply);
        if reply.is_empty() {
            request.messages.pop(); // providers refuse a question without an answer
        } else {
            request.messages.push(Message::Assistant(vec![AssistantPart::Text(reply)]));
        }
        SESSION.set(Some(request));
        stop.or_else(failed)
    }
}

/// One model call, from the request to its `finished` event. Dropping the completion on the way
/// out of an error cancels it at the provider, too.
fn answer(request: &Request, reply: &mut String) -> Result<Stop, llm::Error> {
    let completion = chat::complete(request)?;
    loop {
        // Blocks, but holds no thread of the host and spends no time of its own. A harness that
        // takes steering or runs tools waits with `base/wait` for whichever comes first.
        for event in completion.next()? {
            match event {
                llm::Event::Text(piece) => {
                    reply.push_str(&piece);
                    turn::emit(&Event::Message(Part::Text(piece)));
                }
                llm::Event::Thinking(piece) => turn::emit(&Event::Thought(piece)),
                llm::Event::Finished(outcome) => {
                    return Ok(match outcome.finish {
                        Finish::Stop | Finish::ToolCalls => Stop::EndTurn,
                        Finish::Length => Stop::MaxTokens,
                        Finish::Refusal => Stop::Refusal,
                    });
                }
                _ => {} // signatures and tool calls: this harness offers no tools
            }
        }
    }
}

fn said(part: Part) -> Option<AssistantPart> {
    if let Part::Text(text) = part { Some(AssistantPart::Text(text)) } else { None }
}

/// The host has retried what was worth retrying: what arrives here is for the user.
fn failed(error: llm::Error) -> Result<Stop, Error> {
    Err(match error {
        // At cancellation the host ends the completion; what was said before stays.
        llm::Error::Cancelled => return Ok(Stop::Cancelled),
        llm::Error::BudgetExhausted(budget) => Error::Budget(budget.message),
        llm::Error::InvalidRequest(text) => Error::Invalid(text),
        llm::Error::ProviderFailed(failure) => Error::Model(failure.message),
        llm::Error::UnknownModel(name) => Error::Model(format!("unknown model {name}")),
        llm::Error::RateLimited(ms) => Error::Model(format!("rate limited for {ms} ms")),
        llm::Error::ContextExceeded(size) => Error::Model(format!("history over {size} tokens")),
        llm::Error::Other(text) => Error::Other(text),
    })
}
