use std::time::Duration;

use bindings::base::wait::{Host as _, HostWaitable as _};
use domain::limits::WAIT_MAX;
use domain::wait::Waitable;
use tokio::time::Instant;
use wasmtime::component::Resource;

use crate::bench::Bench;

#[tokio::test(start_paused = true)]
async fn returns_what_is_ready_in_order() {
    for (raised, expected) in [
        (vec![], vec![]),
        (vec![1], vec![1]),
        (vec![2, 0], vec![0, 2]),
        (vec![0, 1, 2], vec![0, 1, 2]),
    ] {
        let mut bench = Bench::new();
        let conditions: Vec<_> = (0..3).map(|_| bench.condition()).collect();
        let on: Vec<u32> = conditions.iter().map(|(_, rep)| *rep).collect();
        for index in &raised {
            let (signal, _) = &conditions[*index];
            signal.raise();
        }
        assert_eq!(bench.wait(&on, Some(10)).await, expected, "{raised:?}");
        // Level-triggered: asking takes nothing away.
        assert_eq!(bench.wait(&on, Some(10)).await, expected, "{raised:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_out_is_an_empty_list() {
    let mut bench = Bench::new();
    let (_signal, condition) = bench.condition();
    for (on, timeout_ms, expected_ms) in [
        (vec![condition], Some(0), 0),
        (vec![condition], Some(1_500), 1_500),
        // Nothing to wait for: a sleep, or at once.
        (vec![], Some(700), 700),
        (vec![], None, 0),
    ] {
        let began = Instant::now();
        assert_eq!(bench.wait(&on, timeout_ms).await, Vec::<u32>::new());
        let waited = began.elapsed();
        assert!(waited >= Duration::from_millis(expected_ms), "{on:?} {waited:?}");
        assert!(waited <= Duration::from_millis(expected_ms + 2), "{on:?} {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn wakes_when_a_condition_comes_true_later() {
    let mut bench = Bench::new();
    let (first, a) = bench.condition();
    let (_second, b) = bench.condition();
    let raise = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        first.raise();
    };
    let (ready, ()) = tokio::join!(bench.wait([b, a], None), raise);
    assert_eq!(ready, [1]);
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_ready() {
    let mut bench = Bench::new();
    let (signal, condition) = bench.condition();
    let (ready, ()) = tokio::join!(bench.wait([condition], None), async { drop(signal) });
    assert_eq!(ready, [0]);
}

#[tokio::test(start_paused = true)]
async fn further_conditions_than_the_limit_are_not_looked_at() {
    let mut bench = Bench::new();
    let (quiet, loud) = (bench.condition(), bench.condition());
    loud.0.raise();
    let mut on = vec![quiet.1; WAIT_MAX];
    on.push(loud.1);
    assert_eq!(bench.wait(&on, Some(1)).await, Vec::<u32>::new());
    on.swap(0, WAIT_MAX);
    assert_eq!(bench.wait(&on, Some(1)).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_turn_interrupts_until_the_guest_knows() {
    let mut bench = Bench::new();
    let (_signal, condition) = bench.condition();
    let (done, ready_one) = bench.condition();
    let handle = bench.handle.clone();
    let (ready, ()) = tokio::join!(bench.wait([condition], None), async { handle.cancel() });
    assert_eq!(ready, Vec::<u32>::new());
    // Again and again, with or without a time-out, with what is ready.
    done.raise();
    assert_eq!(bench.wait([condition], Some(1_000_000)).await, Vec::<u32>::new());
    assert_eq!(bench.wait([condition, ready_one], None).await, [1]);
    let input = bench.input_ready().await;
    assert_eq!(bench.wait([input, condition], None).await, [0]);
    bench.take().await.unwrap();
    // Then waits block as ever.
    let began = Instant::now();
    assert_eq!(bench.wait([condition], Some(3_000)).await, Vec::<u32>::new());
    assert!(began.elapsed() >= Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_timer_is_ready_from_its_time_on() {
    let mut bench = Bench::new();
    for ms in [0u32, 1, 250, 60_000] {
        let began = Instant::now();
        let timer = bench.view().timer(ms).await.unwrap().rep();
        assert_eq!(bench.is_ready(timer), ms == 0, "{ms}");
        assert_eq!(bench.wait([timer], None).await, [0]);
        let waited = began.elapsed();
        assert!(waited >= Duration::from_millis(ms.into()), "{ms} {waited:?}");
        assert!(waited <= Duration::from_millis(u64::from(ms) + 2), "{ms} {waited:?}");
        assert!(bench.is_ready(timer), "and stays ready");
    }
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_is_dropped_leaves_nothing_behind() {
    let mut bench = Bench::new();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for _ in 0..100 {
        let timer = bench.view().timer(u32::MAX).await.unwrap();
        bench.view().drop(timer).await.unwrap();
    }
    let deadline = Instant::now() + Duration::from_secs(1);
    while tasks() > before && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(tasks(), before);
}

#[tokio::test(start_paused = true)]
async fn a_condition_tells_its_state_and_can_be_dropped() {
    let mut bench = Bench::new();
    let (signal, rep) = bench.condition();
    let condition = || Resource::<Waitable>::new_borrow(rep);
    assert!(!bench.view().ready(condition()).await.unwrap());
    signal.raise();
    assert!(bench.view().ready(condition()).await.unwrap());
    bench.view().drop(Resource::new_own(rep)).await.unwrap();
    assert!(bench.view().ready(condition()).await.is_err());
}
