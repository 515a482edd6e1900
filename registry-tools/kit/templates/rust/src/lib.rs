//! A harness: the user's message and the history go to the model, the answer comes back piece by
//! piece, and the model may keep notes with one tool, `remember`.
//!
//! The contract is in `wit/`; its doc comments say what each call promises. README.md says which duty
//! of a harness is where in this file.

wit_bindgen::generate!({ path: "wit", world: "harness", generate_all });

use std::cell::RefCell;

use exports::xpressclaw::harness::agent::{Config, Error, Features, Guest, Stop};
use llm::{AssistantPart, Finish, Message, Request, Tool, ToolCall, ToolChoice, ToolResult};
use serde_json::{Value, json};
use xpressclaw::base::content::Part;
use xpressclaw::harness::turn;
use xpressclaw::harness::types::{Call, CallContent, CallUpdate, Event, Input, Kind, Role, Status};
use xpressclaw::llm::{chat, types as llm};
use xpressclaw::xclaw::{memory, types as verbs};

/// The model is asked at most so often for one message of the user.
const STEPS: usize = 10;

struct Harness;
export!(Harness);

thread_local! {
    /// What lives as long as the session does: the next request. The host keeps no conversation, so
    /// each request carries all of it. A component has one thread: a cell is enough.
    static SESSION: RefCell<Option<Request>> = const { RefCell::new(None) };
}

impl Guest for Harness {
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
            tools: vec![remember_tool()],
            tool_choice: ToolChoice::Auto,
            max_output_tokens: None,
            temperature: None,
            effort: None,
            output_schema: None,
            stop: Vec::new(),
            extra: None,
        }));
        Ok(Features::IMAGES | Features::STEER)
    }

    async fn turn(prompt: Vec<Part>) -> Result<Stop, Error> {
        // Taken out for the turn; a turn is never called before the former one returned.
        let mut request = SESSION.take().ok_or_else(|| Error::Other("not started".to_owned()))?;
        request.messages.push(Message::User(prompt));
        let stop = converse(&mut request);
        SESSION.set(Some(request));
        stop.or_else(failed)
    }
}

/// The model answers, its calls are run, their results go back, until it is done.
fn converse(request: &mut Request) -> Result<Stop, llm::Error> {
    for _ in 0..STEPS {
        let mut answer = Vec::new();
        let finish = ask(request, &mut answer);
        if finish.is_err() {
            // Of an answer that broke off the text stays; nobody ran its calls.
            answer.retain(|part| matches!(part, AssistantPart::Text(_)));
        }
        let calls: Vec<ToolCall> = answer.iter().filter_map(called).collect();
        if !answer.is_empty() {
            // Providers refuse an answer without content.
            request.messages.push(Message::Assistant(answer));
        }
        match finish? {
            Finish::Length => return Ok(Stop::MaxTokens),
            Finish::Refusal => return Ok(Stop::Refusal),
            Finish::Stop | Finish::ToolCalls if calls.is_empty() => return Ok(Stop::EndTurn),
            Finish::Stop | Finish::ToolCalls => {}
        }
        request.messages.extend(calls.into_iter().map(|call| Message::Tool(run(call))));
        // What the user typed meanwhile is seen by the model before its next step.
        while let Some(input) = turn::take_input() {
            match input {
                Input::Steer(parts) | Input::FollowUp(parts) => {
                    request.messages.push(Message::User(parts));
                }
                Input::Cancel => return Ok(Stop::Cancelled),
            }
        }
    }
    say(format!("I stopped after {STEPS} steps without being done."));
    Ok(Stop::MaxSteps)
}

