//! A long history from a store of an older version: what it has settled and reserved counts on.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use domain::chat::Usage;
use domain::{AgentName, NanoDollars, Price, Scope, Window};
use rusqlite::Connection;
use store::Store;
use store::ledger::{Cap, Ending, Filter, ReserveRequest, Settlement};

const PRICE: Price = Price { input: 1, cached: 1, cache_write: 1, output: 1 };
/// 2026-11-30, 23:00 UTC: the last hour of a month, whose window is as wide as it gets.
const NOW: u64 = 1_796_079_600_000;
const SPENDS: u64 = 100_000;

const VERSION_4: [&str; 4] = [
    include_str!("../src/schema/0001-first.sql"),
    include_str!("../src/schema/0002-approvals.sql"),
    include_str!("../src/schema/0003-middleware.sql"),
    include_str!("../src/schema/0004-tokens.sql"),
];

/// A month of requests, one every 26 seconds, in every quarter of an hour, and an open one of a
/// process that is gone, as version 4 keeps them.
fn fill(directory: &Path) {
    let sql = Connection::open(directory.join("store.db")).unwrap();
    for version in VERSION_4 {
        sql.execute_batch(version).unwrap();
    }
    sql.pragma_update(None, "user_version", 4).unwrap();
    sql.execute_batch(&format!(
        "BEGIN;
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {SPENDS})
         INSERT INTO spend
         SELECT n, 'pi', 's' || (n % 50), 't' || (n % 5000), 'run' || (n % 500), 'm', 'm', 'm',
                1000, 0, 0, 100, 0, 1, 1, 1, 1, 2000, 1100, 0, 'settled',
                {NOW} - (n - 1) * 25800, {NOW} - (n - 1) * 25800
         FROM n;
         INSERT INTO reservation
         VALUES ({SPENDS} + 7, 'gone', 'pi', 's', NULL, 'run1', 'm', 'm', 1, 1, 1, 1, 500, {NOW});
         INSERT INTO spend_sum
         WITH entry (agent, task, at, cost, amount) AS (
                  SELECT agent, task, reserved_at, cost, 0 FROM spend
                  UNION ALL SELECT agent, task, at, 0, amount FROM reservation),
              step (step) AS (VALUES (900000), (86400000), (0)),
              part (agent, task, step, at, cost, amount) AS (
                  SELECT '', '', step, at, cost, amount FROM entry, step
                  UNION ALL SELECT agent, '', step, at, cost, amount FROM entry, step
                  UNION ALL SELECT '', task, step, at, cost, amount FROM entry, step
                  UNION ALL SELECT agent, task, 0, at, cost, amount FROM entry)
         SELECT agent, task, step, ifnull(at / nullif(step, 0), 0), sum(cost), sum(amount)
         FROM part GROUP BY 1, 2, 3, 4;
         COMMIT;"
    ))
    .unwrap();
}

#[test]
fn an_older_store_keeps_its_sums() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let store = Store::open(directory.path(), NOW).unwrap();
    let agent = AgentName::new("pi").unwrap();
    let cap = |scope, window| Cap::new(scope, window, NanoDollars(1_000_000_000));
    let caps = [
        cap(Scope::System, Window::Monthly),
        cap(Scope::Agent, Window::Total),
        cap(Scope::Agent, Window::Daily),
        cap(Scope::Task, Window::Task),
        cap(Scope::Task, Window::Daily),
    ];
    // Each spend is 1,100; of each task there are 200, every 500 of 25.8 s; the day has 23 hours.
    let daily = 23 * 3_600 * 10 / 258 + 1;
    let of_task_daily = 7;
    let spent = |extra: u64| {
        [SPENDS, SPENDS, daily, 200, of_task_daily].map(|requests| requests * 1_100 + 500 + extra)
    };
    let used = || {
        let lines = store.ledger().lines(&agent, Some("run1"), &caps, NOW).unwrap();
        assert!(lines.iter().all(|line| line.reserved.0 == 0), "{lines:?}");
        lines.iter().map(|line| line.settled.0).collect::<Vec<_>>()
    };
    // Opening has booked what the dead process had reserved.
    assert_eq!(used(), spent(0));
    let last = store.ledger().history(&Filter::default(), 1).unwrap().remove(0);
    assert_eq!((last.ending, last.cost.0), (Ending::Recovered, 500));

    let request = ReserveRequest {
        agent: &agent,
        session: None,
        turn: None,
        task: "run1",
        requested_model: "m",
        model: "m",
        price: PRICE,
        amount: NanoDollars(2_000),
        caps: &caps,
    };
    let usage = Usage { input: 1_000, output: 100, ..Usage::default() };
    let settlement = Settlement { usage, cost: NanoDollars(1_000), served_model: "m" };
    // Over several batches.
    for number in 1..=100 {
        let reserved = store.ledger().reserve(&request, NOW).unwrap();
        store.ledger().settle(reserved.id, &settlement, NOW).unwrap();
        assert_eq!(used(), spent(number * 1_000));
    }
    assert_eq!(store.ledger().totals(&Filter::default()).unwrap().requests, SPENDS + 101);
}
