//! `providers`: where hosted models answer, what they cost, and where their keys are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use domain::{Price, Tier};

use crate::field::{Field, Keys, Table};
use crate::problem::Fault;
use crate::protocol::{self, OutputLimit, Protocol, ProviderKind, Thinking};

/// The base URLs of the providers that need none.
const KNOWN: [(&str, &str); 2] =
    [("openai", "https://api.openai.com/v1"), (ANTHROPIC, "https://api.anthropic.com/v1")];
/// A type, and the name of the provider that has it by default.
const ANTHROPIC: &str = "anthropic";
/// Tokens: above any model; a larger number is a slip.
const TOKENS_MAX: u64 = 1 << 30;
/// Parts of the name of a header or a parameter that say its value is secret.
const SECRET_NAMES: [&str; 6] = ["auth", "key", "token", "secret", "cookie", "password"];

/// An endpoint under the name that stands before the slash of a model: `openai` serves
/// `openai/gpt-5-mini`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// `type`: `openai` (chat completions), the default, or `anthropic` (Messages), the default of
    /// the provider named so.
    pub kind: ProviderKind,
    /// `base_url`: everything before `/chat/completions` or `/messages`, `http` or `https`, with
    /// `{model}` where the server wants the model's name; required except for the providers named
    /// `openai` and `anthropic`.
    pub base_url: String,
    /// `query`: parameters added to the URL, like Azure's `api-version`.
    pub query: BTreeMap<String, String>,
    /// `api_key`: `env:NAME` or `file:PATH`, never the key itself.
    pub api_key: Option<SecretRef>,
    /// `headers`: further ones of each request. Secret values are references like `api_key`.
    pub headers: BTreeMap<String, Header>,
    /// `models`: by their name at the provider; what is said here goes before what is assumed.
    pub models: BTreeMap<String, Model>,
}

/// Where a key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// `env:NAME`.
    Env(String),
    /// `file:PATH`; a relative path starts at the configuration's folder.
    File(PathBuf),
}

/// A header's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header {
    Text(String),
    Secret(SecretRef),
}

/// What is known about a model; `None` is for the provider to assume.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// `context_window`: tokens.
    pub context_window: Option<u32>,
    /// `max_output_tokens`: tokens.
    pub max_output_tokens: Option<u32>,
    /// `images`: whether it takes some.
    pub images: Option<bool>,
    /// `reasoning`: whether it takes an effort.
    pub reasoning: Option<bool>,
    /// `output_limit`: where it differs from its provider's; of `type: openai`.
    pub output_limit: Option<OutputLimit>,
    /// `thinking`: how it is asked to think; of `type: anthropic`.
    pub thinking: Option<Thinking>,
    /// `price`: `free`, or dollars per million tokens as `input`, `output` (both required),
    /// `cached` and `cache_write` (by default the price of `input`; for `type: anthropic`, whose
    /// prompts are written to the cache, `cache_write` is five quarters of it). Without a price a
    /// model is refused, because no budget could hold it.
    pub price: Option<Price>,
    /// `price.tiers`: prices of requests with more than `above` tokens of input, each with `input`,
    /// `output`, `cached` and `cache_write` like the price itself.
    pub tiers: Vec<Tier>,
}

pub(crate) const KEYS: Keys = Keys {
    known: &[
        "type",
        "base_url",
        "query",
        "api_key",
        "headers",
        "output_limit",
        "stream_options",
        "reasoning_history",
        "models",
    ],
    later: &[],
};
pub(crate) const MODEL_KEYS: Keys = Keys {
    known: &[
        "context_window",
        "max_output_tokens",
        "images",
        "reasoning",
        "output_limit",
        "thinking",
        "price",
    ],
    later: &[],
};
pub(crate) const PRICE_KEYS: Keys =
    Keys { known: &["input", "cached", "cache_write", "output", "tiers"], later: &[] };
pub(crate) const TIER_KEYS: Keys =
    Keys { known: &["above", "input", "cached", "cache_write", "output"], later: &[] };

impl Provider {
    pub(crate) fn read(name: &str, field: &Field<'_>) -> Option<Self> {
        if name.is_empty() || name.contains('/') {
            let reason = "a provider's name must not be empty or hold a `/`".to_owned();
            field.report(Fault::Value { reason });
        }
        let table = field.table(&KEYS)?;
        let protocol = match table.get("type") {
            Some(field) => field.parsed(Protocol::read).unwrap_or(Protocol::OpenAi),
            None if name == ANTHROPIC => Protocol::Anthropic,
            None => Protocol::OpenAi,
        };
        let known = KNOWN.iter().find(|(known, _)| *known == name);
        let base_url = match (known, table.get("base_url")) {
            (Some((_, url)), None) => Some((*url).to_owned()),
            _ => table.need("base_url").and_then(|f| f.parsed(base_url)),
        };
        let query = table.get("query");
        let headers = table.get("headers");
        let models = table.get("models");
        Some(Self {
            kind: ProviderKind::read(protocol, &table),
            query: collect(query.as_ref(), parameter),
            api_key: table.get("api_key").and_then(|f| SecretRef::read(&f)),
            headers: collect(headers.as_ref(), Header::read),
            models: collect(models.as_ref(), |_, field| Model::read(protocol, field)),
            base_url: base_url?,
        })
    }
}

