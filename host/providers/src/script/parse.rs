//! Reads a script: strict, so that a slip in a test's script is an error with its line, never a
//! test that shows nothing.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use domain::chat::Usage;
use domain::money::AmountError;
use domain::{NanoDollars, Price};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The longest script: far above any demo (the largest turns hold a file), far below what would
/// trouble the host.
const SCRIPT_MAX_BYTES: u64 = 16 << 20;
/// The longest `delay_ms`: ten minutes, the longest time anybody waits for a model.
const DELAY_MAX_MS: u64 = 600_000;

/// Why a script could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("the script {} could not be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the script {} is longer than {SCRIPT_MAX_BYTES} bytes", path.display())]
    TooLong { path: PathBuf },
    #[error("the script `{script}` holds no turn; write one a line, like {{\"text\": \"Hello.\"}}")]
    Empty { script: String },
    /// `line` counts from 1.
    #[error("the script `{script}`, line {line}: {reason}")]
    Line { script: String, line: usize, reason: LineError },
}

/// What is wrong with a line, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// `column` counts from 1; 0 when unknown.
    #[error("{reason} (column {column})")]
    Field { reason: String, column: usize },
    #[error("this is not JSON at column {column}; a turn is one JSON object on one line")]
    Json { column: usize },
    #[error("the turn says nothing; give it `text`, `thinking`, `tool_calls` or `error`")]
    Silent,
    #[error("a tool call needs a `name`")]
    NamelessCall,
    #[error(
        "the `arguments` of `{0}` must be an object, or a string that is streamed as it stands"
    )]
    Arguments(String),
    #[error(
        "an error before the first word stands alone; give it `\"after_text\": true` to fail after the rest"
    )]
    ErrorWithText,
    #[error("`status` must be an HTTP error, 400 to 599, not {0}")]
    Status(u16),
    #[error("`retry_after_ms` needs a `status`, like 429")]
    RetryAfterWithoutStatus,
    #[error("`delay_ms` must be at most {DELAY_MAX_MS}, not {0}")]
    Delay(u64),
    #[error("`cached` and `cache_written` are parts of `input`, `reasoning` is a part of `output`")]
    Usage,
    #[error("the price of `{field}`: {reason}")]
    Price { field: &'static str, reason: AmountError },
    #[error("line {0} already set another price; a script has one")]
    SecondPrice(usize),
}

pub(super) struct Parsed {
    pub price: Option<Price>,
    pub turns: Vec<Turn>,
}

/// One answer of the model, checked.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub text: String,
    pub thinking: String,
    pub tool_calls: Vec<ScriptedCall>,
    pub usage: UsageLine,
    pub delay_ms: u64,
    pub error: Option<Failure>,
}

#[derive(Debug, Clone)]
pub(super) struct ScriptedCall {
    pub name: String,
    pub arguments: String,
}

#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub status: Option<u16>,
    pub message: String,
    pub retry_after_ms: Option<u32>,
    pub moment: Moment,
}

/// When a scripted error comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    BeforeText,
    AfterText,
}

/// Tokens as written; what is absent is counted when the turn is played.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsageLine {
    pub input: Option<u64>,
    #[serde(default)]
    pub cached: u64,
    #[serde(default)]
    pub cache_written: u64,
    pub output: Option<u64>,
    #[serde(default)]
    pub reasoning: u64,
}

impl UsageLine {
    /// The written numbers, the counted ones where nothing is written.
    pub fn or_counted(self, input: u64, output: u64) -> Usage {
        let parts = self.cached.saturating_add(self.cache_written);
        Usage {
            input: self.input.unwrap_or(input.max(parts)),
            cached: self.cached,
            cache_written: self.cache_written,
            output: self.output.unwrap_or(output.max(self.reasoning)),
            reasoning: self.reasoning,
        }
    }

