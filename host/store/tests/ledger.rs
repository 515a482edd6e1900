//! The ledger's promises, one by one.
#![allow(clippy::unwrap_used)]

use domain::chat::Usage;
use domain::{AgentName, NanoDollars, OnExceeded, Price, Scope, TurnId, Window};
use store::Store;
use store::ledger::{
    AMOUNT_MAX, Cap, Ending, Filter, Overshoot, Refusal, ReservationId, ReserveError,
    ReserveRequest, Reserved, SettleError, Settlement, Source, Zone,
};

/// 2026-11-18, a Wednesday, 12:00 UTC.
const NOON: u64 = 1_795_003_200_000;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
const PRICE: Price = Price { input: 1_000, cached: 100, cache_write: 1_250, output: 5_000 };

struct Bench {
    store: Store,
    agent: AgentName,
    caps: Vec<Cap>,
}

impl Bench {
    fn new(caps: Vec<Cap>) -> Self {
        let store = Store::in_memory().unwrap();
        Self { store, agent: AgentName::new("pi").unwrap(), caps }
    }

    fn request(&self, amount: u64) -> ReserveRequest<'_> {
        ReserveRequest {
            agent: &self.agent,
            session: None,
            turn: None,
            task: "run-1",
            requested_model: "big",
            model: "big",
            price: PRICE,
            amount: NanoDollars(amount),
            caps: &self.caps,
        }
    }

    fn reserve(&self, amount: u64, now: u64) -> Result<Reserved, ReserveError> {
        self.store.ledger().reserve(&self.request(amount), now)
    }

    fn settle(&self, id: ReservationId, cost: u64, now: u64) -> store::ledger::Settled {
        let settlement = Settlement {
            usage: Usage { input: 10, output: cost, ..Usage::default() },
            cost: NanoDollars(cost),
            served_model: "big-2026",
        };
        self.store.ledger().settle(id, &settlement, now).unwrap()
    }

    fn used(&self, now: u64) -> Vec<(u64, u64)> {
        let lines = self.store.ledger().lines(&self.agent, Some("run-1"), &self.caps, now).unwrap();
        lines.iter().map(|line| (line.settled.0, line.reserved.0)).collect()
    }
}

fn cap(scope: Scope, window: Window, amount: u64) -> Cap {
    Cap::new(scope, window, NanoDollars(amount))
}

