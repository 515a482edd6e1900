use std::cell::Cell;
use std::time::{Duration, Instant};

use engine::{Allocation, CpuExhausted, Meter};

use crate::bench::{GUEST, engine, guest};

const LIMIT: Duration = Duration::from_millis(100);
/// How late a loaded machine may be here; the benchmark holds the promise of 20 ms.
const LATE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_runaway_guest_is_stopped() {
    for allocation in [Allocation::Pooled, Allocation::OnDemand] {
        let engine = engine(allocation);
        let mut guest = guest(&engine, GUEST, Duration::ZERO).await.unwrap();
        guest.meter.allow(LIMIT);
        let began = Instant::now();
        let trap = tokio::time::timeout(LIMIT + LATE, guest.call("spin")).await.unwrap();
        let trap = trap.unwrap_err();
        assert_eq!(trap.downcast_ref(), Some(&CpuExhausted { limit: LIMIT }), "{trap:?}");
        assert!(began.elapsed() >= LIMIT, "{:?}", began.elapsed());
        assert!(guest.meter.spent() >= LIMIT);
    }
}

#[tokio::test]
async fn waiting_for_the_host_costs_nothing() {
    let engine = engine(Allocation::Pooled);
    let mut guest = guest(&engine, GUEST, 3 * LIMIT).await.unwrap();
    guest.meter.allow(LIMIT);
    let began = Instant::now();
    guest.call("wait").await.unwrap();
    assert!(began.elapsed() >= 3 * LIMIT);
    assert!(guest.meter.spent() < LIMIT, "{:?}", guest.meter.spent());
    // What it waited is not charged to what follows, either.
    let trap = guest.call("spin").await.unwrap_err();
    assert!(trap.is::<CpuExhausted>(), "{trap:?}");
    assert!(guest.meter.spent() >= LIMIT);
}

#[tokio::test]
async fn a_busy_guest_starves_nobody() {
    let engine = engine(Allocation::Pooled);
    let mut guest = guest(&engine, GUEST, Duration::ZERO).await.unwrap();
    guest.meter.allow(LIMIT);
    let (over, turns) = (Cell::new(false), Cell::new(0));
    // On one thread: the other future only runs when the guest gives way.
    tokio::join!(
        async {
            assert!(guest.call("spin").await.is_err());
            over.set(true);
        },
        async {
            while !over.get() {
                turns.set(turns.get() + 1);
                tokio::task::yield_now().await;
            }
        }
    );
    assert!(turns.get() > 0);
}

#[tokio::test]
async fn an_allowance_counts_from_when_it_is_given() {
    let meter = Meter::default();
    let busy = async {
        let began = Instant::now();
        while began.elapsed() < LIMIT {
            std::hint::spin_loop();
        }
    };
    meter.measure(busy).await;
    let before = meter.spent();
    assert!(before >= LIMIT);
    tokio::time::sleep(LIMIT).await;
    assert_eq!(meter.spent(), before, "a pause is nobody's time");
    let engine = engine(Allocation::OnDemand);
    let mut guest = guest(&engine, GUEST, Duration::ZERO).await.unwrap();
    guest.meter = meter.clone();
    meter.guard(&mut guest.store);
    meter.allow(LIMIT);
    guest.call("wait").await.unwrap();
    let trap = guest.call("spin").await.unwrap_err();
    assert!(trap.is::<CpuExhausted>(), "{trap:?}");
    assert!(meter.spent() >= before + LIMIT);
}

/// A resource of the guest's own, whose destructor runs when the guest drops it.
const DESTRUCTOR: &str = r#"
(component
  (import "wait" (func))
  (core module $dtor (func (export "dtor") (param i32) (loop br 0)))
  (core instance $dtor (instantiate $dtor))
  (type $r (resource (rep i32) (dtor (core func $dtor "dtor"))))
  (core func $new (canon resource.new $r))
  (core func $drop (canon resource.drop $r))
  (core module $m
    (import "r" "new" (func $new (param i32) (result i32)))
    (import "r" "drop" (func $drop (param i32)))
    (func (export "spin") (call $drop (call $new (i32.const 1)))))
  (core instance $r (export "new" (func $new)) (export "drop" (func $drop)))
  (core instance $m (instantiate $m (with "r" (instance $r))))
  (func (export "spin") (canon lift (core func $m "spin"))))
"#;

#[tokio::test]
async fn a_loop_in_a_destructor_is_stopped() {
    let engine = engine(Allocation::Pooled);
    let mut guest = guest(&engine, DESTRUCTOR, Duration::ZERO).await.unwrap();
    guest.meter.allow(LIMIT);
    let trap = guest.call("spin").await.unwrap_err();
    assert!(trap.is::<CpuExhausted>(), "{trap:?}");
}