    fn is_consistent(self) -> bool {
        let parts = self.cached.checked_add(self.cache_written);
        parts.is_some_and(|parts| self.input.is_none_or(|input| parts <= input))
            && self.output.is_none_or(|output| self.reasoning <= output)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    text: Option<String>,
    thinking: Option<String>,
    #[serde(default)]
    tool_calls: Vec<CallLine>,
    usage: Option<UsageLine>,
    delay_ms: Option<u64>,
    error: Option<ErrorLine>,
    price: Option<PriceLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallLine {
    #[serde(default)]
    name: String,
    #[serde(default = "no_arguments")]
    arguments: Value,
}

fn no_arguments() -> Value {
    Value::Object(Map::new())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorLine {
    status: Option<u16>,
    message: String,
    retry_after_ms: Option<u32>,
    #[serde(default)]
    after_text: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceLine {
    input: String,
    output: String,
    cached: Option<String>,
    cache_write: Option<String>,
}

/// Reads a script's text.
pub(super) fn read(path: &Path) -> Result<String, ScriptError> {
    let error = |source| ScriptError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    std::fs::File::open(path)
        .map_err(error)?
        .take(SCRIPT_MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(error)?;
    if text.len() as u64 > SCRIPT_MAX_BYTES {
        return Err(ScriptError::TooLong { path: path.to_owned() });
    }
    Ok(text)
}

pub(super) fn parse(script: &str, text: &str) -> Result<Parsed, ScriptError> {
    let mut price: Option<(usize, Price)> = None;
    let mut turns = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        let fail = |reason| ScriptError::Line { script: script.to_owned(), line: number, reason };
        let (turn, line_price) = parse_line(line).map_err(fail)?;
        turns.extend(turn);
        match (line_price, price) {
            (Some(new), Some((first, old))) if new != old => {
                return Err(fail(LineError::SecondPrice(first)));
            }
            (Some(new), None) => price = Some((number, new)),
            _ => {}
        }
    }
    if turns.is_empty() {
        return Err(ScriptError::Empty { script: script.to_owned() });
    }
    Ok(Parsed { price: price.map(|(_, price)| price), turns })
}

/// A turn, a price, or both.
fn parse_line(line: &str) -> Result<(Option<Turn>, Option<Price>), LineError> {
    // serde would take a list of the fields' values, too.
    if !line.trim_start().starts_with('{') {
        return Err(LineError::Json { column: 1 });
    }
    let line: Line = serde_json::from_str(line).map_err(|error| json_error(&error))?;
    let price = line.price.as_ref().map(parse_price).transpose()?;
    let says_nothing = line.text.is_none()
        && line.thinking.is_none()
        && line.tool_calls.is_empty()
        && line.error.is_none();
    if says_nothing {
        let price_alone = price.is_some() && line.usage.is_none() && line.delay_ms.is_none();
        return if price_alone { Ok((None, price)) } else { Err(LineError::Silent) };
    }

    let usage = line.usage.unwrap_or_default();
    if !usage.is_consistent() {
        return Err(LineError::Usage);
    }
    let delay_ms = line.delay_ms.unwrap_or(0);
    if delay_ms > DELAY_MAX_MS {
        return Err(LineError::Delay(delay_ms));
    }
    let alone = line.text.is_none() && line.thinking.is_none() && line.tool_calls.is_empty();
    let error = line.error.map(parse_failure).transpose()?;
    if error.as_ref().is_some_and(|error| error.moment == Moment::BeforeText) && !alone {
        return Err(LineError::ErrorWithText);
    }
    let turn = Turn {
        text: line.text.unwrap_or_default(),
        thinking: line.thinking.unwrap_or_default(),
        tool_calls: line.tool_calls.into_iter().map(parse_call).collect::<Result<_, _>>()?,
        usage,
        delay_ms,
        error,
    };
    Ok((Some(turn), price))
}

fn parse_call(call: CallLine) -> Result<ScriptedCall, LineError> {
    if call.name.is_empty() {
        return Err(LineError::NamelessCall);
    }
    let arguments = match call.arguments {
        Value::String(text) => text,
        object @ Value::Object(_) => object.to_string(),
        _ => return Err(LineError::Arguments(call.name)),
    };
    Ok(ScriptedCall { name: call.name, arguments })
}

fn parse_failure(error: ErrorLine) -> Result<Failure, LineError> {
    match error.status {
        Some(status) if !(400..=599).contains(&status) => return Err(LineError::Status(status)),
        None if error.retry_after_ms.is_some() => return Err(LineError::RetryAfterWithoutStatus),
        _ => {}
    }
    let moment = if error.after_text { Moment::AfterText } else { Moment::BeforeText };
    Ok(Failure {
        status: error.status,
        message: error.message,
        retry_after_ms: error.retry_after_ms,
        moment,
    })
}

fn parse_price(price: &PriceLine) -> Result<Price, LineError> {
    // A price per million tokens in nano-dollars is the amount of dollars itself.
    let amount = |field, text: &str| {
        NanoDollars::parse(text)
            .map(|amount| amount.0)
            .map_err(|reason| LineError::Price { field, reason })
    };
    let optional =
        |field, text: &Option<String>| text.as_deref().map(|text| amount(field, text)).transpose();
    let input = amount("input", &price.input)?;
    Ok(Price {
        input,
        cached: optional("cached", &price.cached)?.unwrap_or(input),
        cache_write: optional("cache_write", &price.cache_write)?.unwrap_or(input),
        output: amount("output", &price.output)?,
    })
}

fn json_error(error: &serde_json::Error) -> LineError {
    let column = error.column();
    if !error.is_data() {
        return LineError::Json { column };
    }
    // The line that serde_json names is always 1 here; ours says which one it is.
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    LineError::Field { reason: reason.to_owned(), column }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
