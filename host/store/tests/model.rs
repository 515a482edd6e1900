//! The ledger against a reference that is too simple to be wrong: a list of requests, summed anew
//! for every question. Random operations, and after each of them the two must agree and the
//! invariant must hold.
#![allow(clippy::unwrap_used)]

use domain::chat::Usage;
use domain::{AgentName, NanoDollars, OnExceeded, Price, Scope, Window};
use proptest::prelude::*;
use store::Store;
use store::ledger::{Cap, Filter, ReservationId, ReserveError, ReserveRequest, Settlement, Zone};

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// 2026-03-27, a Friday, 00:00 UTC: two days before a change of clocks in Europe, five before the
/// end of a month.
const START: u64 = 1_774_569_600_000;
const PAID: Price = Price { input: 1, cached: 1, cache_write: 1, output: 1 };

#[derive(Debug, Clone)]
enum Operation {
    Reserve {
        agent: usize,
        task: usize,
        amount: u64,
        price: Price,
    },
    /// The n-th open request, at this part of its reservation, in percent.
    Settle {
        which: prop::sample::Index,
        percent: u64,
    },
    Release {
        which: prop::sample::Index,
    },
    /// A settlement of any request that ever was, once more.
    Again {
        which: prop::sample::Index,
    },
    /// Milliseconds forward, or back.
    Clock {
        by: i64,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    let price = prop_oneof![4 => Just(PAID), 1 => Just(Price::FREE)];
    let index = any::<prop::sample::Index>;
    prop_oneof![
        6 => (0..2usize, 0..3usize, 0..60u64, price)
            .prop_map(|(agent, task, amount, price)| Operation::Reserve {
                agent, task, amount, price
            }),
        4 => (index(), prop_oneof![9 => 0..=100u64, 1 => 100..=300u64])
            .prop_map(|(which, percent)| Operation::Settle { which, percent }),
        1 => index().prop_map(|which| Operation::Release { which }),
        1 => index().prop_map(|which| Operation::Again { which }),
        2 => prop_oneof![
            4 => (0..12 * HOUR).prop_map(|by| by as i64),
            1 => (0..10 * DAY).prop_map(|by| by as i64),
            1 => (0..2 * DAY).prop_map(|by| -(by as i64)),
        ]
        .prop_map(|by| Operation::Clock { by }),
    ]
}

fn caps() -> Vec<Cap> {
    let berlin = || Zone::parse("Europe/Berlin").unwrap();
    let cap = |scope, window, amount| Cap::new(scope, window, NanoDollars(amount));
    vec![
        cap(Scope::System, Window::Daily, 200),
        Cap { zone: berlin(), ..cap(Scope::Agent, Window::Daily, 120) },
        Cap { zone: berlin(), ..cap(Scope::Agent, Window::Weekly, 300) },
        cap(Scope::Agent, Window::Monthly, 600),
        cap(Scope::Agent, Window::Task, 350),
        cap(Scope::Task, Window::Task, 400),
        cap(Scope::Task, Window::Daily, 90),
        cap(Scope::System, Window::Total, 2_000),
        Cap { on_exceeded: OnExceeded::Alert, ..cap(Scope::Task, Window::Weekly, 50) },
    ]
}

/// The reference's whole state is this list.
struct Entry {
    id: ReservationId,
    agent: usize,
    task: usize,
    at: u64,
    reserved: u64,
    /// `None`: open.
    cost: Option<u64>,
}

/// First and last moment of a window, by calendar arithmetic of its own: day by day, from an
/// offset that is known for these months.
fn reference_window(cap: &Cap, now: u64) -> (u64, u64) {
    // Berlin is an hour ahead, from 2026-03-29 01:00 UTC on two.
    let offset = |at: u64| match (cap.zone.name(), at) {
        ("UTC", _) => 0,
        (_, at) if at < START + 2 * DAY + HOUR => HOUR,
        _ => 2 * HOUR,
    };
    // START is a Friday; days since, shifted so that none is negative.
    let day = |at: u64| (at + offset(at)) / DAY;
    let start_day = START / DAY;
    let weekday = |day: u64| (day + 28 - start_day % 7 + 4) % 7;
    let month = |day: u64| match day {
        day if day < start_day - 26 => 2,
        day if day < start_day + 5 => 3,
        day if day < start_day + 35 => 4,
        day if day < start_day + 66 => 5,
        _ => 6,
    };
    let same = |other: u64| match cap.window {
        Window::Daily => day(other) == day(now),
        Window::Weekly => day(other) - weekday(day(other)) == day(now) - weekday(day(now)),
        Window::Monthly => month(day(other)) == month(day(now)),
        Window::Task | Window::Total => true,
    };
    // The callers ask about entries only; half hours are enough to find the edges.
    let step = HOUR / 2;
    let (mut first, mut last) = (now - now % step, now - now % step + step - 1);
    if matches!(cap.window, Window::Task | Window::Total) {
        return (0, u64::MAX);
    }
    while same(first - step) {
        first -= step;
    }
    while same(last + 1) {
        last += step;
    }
    (first, last)
}

struct Reference {
    entries: Vec<Entry>,
}

impl Reference {
    /// Settled and reserved under a cap.
    fn used(&self, cap: &Cap, agent: usize, task: usize, now: u64) -> (u64, u64) {
        let (first, last) = reference_window(cap, now);
        let counted = |entry: &&Entry| {
            (cap.scope != Scope::Agent || entry.agent == agent)
                && (!(cap.scope == Scope::Task || cap.window == Window::Task) || entry.task == task)
                && (first..=last).contains(&entry.at)
        };
        self.entries.iter().filter(counted).fold((0, 0), |(settled, reserved), entry| {
            match entry.cost {
                Some(cost) => (settled + cost, reserved),
                None => (settled, reserved + entry.reserved),
            }
        })
    }