/// One model call. Fills `answer` while it arrives, and says how it ended. Dropping the completion
/// on the way out of an error cancels it at the provider, too.
fn ask(request: &Request, answer: &mut Vec<AssistantPart>) -> Result<Finish, llm::Error> {
    let completion = chat::complete(request)?;
    // Where in `answer` the call with an index is.
    let mut calls = Vec::new();
    loop {
        // Blocks, but holds no thread of the host and spends no time of its own.
        for event in completion.next()? {
            match event {
                llm::Event::Text(piece) => {
                    match answer.last_mut() {
                        Some(AssistantPart::Text(text)) => text.push_str(&piece),
                        _ => answer.push(AssistantPart::Text(piece.clone())),
                    }
                    say(piece);
                }
                llm::Event::Thinking(piece) => turn::emit(&Event::Thought(piece)),
                llm::Event::ToolCallStart(start) => {
                    calls.push((start.index, answer.len()));
                    answer.push(AssistantPart::ToolCall(ToolCall {
                        id: start.id,
                        name: start.name,
                        arguments: String::new(),
                        signature: None,
                    }));
                }
                llm::Event::ToolCallArguments(piece) => {
                    if let Some(call) = under_way(answer, &calls, piece.index) {
                        call.arguments.push_str(&piece.fragment);
                    }
                }
                llm::Event::ToolCallSignature(signed) => {
                    if let Some(call) = under_way(answer, &calls, signed.index) {
                        call.signature = Some(signed.signature);
                    }
                }
                llm::Event::Finished(outcome) => return Ok(outcome.finish),
                _ => {} // signatures of thoughts, which this harness does not give back
            }
        }
    }
}

fn under_way<'a>(
    answer: &'a mut [AssistantPart],
    calls: &[(u32, usize)],
    index: u32,
) -> Option<&'a mut ToolCall> {
    let (_, at) = calls.iter().find(|(known, _)| *known == index)?;
    match answer.get_mut(*at) {
        Some(AssistantPart::ToolCall(call)) => Some(call),
        _ => None,
    }
}

fn remember_tool() -> Tool {
    let parameters = json!({
        "type": "object",
        "properties": { "text": { "type": "string" } },
        "required": ["text"],
    });
    Tool {
        name: "remember".to_owned(),
        description: "Store a note that outlives this conversation.".to_owned(),
        parameters: parameters.to_string(),
    }
}

/// Runs a call. Whatever goes wrong is for the model to read: it tries something else.
fn run(call: ToolCall) -> ToolResult {
    turn::emit(&Event::Call(Call {
        id: call.id.clone(),
        tool: call.name.clone(),
        kind: Kind::Other,
        title: call.name.clone(),
        input: call.arguments.clone(),
        locations: Vec::new(),
    }));
    let (status, text) = match remember(&call) {
        Ok(text) => (Status::Completed, text),
        Err((status, text)) => (status, text),
    };
    let content = vec![Part::Text(text)];
    turn::emit(&Event::CallUpdate(CallUpdate {
        id: call.id.clone(),
        status: Some(status),
        content: Some(content.iter().cloned().map(CallContent::Part).collect()),
        output: None,
    }));
    ToolResult { call_id: call.id, content, failed: status != Status::Completed }
}

fn remember(call: &ToolCall) -> Result<String, (Status, String)> {
    let failed = |text: String| (Status::Failed, text);
    if call.name != "remember" {
        return Err(failed(format!("there is no tool {}", call.name)));
    }
    // Arguments are what the model wrote, which may be anything.
    let arguments: Value =
        serde_json::from_str(&call.arguments).map_err(|error| failed(error.to_string()))?;
    let Some(text) = arguments["text"].as_str() else {
        return Err(failed("the argument text is missing".to_owned()));
    };
    // A verb: the host knows which agent calls, and whether it may.
    match memory::add(text, &[]) {
        Ok(id) => Ok(format!("stored as note {id}")),
        Err(verbs::Error::Denied(text)) => Err((Status::Denied, text)),
        Err(error) => Err(failed(format!("{error:?}"))),
    }
}

fn say(text: String) {
    turn::emit(&Event::Message(Part::Text(text)));
}

fn called(part: &AssistantPart) -> Option<ToolCall> {
    if let AssistantPart::ToolCall(call) = part { Some(call.clone()) } else { None }
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
