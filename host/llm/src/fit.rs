//! Making a request fit a model that it was not written for.
//!
//! Why: a harness keeps its history for the model that it asks for. When a spent budget sends the
//! request to another one, the history may be many times that model's window, hold images that it
//! cannot see, and thinking that another provider signed. Called by the pipeline for every target
//! but the requested one, before it is priced. The harness's own history is never touched, and the
//! requested model's is never shortened here: compacting it is the harness's affair.
//!
//! What goes first: images and foreign thinking; then the oldest tool results, each replaced by a
//! remark so that calls and results stay pairs; then the oldest messages. System text, tools, the
//! user's last message and the last step stay; of the last step, results and arguments are cut when
//! nothing else is left. What even then does not fit is an error that says so.

mod history;
mod measure;

use std::sync::Arc;

use domain::chat::{AssistantPart, Request, ToolResult};
use domain::content::plain_text;
use domain::{LeftOut, Part};

use self::history::{History, Step, Turn};
use self::measure::Measure;
use crate::reserve::OUTPUT_MIN_TOKENS;
use crate::route::Route;

/// In place of a tool's result.
const RESULT_REMARK: &str = "[left out: it does not fit this model's context window]";
/// At the end of a result that was cut.
const CUT_REMARK: &str = "\n[cut here: the rest does not fit this model's context window]";
/// In place of an image.
const IMAGE_REMARK: &str = "[an image that this model cannot see]";
/// In place of a call's arguments.
const NO_ARGUMENTS: &str = "{}";
/// A result of which less than this would be left is replaced as a whole. Tokens.
const CUT_MIN_TOKENS: u64 = 32;
/// The answer gets this part of the window, when the request allows it so much and the least that
/// must be sent leaves it.
const ANSWER_SHARE: u64 = 4;
/// A request that does not fit this part of the room is given up: no tokenizer is so wrong.
const PERCENT_MIN: u64 = 20;

/// A request that fits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fitted {
    pub request: Request,
    pub left_out: LeftOut,
    /// Tokens that are left for the answer.
    pub output: u32,
}

/// Even the least that makes sense is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system text, the tools and the last message alone have about {least} tokens, and its \
     context window of {window} has room for {room}"
)]
pub(crate) struct TooLarge {
    least: u64,
    room: u64,
    window: u32,
}

/// How a request is made to fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Of the target. Tokens.
    pub window: u32,
    /// What the answer may have at most. Tokens.
    pub output: u32,
    /// Whether the target's provider also made what is in the history.
    pub same_provider: bool,
    /// Of the room, in percent: less than all when a provider's tokenizer is only estimated and its
    /// model has refused what seemed to fit.
    pub percent: u64,
}

impl Frame {
    /// `origin`: where the model that was asked for is.
    pub fn new(route: &Route, origin: Option<&Route>, output: u32) -> Self {
        Self {
            window: route.info.context_window,
            output,
            same_provider: origin.is_some_and(|o| Arc::ptr_eq(&o.provider, &route.provider)),
            percent: 100,
        }
    }
}

/// Shortens a request once more after its model refused it: a tokenizer may only be an estimate, and
/// a configured window may be wrong.
pub(crate) struct Refit(Frame);

impl Refit {
    pub fn new(route: &Route, origin: Option<&Route>) -> Self {
        Self(Frame::new(route, origin, route.info.max_output_tokens))
    }

    /// `None` when the request is as short as it can be. `window`: what the model says of itself.
    pub async fn again(&mut self, request: &Request, route: &Route, window: u32) -> Option<Fitted> {
        if window > 0 {
            self.0.window = self.0.window.min(window);
        }
        while self.0.percent >= PERCENT_MIN {
            // As before at first: a model that is loaded now counts better than it did.
            let fitted = fit(request.clone(), route, self.0).await.ok()?;
            self.0.percent = self.0.percent * 3 / 4;
            if !fitted.left_out.is_nothing() {
                return Some(fitted);
            }
        }
        None
    }
}

/// Makes the request fit the target, leaving out as little as it can. Counts the tokens of a long
/// history on a thread that may block.
pub(crate) async fn fit(request: Request, route: &Route, frame: Frame) -> Result<Fitted, TooLarge> {
    let route = route.clone();
    let fitted = tokio::task::spawn_blocking(move || fit_now(request, &route, frame)).await;
    // Only a panic or the end of the runtime: then nothing is known to fit.
    fitted.unwrap_or(Err(TooLarge { least: 0, room: 0, window: frame.window }))
}

fn fit_now(request: Request, route: &Route, frame: Frame) -> Result<Fitted, TooLarge> {
    let mut left_out = LeftOut::default();
    let mut request = request;
    let mut history = History::of(std::mem::take(&mut request.messages), &mut left_out);
    if !frame.same_provider {
        history.drop_thinking(&mut left_out);
    }
    if !route.info.images {
        history.drop_images(&mut left_out);
    }

    // A short answer is better than none.
    let window = u64::from(frame.window);
    let most = u64::from(frame.output);
    let mut error = TooLarge { least: 0, room: 0, window: frame.window };
    for answer in [window / ANSWER_SHARE, OUTPUT_MIN_TOKENS.into()] {
        let room = window.saturating_sub(answer.min(most)) * frame.percent.min(100) / 100;
        let measure = Measure::new(&*route.provider, room);
        let fixed = measure.fixed(&request);
        let (mut kept, mut lost) = (history.clone(), left_out);
        match shorten(&mut kept, &measure, fixed, &mut lost) {
            Ok(used) => {
                request.messages = kept.into_messages();
                let rest = u32::try_from(window - used).unwrap_or(u32::MAX);
                return Ok(Fitted { request, left_out: lost, output: rest.min(frame.output) });
            }
            Err(least) => error = TooLarge { least, room, ..error },
        }
    }
    Err(error)
}

