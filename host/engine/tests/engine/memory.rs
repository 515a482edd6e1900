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