    fn open(&self) -> Vec<usize> {
        let open = self.entries.iter().enumerate().filter(|(_, entry)| entry.cost.is_none());
        open.map(|(n, _)| n).collect()
    }
}

/// `before`: requests that were made and released before all, so that batches of ended ones begin
/// anywhere.
fn run(before: usize, operations: Vec<Operation>) -> Result<(), TestCaseError> {
    let store = Store::in_memory().unwrap();
    let ledger = store.ledger();
    let agents = [AgentName::new("a").unwrap(), AgentName::new("b").unwrap()];
    let tasks = ["t0", "t1", "t2"];
    let caps = caps();
    let mut reference = Reference { entries: Vec::new() };
    let mut now = START + 6 * HOUR;
    for _ in 0..before {
        let request = ReserveRequest {
            agent: &agents[0],
            session: None,
            turn: None,
            task: tasks[0],
            requested_model: "m",
            model: "m",
            price: PAID,
            amount: NanoDollars(1),
            caps: &[],
        };
        let id = ledger.reserve(&request, now).unwrap().id;
        ledger.release(id, now).unwrap();
        let (agent, task, cost) = (0, 0, Some(0));
        reference.entries.push(Entry { id, agent, task, at: now, reserved: 1, cost });
    }

    for operation in operations {
        match operation {
            Operation::Clock { by } => {
                now = now.saturating_add_signed(by).clamp(START - 20 * DAY, START + 60 * DAY);
            }
            Operation::Reserve { agent, task, amount, price } => {
                let request = ReserveRequest {
                    agent: &agents[agent],
                    session: None,
                    turn: None,
                    task: tasks[task],
                    requested_model: "m",
                    model: "m",
                    price,
                    amount: NanoDollars(amount),
                    caps: &caps,
                };
                let amount = if price.is_free() { 0 } else { amount };
                let fits = price.is_free()
                    || caps.iter().filter(|c| c.on_exceeded != OnExceeded::Alert).all(|cap| {
                        let (settled, reserved) = reference.used(cap, agent, task, now);
                        settled + reserved + amount <= cap.amount.0
                    });
                match ledger.reserve(&request, now) {
                    Ok(reserved) => {
                        prop_assert!(fits);
                        let id = reserved.id;
                        let entry =
                            Entry { id, agent, task, at: now, reserved: amount, cost: None };
                        reference.entries.push(entry);
                    }
                    Err(ReserveError::Refused(refusal)) => {
                        prop_assert!(!fits);
                        let least = refusal.exceeded.iter().map(|(_, l)| l.available()).min();
                        prop_assert_eq!(Some(refusal.line.available()), least);
                    }
                    Err(error) => return Err(TestCaseError::fail(error.to_string())),
                }
            }
            Operation::Settle { which, percent } => {
                let open = reference.open();
                if open.is_empty() {
                    continue;
                }
                let entry = &mut reference.entries[open[which.index(open.len())]];
                let cost = entry.reserved * percent / 100;
                let settled = ledger.settle(entry.id, &settlement(cost), now).unwrap();
                prop_assert_eq!(settled.overshoot.is_some(), cost > entry.reserved);
                entry.cost = Some(cost);
            }
            Operation::Release { which } => {
                let open = reference.open();
                if open.is_empty() {
                    continue;
                }
                let entry = &mut reference.entries[open[which.index(open.len())]];
                ledger.release(entry.id, now).unwrap();
                entry.cost = Some(0);
            }
            Operation::Again { which } => {
                let settled: Vec<_> =
                    reference.entries.iter().filter(|e| e.cost.is_some()).collect();
                if settled.is_empty() {
                    continue;
                }
                let entry = settled[which.index(settled.len())];
                let again = ledger.settle(entry.id, &settlement(59), now).unwrap();
                prop_assert_eq!(Some(again.cost.0), entry.cost);
            }
        }
        check(&store, &reference, &agents, &tasks, &caps, now)?;
    }
    Ok(())
}

fn settlement(cost: u64) -> Settlement<'static> {
    Settlement { usage: Usage::default(), cost: NanoDollars(cost), served_model: "m" }
}

