//! What is on the disk: modes, versions, several openings of one directory.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use domain::chat::Usage;
use domain::{ActionKind, AgentName, NanoDollars, Price, Scope, SessionId, Verdict, Window};
use rusqlite::Connection;
use store::approval::Decision;
use store::ledger::{Cap, Ending, Filter, ReservationId, ReserveRequest, Settlement};
use store::{OpenError, Store};

const PRICE: Price = Price { input: 1, cached: 1, cache_write: 1, output: 1 };

fn agent() -> AgentName {
    AgentName::new("pi").unwrap()
}

fn reserve(store: &Store, amount: u64, caps: &[Cap]) -> ReservationId {
    let request = ReserveRequest {
        agent: &agent(),
        session: None,
        turn: None,
        task: "t",
        requested_model: "m",
        model: "m",
        price: PRICE,
        amount: NanoDollars(amount),
        caps,
    };
    store.ledger().reserve(&request, 10).unwrap().id
}

fn lock_files(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("owners")).unwrap().count()
}

fn sql(directory: &Path) -> Connection {
    Connection::open(directory.join("store.db")).unwrap()
}

#[test]
fn what_is_stored_is_there_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b");
    let id = {
        let store = Store::open(&path, 1).unwrap();
        store.clone().memory().add(&agent(), "kept", &[], 5).unwrap()
    };
    let store = Store::open(&path, 2).unwrap();
    let notes = store.memory().list(&agent(), None, 10).unwrap();
    assert_eq!((notes[0].id, notes[0].text.as_str()), (id, "kept"));
    assert_eq!(lock_files(&path), 1, "the lock file of the first opening is swept");
    let mode: String = sql(&path).query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[cfg(unix)]
#[test]
fn only_the_user_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let store = Store::open(&path, 1).unwrap();
    store.memory().add(&agent(), "private", &[], 5).unwrap();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("owners")), 0o700);
    let mut files = 0;
    for folder in [path.clone(), path.join("owners")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_file() {
                assert_eq!(mode(&entry), 0o600, "{}", entry.display());
                files += 1;
            }
        }
    }
    // The database, its log and index, the opening lock, the owner's lock.
    assert_eq!(files, 5);

    // A file that others could read is taken back.
    drop(store);
    let file = path.join("store.db");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(Store::open(&path, 1).unwrap());
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn a_newer_store_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(directory.path(), 1).unwrap());
    sql(directory.path()).pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(directory.path(), 1).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, supported: 6 }));
    assert!(error.to_string().contains("update xpressclaw"), "{error}");
    let version: u32 =
        sql(directory.path()).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn what_cannot_be_opened_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Store::open(&file, 1).unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");

    std::fs::write(directory.path().join("store.db"), "this is not a database, at all").unwrap();
    assert!(matches!(Store::open(directory.path(), 1), Err(OpenError::Database(_))));
}

#[test]
fn spend_is_append_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), 1).unwrap();
    let id = reserve(&store, 10, &[]);
    store.ledger().release(id, 11).unwrap();
    let sql = sql(directory.path());
    let refused = |statement: &str, why: &str| {
        let error = sql.execute(statement, []).unwrap_err();
        assert!(error.to_string().contains(why), "{statement}: {error}");
    };
    // Where it waits for its batch,
    refused("UPDATE reservation SET cost = 5", "final");
    refused("DELETE FROM reservation", "history");
    // and after it.
    let waiting = || {
        let count = "SELECT count(*) FROM reservation";
        sql.query_row(count, [], |row| row.get::<_, u32>(0)).unwrap()
    };
    let mut requests = 1;
    while waiting() > 0 {
        let id = reserve(&store, 10, &[]);
        store.ledger().release(id, 11).unwrap();
        requests += 1;
        assert!(requests < 1_000, "no batch ever comes");
    }
    assert!(requests > 1);
    refused("UPDATE spend SET cost = 5", "append-only");
    refused("DELETE FROM spend", "append-only");
    assert_eq!(store.ledger().totals(&Filter::default()).unwrap().requests, requests);
}

