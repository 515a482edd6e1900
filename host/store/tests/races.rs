//! Many threads in two openings of one directory: as two processes see it, file locks and all.
#![allow(clippy::unwrap_used)]

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use domain::chat::Usage;
use domain::{AgentName, NanoDollars, Price, Scope, Window};
use rusqlite::Connection;
use store::Store;
use store::ledger::{Cap, Filter, ReserveError, ReserveRequest, Settlement};

const PRICE: Price = Price { input: 1, cached: 1, cache_write: 1, output: 1 };
const NOW: u64 = 1_795_003_200_000;
const THREADS: u64 = 4;
const REQUESTS: u64 = 100;

/// A sequence that differs by thread and is the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[test]
fn no_race_passes_a_cap() {
    let directory = tempfile::tempdir().unwrap();
    let stores = [0, 1].map(|_| Store::open(directory.path(), NOW).unwrap());
    let cap = |scope, window, amount| Cap::new(scope, window, NanoDollars(amount));
    let caps = [
        cap(Scope::System, Window::Daily, 20_000),
        cap(Scope::Agent, Window::Total, 13_000),
        cap(Scope::Task, Window::Task, 6_000),
    ];
    let agents = ["a", "b"].map(|name| AgentName::new(name).unwrap());
    let done = AtomicBool::new(false);
    let (granted, refused, cost) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let start = Barrier::new(stores.len() * THREADS as usize + 1);

    let seen = thread::scope(|scope| {
        let workers: Vec<_> = (0..stores.len() as u64 * THREADS)
            .map(|n| {
                let store = &stores[(n % 2) as usize];
                let (agents, caps, start) = (&agents, &caps, &start);
                let (granted, refused, cost) = (&granted, &refused, &cost);
                scope.spawn(move || {
                    let mut random = Random(n + 1);
                    start.wait();
                    for _ in 0..REQUESTS {
                        let request = ReserveRequest {
                            agent: &agents[random.below(2) as usize],
                            session: None,
                            turn: None,
                            task: ["t0", "t1", "t2", "t3"][random.below(4) as usize],
                            requested_model: "m",
                            model: "m",
                            price: PRICE,
                            amount: NanoDollars(random.below(200)),
                            caps,
                        };
                        let reserved = match store.ledger().reserve(&request, NOW) {
                            Ok(reserved) => reserved,
                            Err(ReserveError::Refused(_)) => {
                                refused.fetch_add(1, Ordering::Relaxed);
                                continue;
                            }
                            Err(error) => panic!("{error}"),
                        };
                        granted.fetch_add(1, Ordering::Relaxed);
                        let spent = random.below(reserved.amount.0 + 1);
                        cost.fetch_add(spent, Ordering::Relaxed);
                        let settlement = Settlement {
                            usage: Usage { input: 1, ..Usage::default() },
                            cost: NanoDollars(spent),
                            served_model: "m",
                        };
                        store.ledger().settle(reserved.id, &settlement, NOW).unwrap();
                    }
                })
            })
            .collect();
        // Someone who looks on, through the running sums and through the rows they stand for.
        let watcher = scope.spawn(|| {
            let sql = Connection::open(directory.path().join("store.db")).unwrap();
            start.wait();
            let mut seen = 0u64;
            while !done.load(Ordering::Relaxed) || seen == 0 {
                for agent in &agents {
                    for line in stores[0].ledger().lines(agent, Some("t1"), &caps, NOW).unwrap() {
                        assert!(line.settled.0 + line.reserved.0 <= line.cap.0, "{line:?}");
                    }
                }
                let used: i64 = sql
                    .query_row(
                        "SELECT (SELECT ifnull(sum(cost), 0) FROM history)
                              + (SELECT ifnull(sum(amount), 0) FROM reservation
                                 WHERE ending IS NULL)",
                        [],
                        |row| row.get(0),
                    )
                    .unwrap();
                assert!(used <= 20_000, "{used}");
                seen += 1;
            }
            seen
        });
        // The watcher is released also when a worker failed.
        let workers: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(workers.iter().all(|worker| worker.is_ok()));
        watcher.join().unwrap()
    });

    assert!(seen > 0);
    let (granted, refused) = (granted.into_inner(), refused.into_inner());
    assert_eq!(granted + refused, 2 * THREADS * REQUESTS);
    assert!(refused > 0, "the caps were never reached");
    let totals = stores[1].ledger().totals(&Filter::default()).unwrap();
    assert_eq!((totals.requests, totals.cost.0), (granted, cost.into_inner()));
    let lines = stores[0].ledger().lines(&agents[0], Some("t0"), &caps, NOW).unwrap();
    assert!(lines.iter().all(|line| line.reserved.0 == 0), "{lines:?}");
    assert_eq!(lines[0].settled, totals.cost);
}

#[test]
fn opening_at_once_migrates_once_and_settles_once() {
    let directory = tempfile::tempdir().unwrap();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        for n in 0..8u64 {
            let (start, path) = (&start, directory.path());
            scope.spawn(move || {
                start.wait();
                for _ in 0..5 {
                    let store = Store::open(path, NOW).unwrap();
                    let agent = AgentName::new(format!("a{n}")).unwrap();
                    let request = ReserveRequest {
                        agent: &agent,
                        session: None,
                        turn: None,
                        task: "t",
                        requested_model: "m",
                        model: "m",
                        price: PRICE,
                        amount: NanoDollars(10),
                        caps: &[],
                    };
                    // One is settled, one is left to whoever comes next.
                    let settled = store.ledger().reserve(&request, NOW).unwrap().id;
                    store.ledger().reserve(&request, NOW).unwrap();
                    let released = store.ledger().release(settled, NOW).unwrap();
                    assert_eq!(released.cost.0, 0, "a live owner was taken for dead");
                }
            });
        }
    });
    let store = Store::open(directory.path(), NOW).unwrap();
    let totals = store.ledger().totals(&Filter::default()).unwrap();
    assert_eq!((totals.requests, totals.cost.0), (80, 400));
    assert_eq!(std::fs::read_dir(directory.path().join("owners")).unwrap().count(), 1);
}