/// The ledger says what the reference says, and keeps the invariant up to overshoot.
fn check(
    store: &Store,
    reference: &Reference,
    agents: &[AgentName],
    tasks: &[&str],
    caps: &[Cap],
    now: u64,
) -> Result<(), TestCaseError> {
    for (a, agent) in agents.iter().enumerate() {
        for (t, task) in tasks.iter().enumerate() {
            let lines = store.ledger().lines(agent, Some(task), caps, now).unwrap();
            prop_assert_eq!(lines.len(), caps.len());
            for (cap, line) in caps.iter().zip(&lines) {
                let used = (line.settled.0, line.reserved.0);
                prop_assert_eq!(used, reference.used(cap, a, t, now), "{:?} at {}", cap, now);
            }
        }
    }
    let over: u64 = reference
        .entries
        .iter()
        .map(|entry| entry.cost.unwrap_or(0).saturating_sub(entry.reserved))
        .sum();
    // In every window that any request was made in, not only in the one of now.
    for entry in &reference.entries {
        for cap in caps.iter().filter(|cap| cap.on_exceeded != OnExceeded::Alert) {
            let (settled, reserved) = reference.used(cap, entry.agent, entry.task, entry.at);
            prop_assert!(settled + reserved <= cap.amount.0 + over, "{:?}", cap);
        }
    }
    let totals = store.ledger().totals(&Filter::default()).unwrap();
    let ended = reference.entries.iter().filter_map(|entry| entry.cost);
    prop_assert_eq!(totals.requests, ended.clone().count() as u64);
    prop_assert_eq!(totals.cost.0, ended.sum::<u64>());
    prop_assert_eq!(totals.overshoot.0, over);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_agrees_with_the_reference(
        before in 0..32usize,
        operations in prop::collection::vec(operation(), 1..80),
    ) {
        run(before, operations)?;
    }
}