fn refused(result: Result<Reserved, ReserveError>) -> Refusal {
    match result {
        Err(ReserveError::Refused(refusal)) => *refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_goes_from_reserved_to_settled() {
    let bench = Bench::new(vec![cap(Scope::Agent, Window::Daily, 100)]);
    let reserved = bench.reserve(60, NOON).unwrap();
    assert_eq!(reserved.amount.0, 60);
    assert_eq!(reserved.lines[0].1.reserved.0, 60);
    assert_eq!(bench.used(NOON), [(0, 60)]);
    let settled = bench.settle(reserved.id, 25, NOON + 5);
    assert_eq!((settled.cost.0, settled.ending, settled.overshoot), (25, Ending::Settled, None));
    assert_eq!(bench.used(NOON + 5), [(25, 0)]);

    let spend = bench.store.ledger().spend(reserved.id).unwrap().unwrap();
    assert_eq!(spend.task, "run-1");
    assert_eq!(spend.served_model.as_deref(), Some("big-2026"));
    assert_eq!(spend.price, PRICE);
    assert_eq!((spend.reserved.0, spend.cost.0, spend.overshoot.0), (60, 25, 0));
    assert_eq!((spend.reserved_at, spend.settled_at), (NOON, NOON + 5));
    assert_eq!(spend.usage.input, 10);
}

#[test]
fn the_cap_holds_to_the_nano_dollar() {
    let bench = Bench::new(vec![cap(Scope::Agent, Window::Daily, 100)]);
    let first = bench.reserve(99, NOON).unwrap();
    let refusal = refused(bench.reserve(2, NOON));
    assert_eq!(refusal.line.available().0, 1);
    assert!(refusal.open_reservations);
    bench.reserve(1, NOON).unwrap();
    assert!(refused(bench.reserve(1, NOON)).open_reservations);
    bench.settle(first.id, 0, NOON);
    bench.reserve(99, NOON).unwrap();
}

#[test]
fn nothing_is_open_when_all_is_settled() {
    let bench = Bench::new(vec![cap(Scope::Agent, Window::Daily, 100)]);
    let id = bench.reserve(100, NOON).unwrap().id;
    bench.settle(id, 100, NOON);
    let refusal = refused(bench.reserve(1, NOON));
    assert!(!refusal.open_reservations);
    assert_eq!(refusal.line.resets_at, Some(NOON + 12 * HOUR));
    assert_eq!(
        refusal.to_string(),
        "the agent budget of $0.0000001 (daily) has $0.00 left, the request may cost $0.000000001"
    );
}

#[test]
fn settling_twice_books_once() {
    let bench = Bench::new(vec![cap(Scope::Agent, Window::Daily, 100)]);
    let id = bench.reserve(50, NOON).unwrap().id;
    bench.settle(id, 20, NOON);
    assert_eq!(bench.settle(id, 50, NOON).cost.0, 20);
    let released = bench.store.ledger().release(id, NOON).unwrap();
    assert_eq!((released.cost.0, released.ending), (20, Ending::Settled));
    assert_eq!(bench.used(NOON), [(20, 0)]);
    let unknown = ReservationId::parse("77").unwrap();
    let error = bench.store.ledger().release(unknown, NOON).unwrap_err();
    assert!(matches!(error, SettleError::NotFound(id) if id == unknown));
}

#[test]
fn a_released_request_is_explained() {
    let bench = Bench::new(vec![cap(Scope::Agent, Window::Daily, 100)]);
    let id = bench.reserve(50, NOON).unwrap().id;
    bench.store.ledger().release(id, NOON).unwrap();
    let spend = bench.store.ledger().spend(id).unwrap().unwrap();
    assert_eq!((spend.ending, spend.cost.0, spend.served_model), (Ending::Released, 0, None));
    assert_eq!(bench.used(NOON), [(0, 0)]);
}

#[test]
fn an_overshoot_is_booked_in_full_and_ends_the_budget() {
    let bench = Bench::new(vec![cap(Scope::Agent, Window::Daily, 100)]);
    let id = bench.reserve(50, NOON).unwrap().id;
    let settled = bench.settle(id, 130, NOON);
    let expected = Overshoot { reserved: NanoDollars(50), cost: NanoDollars(130) };
    assert_eq!(settled.overshoot, Some(expected));
    assert_eq!(bench.settle(id, 0, NOON).overshoot, Some(expected));
    assert_eq!(bench.used(NOON), [(130, 0)]);
    refused(bench.reserve(0, NOON));
    assert_eq!(bench.store.ledger().totals(&Filter::default()).unwrap().overshoot.0, 80);
}

#[test]
fn the_history_holds_the_price_that_was_paid() {
    let bench = Bench::new(vec![cap(Scope::Agent, Window::Total, 1_000)]);
    let paid = Price { input: 2_000_000, ..PRICE };
    let id = bench.reserve(100, NOON).unwrap().id;
    let usage = Usage { input: 10, ..Usage::default() };
    let settlement = Settlement { usage, cost: paid.cost(&usage), served_model: "big" };
    bench.store.ledger().settle_at(id, &settlement, paid, NOON).unwrap();
    let spend = bench.store.ledger().spend(id).unwrap().unwrap();
    assert_eq!((spend.price, spend.cost), (paid, NanoDollars(20)));
}

#[test]
fn a_lying_provider_breaks_no_sum() {
    let bench = Bench::new(vec![cap(Scope::Agent, Window::Daily, 100)]);
    for _ in 0..3 {
        let free = ReserveRequest { price: Price::FREE, ..bench.request(0) };
        let id = bench.store.ledger().reserve(&free, NOON).unwrap().id;
        let usage = Usage { input: u64::MAX, output: u64::MAX, ..Usage::default() };
        let lie = Settlement { usage, cost: NanoDollars(u64::MAX), served_model: "x" };
        bench.store.ledger().settle(id, &lie, NOON).unwrap();
    }
    assert_eq!(bench.used(NOON), [(NanoDollars::MAX.0, 0)]);
    let totals = bench.store.ledger().totals(&Filter::default()).unwrap();
    assert_eq!((totals.requests, totals.cost), (3, NanoDollars::MAX));
    refused(bench.reserve(1, NOON));
}

#[test]
fn a_free_model_is_never_blocked_and_always_recorded() {
    let bench = Bench::new(vec![cap(Scope::System, Window::Total, 0)]);
    refused(bench.reserve(1, NOON));
    let free = ReserveRequest { price: Price::FREE, model: "local", ..bench.request(77) };
    let reserved = bench.store.ledger().reserve(&free, NOON).unwrap();
    assert_eq!(reserved.amount, NanoDollars::ZERO);
    bench.settle(reserved.id, 0, NOON);
    let spend = bench.store.ledger().spend(reserved.id).unwrap().unwrap();
    assert_eq!((spend.model.as_str(), spend.requested_model.as_str()), ("local", "big"));
}

#[test]
fn alert_lets_through() {
    let alert = Cap { on_exceeded: OnExceeded::Alert, ..cap(Scope::Agent, Window::Daily, 10) };
    let bench = Bench::new(vec![alert]);
    let reserved = bench.reserve(50, NOON).unwrap();
    let line = &reserved.lines[0].1;
    assert!(line.reserved > line.cap);
}

#[test]
fn the_tightest_cap_is_named() {
    let stop = Cap { on_exceeded: OnExceeded::Stop, ..cap(Scope::Agent, Window::Total, 30) };
    let bench = Bench::new(vec![
        cap(Scope::System, Window::Daily, 50),
        cap(Scope::Agent, Window::Daily, 30),
        stop,
        cap(Scope::Task, Window::Task, 1_000),
    ]);
    let refusal = refused(bench.reserve(60, NOON));
    // Of two equally tight ones the stricter.
    assert_eq!((refusal.cap.scope, refusal.cap.window), (Scope::Agent, Window::Total));
    assert_eq!(refusal.cap.on_exceeded, OnExceeded::Stop);
    assert_eq!(refusal.exceeded.len(), 3);
    bench.reserve(30, NOON).unwrap();
}

#[test]
fn scopes_count_what_they_name() {
    let bench = Bench::new(vec![
        cap(Scope::System, Window::Total, 1_000),
        cap(Scope::Agent, Window::Daily, 1_000),
        cap(Scope::Agent, Window::Task, 1_000),
        cap(Scope::Task, Window::Task, 1_000),
        cap(Scope::Task, Window::Monthly, 1_000),
    ]);
    let other = AgentName::new("other").unwrap();
    let ledger = bench.store.ledger();
    ledger.reserve(&bench.request(1), NOON).unwrap();
    ledger.reserve(&ReserveRequest { task: "run-2", ..bench.request(10) }, NOON).unwrap();
    ledger.reserve(&ReserveRequest { agent: &other, ..bench.request(100) }, NOON).unwrap();
    let reserved: Vec<u64> = bench.used(NOON).iter().map(|(_, reserved)| *reserved).collect();
    assert_eq!(reserved, [111, 11, 1, 101, 101]);
    // Without a task the three lines about one are left out.
    assert_eq!(ledger.lines(&bench.agent, None, &bench.caps, NOON).unwrap().len(), 2);
}

#[test]
fn windows_reset() {
    let bench = Bench::new(vec![
        cap(Scope::Agent, Window::Daily, 100),
        cap(Scope::Agent, Window::Weekly, 1_000),
        cap(Scope::Agent, Window::Monthly, 1_000),
        cap(Scope::Agent, Window::Total, 1_000),
    ]);
    let spend = |amount, now| {
        let id = bench.reserve(amount, now).unwrap().id;
        bench.settle(id, amount, now);
    };
    let settled =
        |now| -> Vec<u64> { bench.used(now).iter().map(|(settled, _)| *settled).collect() };
    spend(100, NOON);
    refused(bench.reserve(1, NOON + 12 * HOUR - 1));
    spend(30, NOON + 12 * HOUR);
    assert_eq!(settled(NOON + 12 * HOUR), [30, 130, 130, 130]);
    assert_eq!(settled(NOON + 4 * DAY), [0, 130, 130, 130]);
    assert_eq!(settled(NOON + 5 * DAY), [0, 0, 130, 130]);
    assert_eq!(settled(NOON + 13 * DAY), [0, 0, 0, 130]);
}

#[test]
fn money_stays_in_the_window_of_its_reservation() {
    let bench = Bench::new(vec![cap(Scope::Agent, Window::Daily, 100)]);
    let midnight = NOON + 12 * HOUR;
    let late = bench.reserve(100, midnight - 1).unwrap().id;
    // The new day has its own money; a clock that jumps back finds the old day's taken.
    let early = bench.reserve(100, midnight).unwrap().id;
    refused(bench.reserve(1, midnight - 1));
    bench.settle(late, 90, midnight + 5);
    bench.settle(early, 70, midnight - 5);
    assert_eq!(bench.used(midnight - 1), [(90, 0)]);
    assert_eq!(bench.used(midnight), [(70, 0)]);
}

#[test]
fn a_zone_moves_midnight() {
    let zone = Zone::parse("Asia/Kathmandu").unwrap();
    let bench = Bench::new(vec![Cap { zone, ..cap(Scope::Agent, Window::Daily, 100) }]);
    // 18:15 UTC is midnight there.
    let midnight = NOON + 6 * HOUR + HOUR / 4;
    let id = bench.reserve(100, midnight - 1).unwrap().id;
    bench.settle(id, 100, midnight - 1);
    assert_eq!(refused(bench.reserve(1, midnight - 1)).line.resets_at, Some(midnight));
    bench.reserve(100, midnight).unwrap();
}

#[test]
fn stored_caps_take_the_place_of_configured_ones() {
    let bench = Bench::new(vec![
        cap(Scope::Agent, Window::Daily, 10),
        cap(Scope::Agent, Window::Total, 500),
    ]);
    let ledger = bench.store.ledger();
    refused(bench.reserve(50, NOON));
    let raised = Cap {
        on_exceeded: OnExceeded::Pause,
        warn_percent: vec![50, 80],
        fallback: Some("local".to_owned()),
        zone: Zone::parse("Europe/Berlin").unwrap(),
        source: Source::Command,
        ..cap(Scope::Agent, Window::Daily, 100)
    };
    ledger.set_cap(Some(&bench.agent), &raised, NOON).unwrap();
    ledger.set_cap(None, &cap(Scope::System, Window::Total, 1_000), NOON).unwrap();
    let caps = ledger.caps(&bench.agent, &bench.caps).unwrap();
    assert_eq!(caps.len(), 3);
    assert!(caps.contains(&raised), "{caps:?}");
    bench.reserve(50, NOON).unwrap();
    // What a run was given holds all the same.
    let of_the_run = Cap { source: Source::Run, ..cap(Scope::Agent, Window::Daily, 10) };
    let caps = ledger.caps(&bench.agent, std::slice::from_ref(&of_the_run)).unwrap();
    assert!(caps.contains(&of_the_run) && caps.contains(&raised), "{caps:?}");
    // Another agent is bound by the system's only.
    let other = AgentName::new("other").unwrap();
    assert_eq!(ledger.caps(&other, &[]).unwrap().len(), 1);

    assert!(ledger.clear_cap(Some(&bench.agent), Scope::Agent, Window::Daily).unwrap());
    assert!(!ledger.clear_cap(Some(&bench.agent), Scope::Agent, Window::Daily).unwrap());
    refused(bench.reserve(1, NOON));
}

#[test]
fn caps_that_make_no_sense_are_refused() {
    let bench = Bench::new(Vec::new());
    let ledger = bench.store.ledger();
    let agent = Some(&bench.agent);
    let daily = |scope| cap(scope, Window::Daily, 1);
    assert!(ledger.set_cap(agent, &daily(Scope::System), NOON).is_err());
    assert!(ledger.set_cap(None, &daily(Scope::Agent), NOON).is_err());
    assert!(ledger.set_cap(None, &daily(Scope::Task), NOON).is_err());
    for warn_percent in [vec![0], vec![101], vec![1; 11]] {
        let cap = Cap { warn_percent, ..daily(Scope::Agent) };
        assert!(ledger.set_cap(agent, &cap, NOON).is_err());
    }
    assert!(ledger.set_cap(agent, &cap(Scope::Agent, Window::Daily, u64::MAX), NOON).is_err());
    assert!(ledger.caps(&bench.agent, &[]).unwrap().is_empty());
}

#[test]
fn warnings_name_the_highest_percentage_reached() {
    let mut warned = cap(Scope::Agent, Window::Daily, 100);
    warned.warn_percent = vec![80, 50];
    let bench = Bench::new(vec![warned.clone()]);
    for (cost, expected) in [(49, None), (1, Some(50)), (29, Some(50)), (21, Some(80))] {
        let id = bench.reserve(cost, NOON).unwrap().id;
        bench.settle(id, cost, NOON);
        let lines = bench.store.ledger().lines(&bench.agent, None, &bench.caps, NOON).unwrap();
        assert_eq!(warned.warning(&lines[0]), expected, "{lines:?}");
    }
}

#[test]
fn arguments_are_checked() {
    let bench = Bench::new(Vec::new());
    let ledger = bench.store.ledger();
    let long = "x".repeat(129);
    for task in ["", &long] {
        let request = ReserveRequest { task, ..bench.request(1) };
        assert!(matches!(ledger.reserve(&request, NOON), Err(ReserveError::Invalid(_))));
    }
    bench.reserve(AMOUNT_MAX.0, NOON).unwrap();
    assert!(matches!(bench.reserve(AMOUNT_MAX.0 + 1, NOON), Err(ReserveError::Invalid(_))));
}

#[test]
fn history_pages_and_filters() {
    let bench = Bench::new(Vec::new());
    let ledger = bench.store.ledger();
    let turn = TurnId::mint();
    let other = AgentName::new("other").unwrap();
    for n in 0..5u64 {
        let request = ReserveRequest {
            agent: if n == 4 { &other } else { &bench.agent },
            turn: (n == 2).then_some(&turn),
            task: if n < 2 { "a" } else { "b" },
            ..bench.request(100)
        };
        let id = ledger.reserve(&request, NOON + n).unwrap().id;
        bench.settle(id, n + 1, NOON + n);
    }
    let costs = |filter: Filter<'_>, limit| -> Vec<u64> {
        ledger.history(&filter, limit).unwrap().iter().map(|s| s.cost.0).collect()
    };
    let all = Filter::default();
    assert_eq!(costs(all, 1_000), [5, 4, 3, 2, 1]);
    assert_eq!(costs(all, 2), [5, 4]);
    let page = ledger.history(&all, 2).unwrap();
    assert_eq!(costs(Filter { before: Some(page[1].id), ..all }, 2), [3, 2]);
    assert_eq!(costs(Filter { agent: Some(&other), ..all }, 10), [5]);
    assert_eq!(costs(Filter { turn: Some(&turn), ..all }, 10), [3]);
    assert_eq!(costs(Filter { task: Some("b"), ..all }, 10), [5, 4, 3]);
    assert_eq!(costs(Filter { since: Some(NOON + 1), until: Some(NOON + 3), ..all }, 10), [3, 2]);
    let totals =
        ledger.totals(&Filter { task: Some("b"), agent: Some(&bench.agent), ..all }).unwrap();
    assert_eq!((totals.requests, totals.cost.0, totals.usage.input), (2, 7, 20));
    assert!(ledger.history(&all, 0).is_err());
    assert!(ledger.history(&all, 1_001).is_err());
}
