//! Holds what came of a turn against what a scenario expects of it. Every problem says what was
//! seen, and where it is not obvious what a harness has to do.

use domain::chat::{AssistantPart, Message, Request, ToolResult};
use domain::event::{Call, CallUpdate, HarnessEvent, Status};
use domain::{Event, NanoDollars, Part, Verdict};
use session::TurnReport;

use super::play::picture;
use super::record::shown;
use super::scenario::{Asked, Calls, Turn};
use super::stage::Stage;

/// How much of a text a problem quotes.
const QUOTED_CHARS: usize = 60;

/// What is to be said of a step.
#[derive(Debug, Default)]
pub struct Judged {
    pub problems: Vec<String>,
    pub not_applicable: Option<String>,
}

impl Judged {
    pub fn problem(text: impl Into<String>) -> Self {
        Self { problems: vec![text.into()], not_applicable: None }
    }

    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.not_applicable.is_none()
    }
}

/// What was seen of a turn.
pub struct Seen<'a> {
    pub report: &'a TurnReport,
    pub events: &'a [Event],
    pub stage: &'a Stage,
    pub fallback: &'a Stage,
    pub tool_is_given: bool,
}

pub fn judge(turn: &Turn, seen: &Seen<'_>) -> Judged {
    let mut judged = Judged::default();
    let expect = &turn.expect;
    let problems = &mut judged.problems;
    end(turn, seen, problems);
    let mut asked = seen.stage.asked();
    asked.extend(seen.fallback.asked());
    let (unasked, beyond) = seen.stage.left();
    if beyond > 0 {
        problems.push(format!("the model was asked {beyond} times more than the turn needs"));
    } else if unasked > 0 {
        let count = asked.len();
        problems.push(format!("the model was asked {count} times, {unasked} too few"));
    }
    for (index, (expected, request)) in expect.requests.iter().zip(&asked).enumerate() {
        request_holds(index + 1, expected, request, problems);
    }
    if expect.whole_answer {
        let (said, shown) = (seen.stage.said() + &seen.fallback.said(), shown(seen.events));
        problems.extend(difference(&said, &shown));
    }
    for kind in &expect.events {
        let has = |event: &Event| serde_json::to_value(event).is_ok_and(|e| e["type"] == **kind);
        if !seen.events.iter().any(has) {
            problems.push(format!("there was no event `{kind}`"));
        }
    }
    if let Some(cost) = &expect.cost {
        let spent = seen.events.iter().find_map(|event| match event {
            Event::TurnFinished { cost, .. } | Event::TurnFailed { cost, .. } => Some(*cost),
            _ => None,
        });
        let expected = NanoDollars::parse(cost).ok();
        if spent != expected {
            let spent = spent.unwrap_or_default();
            problems.push(format!("the turn cost {spent}, not {cost}"));
        }
    }
    if problems.is_empty()
        && let Some(calls) = expect.calls
    {
        self::calls(calls, seen, &asked, &mut judged);
    }
    judged
}

fn end(turn: &Turn, seen: &Seen<'_>, problems: &mut Vec<String>) {
    let expect = &turn.expect;
    match &seen.report.result {
        Ok(stop) => {
            if let Some(fault) = expect.fault {
                problems.push(format!(
                    "the turn ended with {stop:?}; it must fail, and by the contract's error for {fault:?}"
                ));
            } else if let Some(expected) = expect.stop
                && expected != *stop
            {
                problems.push(format!("the turn ended with {stop:?}, not with {expected:?}"));
            }
        }
        Err(error) => {
            let text = chain(error);
            match expect.fault {
                None => problems.push(format!("the turn failed: {text}")),
                Some(fault) if error.fault() != fault => problems.push(format!(
                    "the turn failed by the fault of {:?}, not {fault:?}: {text}",
                    error.fault()
                )),
                Some(_) => {}
            }
        }
    }
}

fn request_holds(number: usize, expected: &Asked, request: &Request, problems: &mut Vec<String>) {
    let text = as_text(request);
    let mut from = 0;
    for part in &expected.has {
        match text[from..].find(part.as_str()) {
            Some(at) => from += at + part.len(),
            None => problems.push(format!(
                "request {number} lacks {}, or has it in another order: the host keeps no conversation for a harness, each request carries all of it",
                quoted(part)
            )),
        }
    }
    for part in expected.has_not.iter().filter(|part| text.contains(part.as_str())) {
        problems.push(format!(
            "request {number} has {}, which is of another conversation",
            quoted(part)
        ));
    }
    if expected.image {
        let picture = Part::Blob(picture());
        let has =
            |message: &Message| matches!(message, Message::User(parts) if parts.contains(&picture));
        if !request.messages.iter().any(has) {
            problems.push(format!("request {number} lacks the prompt's picture, byte for byte"));
        }
    }
}

