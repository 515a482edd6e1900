//! How the domain's values become columns and come back. Called by the modules that hold SQL.

use domain::chat::Usage;
use domain::{AgentName, NanoDollars, SessionId, TurnId};
use rusqlite::types::Type;
use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StringDeserializer};

/// SQLite's integers are signed. Nothing real is larger; what a lying provider reports stays the
/// largest number instead of becoming a negative one.
pub(crate) fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The reverse of `int`; no column that is read with it is ever negative.
pub(crate) fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(crate) fn money(value: i64) -> NanoDollars {
    NanoDollars(uint(value))
}

fn broken(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

/// A value outside of the set that the schema's CHECK allows.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a known value")]
struct Unknown(String);

/// Reads a column through a `from_name` function.
pub(crate) fn named<T>(
    row: &rusqlite::Row<'_>,
    column: usize,
    from_name: impl Fn(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let name: String = row.get(column)?;
    from_name(&name).ok_or_else(|| broken(column, Unknown(name)))
}

pub(crate) fn agent(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<AgentName> {
    AgentName::new(row.get::<_, String>(column)?).map_err(|e| broken(column, e))
}

pub(crate) fn session(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<SessionId> {
    SessionId::new(row.get::<_, String>(column)?).map_err(|e| broken(column, e))
}

pub(crate) fn optional_session(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<SessionId>> {
    let name: Option<String> = row.get(column)?;
    name.map(|name| SessionId::new(name).map_err(|e| broken(column, e))).transpose()
}

pub(crate) fn turn(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<TurnId> {
    from_text(column, row.get(column)?)
}

pub(crate) fn optional_turn(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<TurnId>> {
    optional_text(row, column)
}

/// Reads a value whose serde form is a plain string.
pub(crate) fn optional_text<T: DeserializeOwned>(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| from_text(column, text)).transpose()
}

fn from_text<T: DeserializeOwned>(column: usize, text: String) -> rusqlite::Result<T> {
    let text: StringDeserializer<ValueError> = text.into_deserializer();
    T::deserialize(text).map_err(|e| broken(column, e))
}

pub(crate) fn json<T: DeserializeOwned>(
    row: &rusqlite::Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|e| broken(column, e))
}

/// Five columns from `first` on: input, cached, cache_written, output, reasoning.
pub(crate) fn usage(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Usage> {
    Ok(Usage {
        input: uint(row.get(first)?),
        cached: uint(row.get(first + 1)?),
        cache_written: uint(row.get(first + 2)?),
        output: uint(row.get(first + 3)?),
        reasoning: uint(row.get(first + 4)?),
    })
}
