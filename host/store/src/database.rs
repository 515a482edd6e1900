//! The file, its two connections and its transactions.
//!
//! Why: several processes share one data directory, so every write is one immediate transaction
//! (SQLite's write lock taken first, never upgraded to) and every read sees one committed state.
//! Called by the modules of this crate; the rest of the host sees `Store` and never a connection.
//! It must never hold the writer across anything but SQL and lock files.
//!
//! Durability: WAL with `synchronous = NORMAL`. A commit survives a crash or a kill -9 of any
//! process; a power cut can take the last moments back, never the file's consistency.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::owner::{Owner, OwnerId};
use crate::{ledger, schema};

/// The database inside of the data directory.
const FILE: &str = "store.db";
/// Serialises opening: migrations and the change of the journal mode are not safe side by side.
const OPENING_LOCK: &str = "store.lock";
/// How long a write waits for other processes. A write takes well under a millisecond, a migration
/// of a large store some seconds; longer than this means that something is stuck.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements kept per connection: all that this crate has (about 60) and some room.
const STATEMENTS: usize = 96;
/// Pages in the log of writes until the commit that passes them copies them into the file, during which
/// all others wait: some milliseconds. SQLite's own thousand would be every 250 requests of the
/// endpoint; this many (16 MB) still fit one table of the log's index.
const CHECKPOINT_PAGES: i64 = 4_000;

/// Everything that outlives a process. Cheap to clone; all clones are one store.
///
/// Calls are synchronous: a single statement takes about 0.1 ms, a write of another process can
/// make one wait. Every call is atomic: it happened or it did not.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    // Fields drop in this order: the connections close before the owner's lock is given up.
    reader: Option<Mutex<Connection>>,
    writer: Mutex<Connection>,
    owner: Owner,
}

/// SQLite refused or failed: a full disk, a damaged file, a lock held for too long.
#[derive(Debug, thiserror::Error)]
#[error("the store's database failed")]
pub struct DatabaseError {
    #[from]
    source: rusqlite::Error,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot use `{path}` for the store")]
    File { path: PathBuf, source: io::Error },
    #[error(
        "the store has version {found} and this program knows versions up to {supported}; \
         update xpressclaw, or name another data directory"
    )]
    Newer { found: usize, supported: usize },
    #[error("cannot bring the store to this program's version")]
    Migrate { source: Box<dyn std::error::Error + Send + Sync> },
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Lets `?` carry SQLite's error into an operation's error through its `Database` variant.
macro_rules! through {
    ($type:ident) => {
        impl From<rusqlite::Error> for $type {
            fn from(error: rusqlite::Error) -> Self {
                Self::Database(error.into())
            }
        }
    };
}

pub(crate) use through;

through!(OpenError);

impl Store {
    /// Opens the store of a data directory and creates both where they are missing (on Unix with
    /// modes 0700 and 0600). Settles what processes that died have left reserved; `now_ms` is the
    /// time of those settlements, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// `Newer` when a newer program wrote the store; it is left as it was.
    pub fn open(directory: &Path, now_ms: u64) -> Result<Self, OpenError> {
        create_directory(directory)?;
        let lock_path = directory.join(OPENING_LOCK);
        let lock = create_file(&lock_path)?;
        lock.lock().map_err(|source| OpenError::File { path: lock_path, source })?;

        let path = directory.join(FILE);
        drop(create_file(&path)?);
        let mut writer = Connection::open(&path)?;
        configure(&writer)?;
        schema::migrate(&mut writer)?;
        let reader = Connection::open(&path)?;
        configure(&reader)?;
        reader.pragma_update(None, "query_only", true)?;
        let owner = ledger::adopt(&mut writer, directory, now_ms)?;

        let reader = Some(Mutex::new(reader));
        Ok(Self(Arc::new(Inner { reader, writer: Mutex::new(writer), owner })))
    }

    /// A store that lives as long as the value does. For tests.
    pub fn in_memory() -> Result<Self, OpenError> {
        let mut writer = Connection::open_in_memory()?;
        configure(&writer)?;
        schema::migrate(&mut writer)?;
        let owner = Owner::without_lock();
        Ok(Self(Arc::new(Inner { reader: None, writer: Mutex::new(writer), owner })))
    }

    /// Who this store reserves for: one id per opening.
    pub fn owner(&self) -> &OwnerId {
        self.0.owner.id()
    }

    pub(crate) fn owner_lock(&self) -> &Owner {
        &self.0.owner
    }

    /// Runs `f` in one immediate transaction; commits when it returns `Ok`, undoes it otherwise.
    pub(crate) fn write<T, E>(&self, f: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<DatabaseError>,
    {
        let writer = hold(&self.0.writer);
        let open = Open::begin(&writer, "BEGIN IMMEDIATE")?;
        let value = f(&writer)?;
        open.commit()?;
        Ok(value)
    }

    /// Runs `f` in one read transaction, beside any writer.
    pub(crate) fn read<T, E>(&self, f: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<DatabaseError>,
    {
        self.read_once(|reader| {
            let _open = Open::begin(reader, "BEGIN")?;
            f(reader)
        })
    }

    /// The same for an `f` that is a single statement, which is a transaction by itself.
    pub(crate) fn read_once<T, E>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        f(&hold(self.0.reader.as_ref().unwrap_or(&self.0.writer)))
    }

    /// The same on the writer's connection, for what every request asks: it keeps its pages through
    /// its own writes, each of which makes the reader read again. Waits for a write under way.
    pub(crate) fn read_beside_writes<T, E>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        f(&hold(&self.0.writer))
    }
}

/// A transaction, undone when dropped. Its statements are kept prepared, which rusqlite's own are
/// not: a fifth of a small write was reading `BEGIN` and `COMMIT`.
struct Open<'a>(&'a Connection);

impl<'a> Open<'a> {
    fn begin(connection: &'a Connection, sql: &str) -> Result<Self, DatabaseError> {
        connection.prepare_cached(sql)?.execute([])?;
        Ok(Self(connection))
    }

    fn commit(self) -> Result<(), DatabaseError> {
        self.0.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        // After a commit, and where SQLite itself gave up (a full disk), there is nothing to undo. If
        // undoing fails, the next `BEGIN` fails too and says so.
        if !self.0.is_autocommit() {
            let _ = self.0.prepare_cached("ROLLBACK").and_then(|mut undo| undo.execute([]));
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("owner", self.owner()).finish_non_exhaustive()
    }
}

/// A panic under the lock has rolled its transaction back while unwinding, so the connection is
/// as good as before.
fn hold(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

fn configure(connection: &Connection) -> Result<(), OpenError> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Answers with the mode that is now in force; a file system without shared memory keeps
    // another one, which is as safe and slower.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

/// Creates a directory for this user alone. One that is there stays as it is.
pub(crate) fn create_directory(path: &Path) -> Result<(), OpenError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| OpenError::File { path: path.to_owned(), source })
}

/// Opens or creates a file that only this user may read. SQLite gives its side files the mode of
/// the database.
pub(crate) fn create_file(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let open = || {
        let file = options.open(path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let found = file.metadata()?.permissions().mode();
            if found & 0o077 != 0 {
                file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
            }
        }
        Ok(file)
    };
    open().map_err(|source| OpenError::File { path: path.to_owned(), source })
}
