//! The request body: what the host decides first, then what the caller adds.

use domain::chat::{Effort, Request, ToolChoice};
use domain::provider::{Call, ProviderError};
use serde_json::{Map, Value, json};

use super::config::{ClaudeModel, ThinkingStyle};
use super::content::{self, Turn};
use crate::endpoint::check_extra;

/// What of `domain::chat::EXTRA_FIELDS` this API has.
pub(super) const EXTRA_FIELDS: [&str; 4] = ["metadata", PARALLEL, "top_k", "top_p"];
/// The one field whose name and place differ: `tool_choice.disable_parallel_tool_use`.
const PARALLEL: &str = "parallel_tool_calls";
/// Breakpoints of the prompt cache that one request may have.
const BREAKPOINTS_MAX: usize = 4;
/// Tokens: the API refuses a smaller budget of thinking.
const BUDGET_MIN: u32 = 1_024;
/// Tokens of thinking for a level of effort, where a model takes a budget: a quarter, a half and
/// nearly all of the 32,000 up to which more thinking helps, says the API's guide.
const BUDGETS: [(Effort, u32); 3] =
    [(Effort::Low, 8_192), (Effort::Medium, 16_384), (Effort::High, 30_720)];
/// Tokens that are left for the answer behind a budget of thinking.
const ANSWER_MIN: u32 = 1_024;
/// The API's range ends here, the contract's at 2.
const TEMPERATURE_MAX: f64 = 1.0;

pub(super) fn body(call: &Call, claude: &ClaudeModel) -> Result<Value, ProviderError> {
    let request = &call.request;
    check_extra(request, &EXTRA_FIELDS)?;
    let mut turns = content::messages(&request.messages);
    let thinking = thinking(call, claude, &turns);
    let mut config = Map::new();
    let mut body = Map::new();
    let mut set = |field: &str, value: Value| {
        body.insert(field.to_owned(), value);
    };
    set("model", json!(call.model));
    set("max_tokens", json!(call.max_output_tokens));
    set("stream", json!(true));
    let mut breakpoints = BREAKPOINTS_MAX;
    let mut tools = tools(request);
    // In the order of the cache's prefix: tools, system, messages. The system's breakpoint covers
    // the tools as well, so theirs is only set without one.
    let system = request.system.as_deref().filter(|text| !text.trim().is_empty());
    if let Some(text) = system {
        let block = json!({"type": "text", "text": text, "cache_control": ephemeral()});
        set("system", json!([block]));
        breakpoints -= 1;
    } else if let Some(last) = tools.last_mut() {
        last["cache_control"] = ephemeral();
        breakpoints -= 1;
    }
    if !tools.is_empty() {
        set("tools", json!(tools));
        if let Some(choice) = tool_choice(request) {
            set("tool_choice", choice);
        }
    }
    mark_for_cache(&mut turns, breakpoints);
    let messages = turns.into_iter().map(|turn| json!({"role": turn.role, "content": turn.blocks}));
    set("messages", messages.collect());
    match thinking {
        Some(Thinking::Adaptive(effort)) => {
            // Newer models show nothing unless they are asked to.
            set("thinking", json!({"type": "adaptive", "display": "summarized"}));
            config.insert("effort".into(), json!(effort_name(effort)));
        }
        Some(Thinking::Budget(tokens)) => {
            set("thinking", json!({"type": "enabled", "budget_tokens": tokens}));
        }
        // While it thinks, a model takes no temperature.
        None => {
            if let Some(temperature) = request.temperature {
                set("temperature", json!(temperature.min(TEMPERATURE_MAX)));
            }
        }
    }
    if let Some(schema) = &request.output_schema {
        config.insert("format".into(), json!({"type": "json_schema", "schema": schema}));
    }
    if !config.is_empty() {
        set("output_config", Value::Object(config));
    }
    if !request.stop.is_empty() {
        set("stop_sequences", json!(request.stop));
    }
    body.extend(request.extra.clone().into_iter().filter(|(field, _)| field != PARALLEL));
    Ok(Value::Object(body))
}

fn ephemeral() -> Value {
    json!({"type": "ephemeral"})
}

fn tools(request: &Request) -> Vec<Value> {
    let tool = |tool: &domain::chat::Tool| {
        json!({
            "name": tool.name,
            "description": tool.description,
            "input_schema": tool.parameters,
        })
    };
    request.tools.iter().map(tool).collect()
}

/// `auto` is the API's default.
fn tool_choice(request: &Request) -> Option<Value> {
    let one_at_a_time = request.extra.get(PARALLEL) == Some(&json!(false));
    let mut choice = match &request.tool_choice {
        ToolChoice::Auto if !one_at_a_time => return None,
        ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::None => return Some(json!({"type": "none"})),
        ToolChoice::Required => json!({"type": "any"}),
        ToolChoice::Named(name) => json!({"type": "tool", "name": name}),
    };
    if one_at_a_time {
        choice["disable_parallel_tool_use"] = json!(true);
    }
    Some(choice)
}

/// How this request asks for thinking.
enum Thinking {
    Adaptive(Effort),
    Budget(u32),
}

/// `None` where it was not asked for, the model has none, or the API would refuse it: a forced tool
/// rules thinking out, and a budget wants room beside the answer and an unbroken history.
fn thinking(call: &Call, claude: &ClaudeModel, turns: &[Turn]) -> Option<Thinking> {
    let wanted = call.request.effort.filter(|effort| *effort != Effort::None)?;
    let effort = claude.facts.served(wanted)?;
    let forced = matches!(call.request.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
    if forced && !call.request.tools.is_empty() {
        return None;
    }
    match claude.thinking {
        ThinkingStyle::Adaptive => Some(Thinking::Adaptive(effort)),
        ThinkingStyle::Budget => {
            let room = call.max_output_tokens.checked_sub(ANSWER_MIN)?;
            let wanted = BUDGETS.iter().rfind(|(level, _)| *level as u8 <= effort as u8);
            let (_, tokens) = wanted.or(BUDGETS.first())?;
            let budget = (*tokens).min(room);
            let fits = budget >= BUDGET_MIN && content::thinks_before_tools(turns);
            fits.then_some(Thinking::Budget(budget))
        }
    }
}

fn effort_name(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
        Effort::Xhigh => "xhigh",
        Effort::Max => "max",
    }
}

/// Ends the cached prefix at the newest messages of the user: the last one is what the next request
/// goes on from, those before it are what this one finds.
fn mark_for_cache(turns: &mut [Turn], breakpoints: usize) {
    let newest = turns.iter_mut().rev().filter(|turn| turn.role == "user").take(breakpoints.min(2));
    for turn in newest {
        if let Some(last) = turn.blocks.last_mut() {
            last["cache_control"] = ephemeral();
        }
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
