use bindings::xclaw::budget::{Host as _, Window as WitWindow};
use domain::chat::Usage;
use domain::{NanoDollars, Price, Scope, Window};
use store::ledger::{Cap, ReserveRequest, Settlement};

use crate::bench::{Bench, store};

const PRICE: Price =
    Price { input: 1_000_000, cached: 1_000_000, cache_write: 1_000_000, output: 1_000_000 };

#[tokio::test]
async fn no_cap_no_line() {
    let mut pi = Bench::new(&store(), "pi");
    assert!(pi.view().status().await.unwrap().is_empty());
}

#[tokio::test]
async fn every_cap_that_binds_the_agent_has_a_line() {
    let store = store();
    let mut pi = Bench::new(&store, "pi");
    let cap = |scope, window, nanos| Cap::new(scope, window, NanoDollars(nanos));
    pi.ctx.caps = vec![
        cap(Scope::Agent, Window::Task, 1_000),
        cap(Scope::Agent, Window::Daily, 2_000),
        cap(Scope::Agent, Window::Weekly, 3_000),
        cap(Scope::Agent, Window::Monthly, 4_000),
        cap(Scope::System, Window::Total, 5_000),
    ];
    // One of another agent counts for the system alone, one of another task not for this one.
    let now = now_ms();
    for (agent, task, settle) in [
        ("pi", "run", Some(100)),
        ("pi", "run", None),
        ("pi", "other", Some(50)),
        ("echo", "run", Some(7)),
    ] {
        let other = Bench::new(&store, agent);
        let request = ReserveRequest {
            agent: &other.ctx.agent,
            session: None,
            turn: None,
            task,
            requested_model: "m",
            model: "m",
            price: PRICE,
            amount: NanoDollars(300),
            caps: &[],
        };
        let reserved = store.ledger().reserve(&request, now).unwrap();
        if let Some(cost) = settle {
            let usage = Usage { input: cost, ..Usage::default() };
            let settlement = Settlement { usage, cost: NanoDollars(cost), served_model: "m" };
            store.ledger().settle(reserved.id, &settlement, now).unwrap();
        }
    }
    let lines = pi.view().status().await.unwrap();
    let shown: Vec<_> = lines
        .iter()
        .map(|l| (l.scope.as_str(), l.window, l.cap, l.settled, l.reserved, l.resets_at.is_some()))
        .collect();
    assert_eq!(
        shown,
        [
            ("agent", WitWindow::Task, 1_000, 100, 300, false),
            ("agent", WitWindow::Daily, 2_000, 150, 300, true),
            ("agent", WitWindow::Weekly, 3_000, 150, 300, true),
            ("agent", WitWindow::Monthly, 4_000, 150, 300, true),
            ("system", WitWindow::Total, 5_000, 157, 300, false),
        ]
    );
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
