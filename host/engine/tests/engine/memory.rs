use std::time::Duration;

use engine::{Allocation, MEMORY_MAX_BYTES};

use crate::bench::{GUEST, engine, guest};

const PAGE: usize = 65_536;

fn pages(bytes: usize) -> u32 {
    u32::try_from(bytes / PAGE).unwrap()
}

#[tokio::test]
async fn growth_is_allowed_up_to_the_limit() {
    for allocation in [Allocation::Pooled, Allocation::OnDemand] {
        let engine = engine(allocation);
        let mut guest = guest(&engine, GUEST, Duration::ZERO).await.unwrap();
        // Two memories of one page are there.
        assert_eq!(guest.store.data().peak_bytes(), 2 * PAGE);
        assert_eq!(guest.grow("grow", 10).await, 1);
        assert_eq!(guest.store.data().peak_bytes(), 12 * PAGE);
        assert!(!guest.store.data().refused());
        assert_eq!(guest.grow("grow", pages(MEMORY_MAX_BYTES) - 11).await, -1, "{allocation:?}");
        assert!(guest.store.data().refused());
        assert_eq!(guest.store.data().peak_bytes(), 12 * PAGE);
        assert_eq!(guest.grow("grow", pages(MEMORY_MAX_BYTES) - 12).await, 11);
        assert_eq!(guest.store.data().peak_bytes(), MEMORY_MAX_BYTES);
    }
}

#[tokio::test]
async fn all_memories_of_a_guest_count_together() {
    let engine = engine(Allocation::OnDemand);
    let mut guest = guest(&engine, GUEST, Duration::ZERO).await.unwrap();
    let half = pages(MEMORY_MAX_BYTES / 2);
    assert_eq!(guest.grow("grow", half).await, 1);
    assert!(!guest.store.data().refused());
    assert_eq!(guest.grow("grow-other", half).await, -1);
    assert!(guest.store.data().refused());
    assert_eq!(guest.grow("grow-other", 1).await, 1);
}

#[tokio::test]
async fn tables_are_bounded() {
    let engine = engine(Allocation::OnDemand);
    let mut guest = guest(&engine, GUEST, Duration::ZERO).await.unwrap();
    assert_eq!(guest.grow("grow-table", 10_000).await, 1);
    assert!(!guest.store.data().refused());
    assert_eq!(guest.grow("grow-table", 1_000_000).await, -1);
    assert!(guest.store.data().refused());
}

#[tokio::test]
async fn what_begins_too_large_does_not_begin() {
    let many = |what: &str| {
        format!(
            r#"(component (import "wait" (func)) (core module $m {what}) {})"#,
            "(core instance (instantiate $m))".repeat(13)
        )
    };
    for (component, allocation) in [
        (
            format!(
                r#"(component (import "wait" (func)) (core module $m (memory {}))
            (core instance (instantiate $m)))"#,
                pages(MEMORY_MAX_BYTES) + 1
            ),
            Allocation::OnDemand,
        ),
        (
            format!(
                r#"(component (import "wait" (func)) (core module $m (memory {}))
            (core instance (instantiate $m)))"#,
                pages(MEMORY_MAX_BYTES) + 1
            ),
            Allocation::Pooled,
        ),
        // More memories than a pool has for one component; the same without a pool.
        (many("(memory 1)"), Allocation::OnDemand),
        (many("(memory 1)"), Allocation::Pooled),
    ] {
        let engine = engine(allocation);
        let error = guest(&engine, &component, Duration::ZERO).await;
        assert!(error.is_err(), "{allocation:?} {component}");
    }
}

/// Links of a list in the collected heap that is never let go.
const COLLECTED: &str = r#"
(component
  (import "wait" (func))
  (core module $m
    (type $link (struct (field (ref null $link)) (field i64) (field i64) (field i64)))
    (global $head (mut (ref null $link)) (ref.null $link))
    (func (export "spin")
      (loop
        (global.set $head (struct.new $link
          (global.get $head) (i64.const 1) (i64.const 2) (i64.const 3)))
        (br 0))))
  (core instance $m (instantiate $m))
  (func (export "spin") (canon lift (core func $m "spin"))))
"#;

#[tokio::test]
async fn a_collected_heap_counts_as_memory() {
    for allocation in [Allocation::Pooled, Allocation::OnDemand] {
        let engine = engine(allocation);
        let mut guest = guest(&engine, COLLECTED, Duration::ZERO).await.unwrap();
        let trap = guest.call("spin").await.unwrap_err();
        assert!(guest.store.data().refused(), "{allocation:?}: {trap:?}");
        assert!(guest.store.data().peak_bytes() <= MEMORY_MAX_BYTES);
    }
}

/// Of a resource of the guest's own, and of what the component model keeps for waiting.
const HANDLES: &str = r#"
(component
  (import "wait" (func))
  (type $r (resource (rep i32)))
  (core func $new (canon resource.new $r))
  (core func $set (canon waitable-set.new))
  (core module $m
    (import "r" "new" (func $new (param i32) (result i32)))
    (import "r" "set" (func $set (result i32)))
    (func (export "resources") (loop (drop (call $new (i32.const 1))) (br 0)))
    (func (export "sets") (loop (drop (call $set)) (br 0))))
  (core instance $r (export "new" (func $new)) (export "set" (func $set)))
  (core instance $m (instantiate $m (with "r" (instance $r))))
  (func (export "resources") (canon lift (core func $m "resources")))
  (func (export "sets") (canon lift (core func $m "sets"))))
"#;

#[tokio::test]
async fn handles_are_bounded() {
    let engine = engine(Allocation::OnDemand);
    for call in ["resources", "sets"] {
        let mut guest = guest(&engine, HANDLES, Duration::ZERO).await.unwrap();
        engine::limit_handles(&mut guest.store, 1_000);
        guest.meter.allow(Duration::from_secs(60));
        let trap = guest.call(call).await.unwrap_err();
        assert!(!trap.is::<engine::CpuExhausted>(), "{call}: {trap:?}");
    }
}

#[tokio::test]
async fn memories_that_threads_could_share_are_not_there() {
    let engine = engine(Allocation::OnDemand);
    let component = r#"(component (import "wait" (func)) (core module $m (memory 1 1 shared))
        (core instance (instantiate $m)))"#;
    assert!(guest(&engine, component, Duration::ZERO).await.is_err());
}
