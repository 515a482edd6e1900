//! Plays one turn as a stream, in pieces as small as a model's: words of text, fragments of
//! arguments. Between the pieces the task yields, so that whoever reads sees a stream and can
//! drop it in the middle.

use std::collections::VecDeque;
use std::time::Duration;

use domain::chat::{AssistantPart, Delta, Finish, Message, Request};
use domain::content::Part;
use domain::provider::{Deltas, ProviderError};
use futures::{StreamExt as _, stream};

use super::parse::Turn;

/// Bytes of one fragment of arguments: about what a token is, so that keys and escapes are cut
/// in the middle as they are by real models.
const FRAGMENT_BYTES: usize = 8;
/// Bytes of a token, for counting.
const TOKEN_BYTES: u64 = 4;

/// The turn's deltas after `delay`; ends with `Finished`, or with `error` in its place.
pub(super) fn deltas(
    turn: &Turn,
    request: &Request,
    delay: Duration,
    error: Option<ProviderError>,
) -> Deltas {
    let mut pieces: VecDeque<Result<Delta, ProviderError>> =
        answer(turn, request).into_iter().map(Ok).collect();
    match error {
        Some(error) => pieces.push_back(Err(error)),
        None => {
            let usage = turn.usage.or_counted(tokens(input_bytes(request)), tokens(output(turn)));
            let finish = if turn.tool_calls.is_empty() { Finish::Stop } else { Finish::ToolCalls };
            pieces.extend([Ok(Delta::Usage(usage)), Ok(Delta::Finished(finish))]);
        }
    }
    let start = (Some(delay), pieces);
    stream::unfold(start, |(delay, mut pieces)| async move {
        match delay {
            Some(delay) if !delay.is_zero() => tokio::time::sleep(delay).await,
            _ => tokio::task::yield_now().await,
        }
        let piece = pieces.pop_front()?;
        Some((piece, (None, pieces)))
    })
    .boxed()
}

fn answer(turn: &Turn, request: &Request) -> Vec<Delta> {
    let words = |text: &str| text.split_inclusive(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut deltas: Vec<Delta> = Vec::new();
    deltas.extend(words(&turn.thinking).into_iter().map(Delta::Thinking));
    deltas.extend(words(&turn.text).into_iter().map(Delta::Text));
    let first = last_call(request).saturating_add(1);
    for (index, (number, call)) in (0u32..).zip((first..).zip(&turn.tool_calls)) {
        let (id, name) = (format!("call_{number}"), call.name.clone());
        deltas.push(Delta::ToolCallStart { index, id, name });
        deltas.extend(
            fragments(&call.arguments)
                .map(|fragment| Delta::ToolCallArguments { index, fragment: fragment.to_owned() }),
        );
    }
    deltas
}

/// The highest N of the ids `call_N` in the history, 0 without any.
fn last_call(request: &Request) -> u64 {
    let calls = request.messages.iter().flat_map(|message| match message {
        Message::Assistant(parts) => parts.as_slice(),
        Message::User(_) | Message::Tool(_) => &[],
    });
    let number = |part: &AssistantPart| match part {
        AssistantPart::ToolCall(call) => call.id.strip_prefix("call_")?.parse().ok(),
        AssistantPart::Text(_) | AssistantPart::Thinking(_) => None,
    };
    calls.filter_map(number).max().unwrap_or(0)
}

/// Pieces of at most `FRAGMENT_BYTES`, cut at characters.
fn fragments(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        // A character has at most four bytes, so a piece is never empty.
        let (fragment, rest) = text.split_at(text.floor_char_boundary(FRAGMENT_BYTES));
        text = rest;
        Some(fragment)
    })
}

fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(TOKEN_BYTES)
}

fn output(turn: &Turn) -> usize {
    let calls = turn.tool_calls.iter().map(|call| call.name.len() + call.arguments.len());
    turn.text.len() + turn.thinking.len() + calls.sum::<usize>()
}

/// What a model would read, in bytes: never more than the request's own size.
fn input_bytes(request: &Request) -> usize {
    let parts = |parts: &[Part]| parts.iter().map(Part::size).sum::<usize>();
    let said = |part: &AssistantPart| match part {
        AssistantPart::Text(text) => text.len(),
        AssistantPart::Thinking(thinking) => thinking.text.len(),
        AssistantPart::ToolCall(call) => call.name.len() + call.arguments.len(),
    };
    let messages = request.messages.iter().map(|message| match message {
        Message::User(content) => parts(content),
        Message::Assistant(content) => content.iter().map(said).sum(),
        Message::Tool(result) => parts(&result.content),
    });
    let tools = request
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + tool.parameters.to_string().len());
    request.system.as_ref().map_or(0, String::len) + messages.sum::<usize>() + tools.sum::<usize>()
}
