use std::time::Duration;

use engine::{Allocation, Engine, Options};

use crate::bench::{GUEST, guest};

#[tokio::test]
async fn as_many_sessions_as_asked_for() {
    let engine = Engine::new(&Options { sessions: 5, allocation: Allocation::Pooled }).unwrap();
    assert_eq!(engine.allocation(), Allocation::Pooled);
    let mut alive = Vec::new();
    for _ in 0..5 {
        alive.push(guest(&engine, GUEST, Duration::ZERO).await.unwrap());
    }
    assert!(guest(&engine, GUEST, Duration::ZERO).await.is_err(), "the pool is full");
    for guest in &mut alive {
        assert_eq!(guest.grow("grow", 100).await, 1);
    }
    // A place that is given back is clean.
    alive.pop();
    let mut again = guest(&engine, GUEST, Duration::ZERO).await.unwrap();
    assert_eq!(again.grow("grow", 1).await, 1);
}

#[test]
fn ten_thousand_sessions_have_a_pool() {
    let options = Options { sessions: 10_000, allocation: Allocation::Pooled };
    assert_eq!(Engine::new(&options).unwrap().allocation(), Allocation::Pooled);
}

#[tokio::test]
async fn without_address_space_memory_comes_on_demand() {
    // A memory of four gigabytes per session: more than any processor addresses.
    for sessions in [60_000, u32::MAX] {
        let engine = Engine::new(&Options { sessions, allocation: Allocation::Pooled }).unwrap();
        assert_eq!(engine.allocation(), Allocation::OnDemand, "{sessions}");
        let mut guest = guest(&engine, GUEST, Duration::ZERO).await.unwrap();
        guest.call("wait").await.unwrap();
    }
}

#[tokio::test]
async fn no_session_is_as_good_as_one() {
    let engine = Engine::new(&Options { sessions: 0, allocation: Allocation::Pooled }).unwrap();
    assert!(guest(&engine, GUEST, Duration::ZERO).await.is_ok());
}

#[test]
fn the_clock_stops_with_the_engine() {
    // A thread that outlived its engine would keep it in memory.
    let engine = Engine::new(&Options { sessions: 1, allocation: Allocation::OnDemand }).unwrap();
    let weak = engine.wasmtime().weak();
    drop(engine);
    assert!(weak.upgrade().is_none());
}