#[test]
fn the_audit_log_is_append_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), 1).unwrap();
    let decision = Decision {
        agent: &agent(),
        session: &SessionId::new("s").unwrap(),
        turn: None,
        kind: ActionKind::Read,
        subject: ".env",
        verdict: Verdict::Denied,
        by: "nobody",
    };
    store.approval().record(&decision, 1).unwrap();
    let sql = sql(directory.path());
    for statement in ["UPDATE audit SET verdict = 'allowed'", "DELETE FROM audit"] {
        let error = sql.execute(statement, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    assert_eq!(store.approval().history(None, None, 10).unwrap().len(), 1);
}

#[test]
fn a_task_cannot_be_its_own_ancestor() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), 1).unwrap();
    let parent = store.task().create(&agent(), "a", "", None, 0).unwrap();
    let child = store.task().create(&agent(), "b", "", Some(&parent.to_string()), 0).unwrap();
    // The interface has no way to try; the schema refuses it all the same.
    for (id, new_parent) in [(parent, child), (child, child)] {
        let statement = format!("UPDATE task SET parent = {new_parent} WHERE id = {id}");
        assert!(sql(directory.path()).execute(&statement, []).is_err(), "{statement}");
    }
}

#[test]
fn the_dead_are_settled_for_and_the_living_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let dead = Store::open(directory.path(), 1).unwrap();
    let living = Store::open(directory.path(), 1).unwrap();
    assert_ne!(dead.owner(), living.owner());
    let lost = reserve(&dead, 40, &[]);
    let done = reserve(&dead, 5, &[]);
    let settlement =
        Settlement { usage: Usage::default(), cost: NanoDollars(3), served_model: "m" };
    dead.ledger().settle(done, &settlement, 12).unwrap();
    let open = reserve(&living, 50, &[]);
    drop(dead);

    let caps = [Cap::new(Scope::System, Window::Total, NanoDollars(100))];
    let used = |store: &Store| {
        let line = store.ledger().lines(&agent(), None, &caps, 10).unwrap().remove(0);
        (line.settled.0, line.reserved.0)
    };
    assert_eq!(used(&living), (3, 90));
    let third = Store::open(directory.path(), 77).unwrap();
    assert_eq!(used(&third), (43, 50));
    let spend = third.ledger().spend(lost).unwrap().unwrap();
    assert_eq!((spend.ending, spend.cost.0), (Ending::Recovered, 40));
    assert_eq!((spend.reserved_at, spend.settled_at), (10, 77));
    assert!(third.ledger().spend(open).unwrap().is_none());
    assert_eq!(lock_files(directory.path()), 2);

    // The living settles its own; a settlement that comes after the recovery changes nothing.
    living.ledger().settle(open, &settlement, 80).unwrap();
    let late = living.ledger().settle(lost, &settlement, 81).unwrap();
    assert_eq!((late.ending, late.cost.0), (Ending::Recovered, 40));
    assert_eq!(used(&third), (46, 0));
}

#[test]
fn a_process_that_stays_settles_for_others_that_die() {
    let directory = tempfile::tempdir().unwrap();
    let staying = Store::open(directory.path(), 1).unwrap();
    let mine = reserve(&staying, 7, &[]);
    let dying = Store::open(directory.path(), 1).unwrap();
    let theirs = [reserve(&dying, 1, &[]), reserve(&dying, 2, &[])];
    assert!(staying.ledger().recover(20).unwrap().is_empty());
    drop(dying);
    let recovered = staying.ledger().recover(20).unwrap();
    assert_eq!(recovered.iter().map(|r| r.id).collect::<Vec<_>>(), theirs);
    assert_eq!(recovered.iter().map(|r| r.cost.0).collect::<Vec<_>>(), [1, 2]);
    assert!(staying.ledger().recover(20).unwrap().is_empty());
    assert!(staying.ledger().spend(mine).unwrap().is_none());
    assert_eq!(lock_files(directory.path()), 1);
}

#[test]
fn a_lost_lock_file_means_a_dead_owner() {
    let directory = tempfile::tempdir().unwrap();
    let id = reserve(&Store::open(directory.path(), 1).unwrap(), 7, &[]);
    std::fs::remove_dir_all(directory.path().join("owners")).unwrap();
    let store = Store::open(directory.path(), 2).unwrap();
    assert_eq!(store.ledger().spend(id).unwrap().unwrap().cost.0, 7);
}
