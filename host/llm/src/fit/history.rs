//! A list of messages as turns and steps, in which calls and results are pairs by construction.

use domain::chat::{AssistantPart, Message, ToolResult};
use domain::{LeftOut, Part};

use super::without_blobs;

/// In place of a result that the history does not have.
const NO_RESULT: &str = "[no result]";

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct History {
    /// The oldest first.
    pub turns: Vec<Turn>,
}

/// A user's message and what followed until the next one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Turn {
    /// `None` only for what stands before the first message of a user.
    pub user: Option<Vec<Part>>,
    pub steps: Vec<Step>,
}

/// One answer of a model and the results of the calls in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Step {
    pub said: Vec<AssistantPart>,
    /// One for each call in `said`.
    pub results: Vec<ToolResult>,
}

impl History {
    /// Reads the messages. A result without its call is left out, a call without its result gets
    /// one that says so: no provider takes either.
    pub fn of(messages: Vec<Message>, left_out: &mut LeftOut) -> Self {
        let mut turns: Vec<Turn> = Vec::new();
        for message in messages {
            match message {
                Message::User(parts) => {
                    turns.push(Turn { user: Some(parts), steps: Vec::new() });
                }
                Message::Assistant(said) if said.is_empty() => {}
                Message::Assistant(said) => {
                    if turns.is_empty() {
                        turns.push(Turn::default());
                    }
                    if let Some(turn) = turns.last_mut() {
                        turn.steps.push(Step { said, results: Vec::new() });
                    }
                }
                Message::Tool(result) => {
                    match turns.last_mut().and_then(|turn| turn.steps.last_mut()) {
                        Some(step) if step.awaits(&result.call_id) => step.results.push(result),
                        _ => left_out.tool_results += 1,
                    }
                }
            }
        }
        turns.iter_mut().flat_map(|turn| &mut turn.steps).for_each(Step::answer_all);
        Self { turns }
    }

    pub fn into_messages(self) -> Vec<Message> {
        let mut messages = Vec::new();
        for turn in self.turns {
            messages.extend(turn.user.map(Message::User));
            for step in turn.steps {
                messages.push(Message::Assistant(step.said));
                messages.extend(step.results.into_iter().map(Message::Tool));
            }
        }
        messages
    }

    /// Leaves out all thinking and every signature.
    pub fn drop_thinking(&mut self, left_out: &mut LeftOut) {
        for turn in &mut self.turns {
            for step in &mut turn.steps {
                let before = step.said.len();
                step.said.retain(|part| !matches!(part, AssistantPart::Thinking(_)));
                left_out.thoughts += (before - step.said.len()) as u64;
                for part in &mut step.said {
                    if let AssistantPart::ToolCall(call) = part {
                        call.signature = None;
                    }
                }
            }
            // Of an answer that was broken off while it thought nothing is left.
            turn.steps.retain(|step| !step.said.is_empty());
        }
        self.turns.retain(|turn| turn.messages() > 0);
    }

    /// Replaces what is no text by a remark.
    pub fn drop_images(&mut self, left_out: &mut LeftOut) {
        for turn in &mut self.turns {
            left_out.images += turn.user.as_mut().map_or(0, |parts| without_blobs(parts));
            for result in turn.steps.iter_mut().flat_map(|step| &mut step.results) {
                left_out.images += without_blobs(&mut result.content);
            }
        }
    }

    /// Leaves out the oldest turns; returns how many messages those were.
    pub fn drop_turns(&mut self, count: usize) -> u64 {
        self.turns.drain(..count).map(|turn| turn.messages()).sum()
    }
}

impl Turn {
    /// Leaves out the oldest steps; returns how many messages those were.
    pub fn drop_steps(&mut self, count: usize) -> u64 {
        self.steps.drain(..count).map(|step| step.messages()).sum()
    }

    fn messages(&self) -> u64 {
        u64::from(self.user.is_some()) + self.steps.iter().map(Step::messages).sum::<u64>()
    }
}

impl Step {
    fn calls(&self) -> impl Iterator<Item = &str> {
        self.said.iter().filter_map(|part| match part {
            AssistantPart::ToolCall(call) => Some(call.id.as_str()),
            AssistantPart::Text(_) | AssistantPart::Thinking(_) => None,
        })
    }

    /// Whether a call of this id has no result yet.
    fn awaits(&self, id: &str) -> bool {
        let results = self.results.iter().filter(|result| result.call_id == id).count();
        self.calls().filter(|call| *call == id).count() > results
    }

    fn answer_all(&mut self) {
        let calls: Vec<String> = self.calls().map(str::to_owned).collect();
        for call_id in calls {
            if self.awaits(&call_id) {
                let content = vec![Part::text(NO_RESULT)];
                self.results.push(ToolResult { call_id, content, failed: true });
            }
        }
    }

    fn messages(&self) -> u64 {
        1 + self.results.len() as u64
    }
}
