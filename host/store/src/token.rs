//! Tokens of the endpoint's clients: which agent a request belongs to.
//!
//! Called by the `endpoint` crate for every request and by the command line. Table: `token`. Only the
//! SHA-256 of a token is kept. A token is 256 random bits, which nobody can search for, so a slow or
//! salted hash would add nothing; and because it is looked up by its digest, how long that takes
//! tells nothing about the token. A revoked token stays listed and is good for nothing.

use domain::AgentName;
use rusqlite::{OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::column::{agent, int, uint};
use crate::database::{DatabaseError, Store};
use crate::invalid::{self, Invalid};

/// The longest name of a token: a line of a list.
pub const TOKEN_NAME_MAX_BYTES: usize = 100;

/// The SHA-256 of a token.
pub type TokenDigest = [u8; 32];

/// A token; typed by a person to revoke it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(i64);

crate::id::opaque!(TokenId);

/// What is known of a token, which is not the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Token {
    pub id: TokenId,
    pub agent: AgentName,
    pub name: String,
    /// Milliseconds since the Unix epoch.
    pub minted: u64,
    /// Likewise; `None` while it is good.
    pub revoked: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("there is no token `{id}`")]
    NotFound { id: String },
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

crate::database::through!(TokenError);

/// The tokens of all agents. See [`Store::token`].
#[derive(Debug)]
pub struct Tokens<'a>(&'a Store);

impl Store {
    pub fn token(&self) -> Tokens<'_> {
        Tokens(self)
    }
}

const COLUMNS: &str = "id, agent, name, minted, revoked";

impl Tokens<'_> {
    /// Keeps the digest of a new token.
    pub fn add(
        &self,
        agent: &AgentName,
        name: &str,
        digest: &TokenDigest,
        now_ms: u64,
    ) -> Result<TokenId, TokenError> {
        invalid::line("name", name, 0, TOKEN_NAME_MAX_BYTES)?;
        self.0.write(|db| {
            db.prepare_cached(
                "INSERT INTO token (agent, name, digest, minted) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![agent.as_str(), name, digest, int(now_ms)])?;
            Ok(TokenId(db.last_insert_rowid()))
        })
    }

    /// The good token of this digest; `None` as well for a revoked one.
    pub fn find(&self, digest: &TokenDigest) -> Result<Option<Token>, TokenError> {
        self.0.read_beside_writes(|db| {
            let found = db
                .prepare_cached(
                    "SELECT id, agent, name, minted, revoked FROM token
                     WHERE digest = ?1 AND revoked IS NULL",
                )?
                .query_row(params![digest], token)
                .optional()?;
            Ok(found)
        })
    }

    /// All tokens, of one agent or of all, revoked ones included, in the order of their minting.
    pub fn list(&self, agent: Option<&AgentName>) -> Result<Vec<Token>, TokenError> {
        self.0.read(|db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM token WHERE ?1 IS NULL OR agent = ?1 ORDER BY id"
            ))?;
            let rows = statement.query_map(params![agent.map(AgentName::as_str)], token)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Ends a token: no request that comes later is served, in any process. Idempotent.
    pub fn revoke(&self, id: TokenId, now_ms: u64) -> Result<(), TokenError> {
        self.0.write(|db| {
            let changed = db
                .prepare_cached("UPDATE token SET revoked = coalesce(revoked, ?2) WHERE id = ?1")?
                .execute(params![id.0, int(now_ms)])?;
            if changed == 0 {
                return Err(TokenError::NotFound { id: id.to_string() });
            }
            Ok(())
        })
    }
}

fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token {
        id: TokenId(row.get(0)?),
        agent: agent(row, 1)?,
        name: row.get(2)?,
        minted: uint(row.get(3)?),
        revoked: row.get::<_, Option<i64>>(4)?.map(uint),
    })
}