/// Everything that was said in a conversation, in order.
fn as_text(request: &Request) -> String {
    let mut text = String::new();
    let mut parts = |parts: &[Part]| {
        for part in parts {
            if let Part::Text(part) = part {
                text.push_str(part);
                text.push('\n');
            }
        }
    };
    for message in &request.messages {
        match message {
            Message::User(said) => parts(said),
            Message::Tool(result) => parts(&result.content),
            Message::Assistant(said) => {
                for part in said {
                    if let AssistantPart::Text(said) = part {
                        parts(&[Part::Text(said.clone())]);
                    }
                }
            }
        }
    }
    text
}

/// The calls of the turn, as they stand in its last request.
fn calls(expected: Calls, seen: &Seen<'_>, asked: &[Request], judged: &mut Judged) {
    let Some(last) = asked.last() else { return };
    let made = last.messages.iter().flat_map(|message| match message {
        Message::Assistant(parts) => parts.as_slice(),
        _ => &[],
    });
    let ids: Vec<_> = made
        .filter_map(|part| match part {
            AssistantPart::ToolCall(call) => Some(call.id.clone()),
            _ => None,
        })
        .collect();
    if ids.is_empty() {
        judged.problems.push("the model's call is not in the next request".into());
    }
    for id in ids {
        let results: Vec<&ToolResult> = last
            .messages
            .iter()
            .filter_map(|message| match message {
                Message::Tool(result) if result.call_id == id => Some(result),
                _ => None,
            })
            .collect();
        let [result] = results[..] else {
            judged.problems.push(format!(
                "the model's call `{id}` has {} results in the next request; every call needs one",
                results.len()
            ));
            continue;
        };
        call(expected, &id, result, seen, judged);
    }
}

fn call(expected: Calls, id: &str, result: &ToolResult, seen: &Seen<'_>, judged: &mut Judged) {
    let announced = seen.events.iter().any(|event| {
        matches!(event, Event::Harness(HarnessEvent::Call(Call { id: said, .. })) if said == id)
    });
    if !announced {
        judged.problems.push(format!("the call `{id}` was run and no event `call` announced it"));
    }
    let status = seen.events.iter().rev().find_map(|event| match event {
        Event::Harness(HarnessEvent::CallUpdate(CallUpdate { id: said, status, .. }))
            if said == id =>
        {
            *status
        }
        _ => None,
    });
    let succeeded = status == Some(Status::Completed) && !result.failed;
    match (expected, status) {
        (_, None | Some(Status::Pending | Status::InProgress)) => {
            judged.problems.push(format!(
                "the call `{id}` never ended for its watchers: emit a `call-update` with its status"
            ));
        }
        (Calls::Answered, _) if seen.tool_is_given && !succeeded => {
            let said = domain::content::plain_text(&result.content);
            judged
                .problems
                .push(format!("the call of `test.tool` did not succeed: {}", quoted(&said)));
        }
        (Calls::Answered, _) => {}
        (Calls::Failed, Some(Status::Completed)) => judged
            .problems
            .push(format!("the call `{id}` cannot succeed, and its status is `completed`")),
        (Calls::Failed | Calls::Denied, _) if !was_denied(seen) && expected == Calls::Denied => {
            judged.not_applicable = Some("its tool did nothing that a rule can deny; name one that does under `test.tool` in harness.yaml".into());
        }
        (Calls::Denied, Some(Status::Completed)) => judged
            .problems
            .push(format!("what the call `{id}` did was denied, and its status is `completed`")),
        (Calls::Failed | Calls::Denied, _) if !result.failed => judged.problems.push(format!(
            "the result of the call `{id}` does not say `failed`, so the model takes it for done"
        )),
        (Calls::Failed | Calls::Denied, _) => {}
    }
}

fn was_denied(seen: &Seen<'_>) -> bool {
    let denied = |event: &Event| matches!(event, Event::Approval { verdict: Verdict::Denied, .. });
    seen.events.iter().any(denied)
}

/// Where what was shown begins to differ from what was said.
fn difference(said: &str, shown: &str) -> Option<String> {
    if said == shown {
        return None;
    }
    let same = said.chars().zip(shown.chars()).take_while(|(a, b)| a == b).count();
    let rest = |text: &str| quoted(&text.chars().skip(same).collect::<String>());
    Some(format!(
        "what was shown differs from what the model said after {same} characters: {} in place of {}",
        rest(shown),
        rest(said)
    ))
}

fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(QUOTED_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("“{shown}”")
}

/// An error with its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