/// Reads a map with names of the user's choice.
pub(crate) fn collect<T>(
    field: Option<&Field<'_>>,
    read: impl Fn(&str, &Field<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let Some(named) = field.and_then(Field::named) else { return BTreeMap::new() };
    named.filter_map(|(name, field)| Some((name.to_owned(), read(name, &field)?))).collect()
}

/// The URL is never repeated: it may hold a password.
pub(crate) fn base_url(text: &str) -> Result<String, &'static str> {
    const FIX: &str = "this is not a base URL; write one like `https://api.openai.com/v1`";
    let (scheme, rest) = text.split_once("://").ok_or(FIX)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !matches!(scheme, "http" | "https") || authority.is_empty() {
        return Err(FIX);
    }
    let braces = rest.replace("{model}", "");
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    if braces.contains(['{', '}']) || authority.contains('{') || query.contains('{') {
        return Err("`{model}` in the path is all that can stand in braces");
    }
    if authority.contains('@') {
        return Err("a user name or a password has no place here; give the key as `api_key`");
    }
    Ok(text.to_owned())
}

/// A parameter of the URL, which is no place for a secret: URLs end up in logs.
fn parameter(name: &str, field: &Field<'_>) -> Option<String> {
    if is_secret(name) {
        let reason = "a secret has no place in a URL; give it as `api_key` or in `headers`";
        field.report(Fault::Value { reason: reason.to_owned() });
        return None;
    }
    field.text().map(str::to_owned)
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

impl SecretRef {
    fn read(field: &Field<'_>) -> Option<Self> {
        let text = field.text()?.trim();
        let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() && name.bytes().all(letter) => {
                Some(Self::Env(name.to_owned()))
            }
            Some(("env", _)) => {
                let reason = "`env:` needs the name of an environment variable".to_owned();
                field.report(Fault::Value { reason });
                None
            }
            Some(("file", path)) if !path.is_empty() => Some(Self::File(field.file.resolve(path))),
            Some(("file", _)) => {
                field.report(Fault::Value { reason: "`file:` needs a path".to_owned() });
                None
            }
            _ => {
                field.report(Fault::Literal);
                None
            }
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl Header {
    pub(crate) fn read(name: &str, field: &Field<'_>) -> Option<Self> {
        let text = field.text()?;
        if is_secret(name) || text.starts_with("env:") || text.starts_with("file:") {
            return SecretRef::read(field).map(Self::Secret);
        }
        Some(Self::Text(text.to_owned()))
    }
}

impl Model {
    fn read(protocol: Protocol, field: &Field<'_>) -> Option<Self> {
        let table = field.table(&MODEL_KEYS)?;
        let tokens = |name| table.get(name).and_then(|f| f.number(1..=TOKENS_MAX));
        Some(Self {
            context_window: tokens("context_window"),
            max_output_tokens: tokens("max_output_tokens"),
            images: table.get("images").and_then(|f| f.flag()),
            reasoning: table.get("reasoning").and_then(|f| f.flag()),
            output_limit: protocol::of_openai(protocol, &table, "output_limit")
                .and_then(|f| f.parsed(OutputLimit::read)),
            thinking: protocol::of_anthropic(protocol, &table, "thinking")
                .and_then(|f| f.parsed(Thinking::read)),
            tiers: table.get("price").map(|f| tiers(protocol, &f)).unwrap_or_default(),
            price: table.get("price").and_then(|f| price(protocol, &f)),
        })
    }
}

fn price(protocol: Protocol, field: &Field<'_>) -> Option<Price> {
    if field.is_text("free") {
        return Some(Price::FREE);
    }
    amounts(protocol, &field.table(&PRICE_KEYS)?)
}

/// Prices of long inputs; whether the price itself is sound is told elsewhere.
fn tiers(protocol: Protocol, field: &Field<'_>) -> Vec<Tier> {
    if field.is_text("free") {
        return Vec::new();
    }
    let Some(tiers) = field.peek("tiers") else { return Vec::new() };
    let read = |field: &Field<'_>| {
        let table = field.table(&TIER_KEYS)?;
        let above = table.need("above").and_then(|f| f.number(1..=TOKENS_MAX));
        let price = amounts(protocol, &table);
        Some(Tier { above: above?, price: price? })
    };
    let mut tiers: Vec<_> = tiers.list().unwrap_or_default().iter().filter_map(read).collect();
    tiers.sort_by_key(|tier| tier.above);
    tiers
}

fn amounts(protocol: Protocol, table: &Table<'_>) -> Option<Price> {
    // An amount of nano-dollars, and it is for a million tokens: the unit of `Price`.
    let amount = |field: Option<Field<'_>>| field.and_then(|f| f.amount()).map(|amount| amount.0);
    let input = amount(table.need("input"));
    let output = amount(table.need("output"));
    let cached = amount(table.get("cached"));
    let cache_write = amount(table.get("cache_write"));
    let (input, output) = (input?, output?);
    Some(Price {
        input,
        cached: cached.unwrap_or(input),
        cache_write: cache_write.unwrap_or(match protocol {
            Protocol::OpenAi => input,
            // What Anthropic asks of all its models for the cache of five minutes.
            Protocol::Anthropic => input.saturating_mul(5).div_ceil(4),
        }),
        output,
    })
}
