//! The schema's versions, and the refusal of one that is newer than this program.
//!
//! The tables are documented in `schema/*.sql`, one file a version, applied in order inside one
//! transaction each. Called by `Store::open` only.

use std::sync::LazyLock;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::database::{DatabaseError, OpenError};

const VERSIONS: [&str; 6] = [
    include_str!("schema/0001-first.sql"),
    include_str!("schema/0002-approvals.sql"),
    include_str!("schema/0003-middleware.sql"),
    include_str!("schema/0004-tokens.sql"),
    include_str!("schema/0005-ends.sql"),
    include_str!("schema/0006-cheap-check.sql"),
];

static MIGRATIONS: LazyLock<Migrations<'static>> =
    LazyLock::new(|| Migrations::new(VERSIONS.iter().copied().map(M::up).collect()));

/// Brings the schema to this program's version. The caller holds the store's opening lock: two
/// processes that migrate at once would both start from the old version.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let found: usize = connection
        .query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0))
        .map_err(DatabaseError::from)? as usize;
    if found > VERSIONS.len() {
        return Err(OpenError::Newer { found, supported: VERSIONS.len() });
    }
    MIGRATIONS.to_latest(connection).map_err(|source| OpenError::Migrate { source: source.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_applies() {
        MIGRATIONS.validate().unwrap();
    }
}