/// Returns the tokens of what is left, or of the least that was possible.
fn shorten(
    history: &mut History,
    measure: &Measure<'_>,
    fixed: u64,
    left_out: &mut LeftOut,
) -> Result<u64, u64> {
    let Some(last) = history.turns.last_mut() else { return measure.within(fixed) };
    let mut used = fixed.saturating_add(measure.user(last));
    if let Some(step) = last.steps.last_mut() {
        if measure.within(used.saturating_add(measure.skeleton(step))).is_err() {
            left_out.shortened += empty_arguments(step);
        }
        used = used.saturating_add(measure.skeleton(step));
    }
    measure.within(used)?;

    // From the newest to the oldest, each with remarks for results: what does not fit so, and all
    // that is older, goes.
    let (steps, used) = keep_steps(last, measure, used);
    left_out.messages += last.drop_steps(steps);
    let (turns, used) = if steps > 0 {
        (history.turns.len() - 1, used)
    } else {
        keep_turns(history, measure, used)
    };
    left_out.messages += history.drop_turns(turns);

    // What is left of the room is for results, the newest first.
    Ok(fill(history, measure, used, left_out))
}

/// How many of the last turn's steps, the oldest first, do not fit.
fn keep_steps(turn: &Turn, measure: &Measure<'_>, mut used: u64) -> (usize, u64) {
    let older = turn.steps.len().saturating_sub(1);
    for n in (0..older).rev() {
        let with = used.saturating_add(measure.skeleton(&turn.steps[n]));
        if measure.within(with).is_err() {
            return (n + 1, used);
        }
        used = with;
    }
    (0, used)
}

/// The same for whole turns before the last one.
fn keep_turns(history: &History, measure: &Measure<'_>, mut used: u64) -> (usize, u64) {
    let older = history.turns.len().saturating_sub(1);
    for n in (0..older).rev() {
        let turn = &history.turns[n];
        let mut with = used.saturating_add(measure.user(turn));
        for step in turn.steps.iter().rev() {
            with = with.saturating_add(measure.skeleton(step));
            if measure.within(with).is_err() {
                break;
            }
        }
        if measure.within(with).is_err() {
            return (n + 1, used);
        }
        used = with;
    }
    (0, used)
}

/// Keeps the newest results that fit, and replaces all others by remarks.
fn fill(
    history: &mut History,
    measure: &Measure<'_>,
    mut used: u64,
    left_out: &mut LeftOut,
) -> u64 {
    // Nothing older than what was left out is kept.
    let mut full = false;
    let mut newest = true;
    for step in history.turns.iter_mut().rev().flat_map(|turn| turn.steps.iter_mut().rev()) {
        let mut left = false;
        for result in step.results.iter_mut().rev() {
            let rest = measure.room().saturating_sub(used);
            let cost = measure.result(result).saturating_sub(measure.remark());
            if cost == 0 || !full && cost <= rest {
                used = used.saturating_add(cost);
                continue;
            }
            left = true;
            // The model has not seen the last step's results yet: a part is better than nothing.
            if newest && let Some(cost) = cut(result, measure, rest) {
                used = used.saturating_add(cost);
                left_out.shortened += 1;
                continue;
            }
            full |= !newest;
            result.content = vec![Part::text(RESULT_REMARK)];
            left_out.tool_results += 1;
        }
        full |= left;
        newest = false;
    }
    used
}

/// Keeps the beginning of a result; returns what it costs above a remark.
fn cut(result: &mut ToolResult, measure: &Measure<'_>, rest: u64) -> Option<u64> {
    let most = rest.saturating_add(measure.remark());
    if rest < CUT_MIN_TOKENS {
        return None;
    }
    let text = plain_text(&result.content);
    let mut end = text.len().min(measure.bytes_of(most));
    loop {
        end = text.floor_char_boundary(end);
        let shorter = vec![Part::text(format!("{}{CUT_REMARK}", &text[..end]))];
        let cost = measure.content(&shorter);
        if cost <= most {
            result.content = shorter;
            return Some(cost.saturating_sub(measure.remark()));
        }
        if end == 0 {
            return None;
        }
        end = end * 3 / 4;
    }
}

fn empty_arguments(step: &mut Step) -> u64 {
    let mut emptied = 0;
    for part in &mut step.said {
        if let AssistantPart::ToolCall(call) = part
            && call.arguments.len() > NO_ARGUMENTS.len()
        {
            call.arguments = NO_ARGUMENTS.into();
            emptied += 1;
        }
    }
    emptied
}

/// A remark in place of an image or another thing that is no text.
fn without_blobs(parts: &mut [Part]) -> u64 {
    let mut dropped = 0;
    for part in parts {
        if let Part::Blob(_) = part {
            *part = Part::text(IMAGE_REMARK);
            dropped += 1;
        }
    }
    dropped
}

#[cfg(test)]
mod tests;
