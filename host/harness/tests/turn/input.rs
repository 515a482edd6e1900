use bindings::base::content::Part as WitPart;
use bindings::session::types::Input;
use domain::{Part, TurnInput};

use crate::bench::Bench;

fn steer(text: &str) -> TurnInput {
    TurnInput::Steer(vec![Part::text(text)])
}

fn text(input: Option<Input>) -> String {
    match input {
        Some(Input::Steer(parts) | Input::FollowUp(parts)) => match parts.as_slice() {
            [WitPart::Text(text)] => text.clone(),
            other => panic!("{other:?}"),
        },
        Some(Input::Cancel) => "cancel".into(),
        None => "none".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn inputs_come_in_order_and_readiness_follows_them() {
    let mut bench = Bench::new();
    let ready = bench.input_ready().await;
    assert!(!bench.is_ready(ready));
    assert_eq!(text(bench.take().await), "none");
    assert!(bench.handle.send(steer("one")));
    assert!(bench.handle.send(TurnInput::FollowUp(vec![Part::text("two")])));
    assert!(bench.is_ready(ready));
    assert!(matches!(bench.take().await, Some(Input::Steer(_))));
    assert!(bench.is_ready(ready));
    assert!(matches!(bench.take().await, Some(Input::FollowUp(_))));
    assert!(!bench.is_ready(ready));
    assert_eq!(text(bench.take().await), "none");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_guest_is_woken_by_an_input() {
    let mut bench = Bench::new();
    let ready = bench.input_ready().await;
    let handle = bench.handle.clone();
    let (woken, sent) = tokio::join!(bench.wait([ready], None), async { handle.send(steer("x")) });
    assert_eq!((woken, sent), (vec![0], true));
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_comes_first_and_for_good_and_nothing_is_lost() {
    for by_input in [true, false] {
        let mut bench = Bench::new();
        let ready = bench.input_ready().await;
        assert!(bench.handle.send(steer("one")));
        if by_input {
            assert!(bench.handle.send(TurnInput::Cancel));
        } else {
            bench.handle.cancel();
        }
        assert!(bench.handle.send(steer("two")));
        for _ in 0..3 {
            assert!(bench.is_ready(ready));
            assert_eq!(text(bench.take().await), "cancel");
        }
        assert!(bench.handle.cancellation().is_cancelled());
        assert_eq!(bench.handle.leftovers(), [steer("one"), steer("two")]);
        assert!(bench.is_ready(ready), "for good");
        // The next turn begins afresh.
        assert!(!bench.handle.begin().is_cancelled());
        assert!(!bench.is_ready(ready));
        assert_eq!(text(bench.take().await), "none");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_taken_is_left_for_the_next_turn() {
    let mut bench = Bench::new();
    let ready = bench.input_ready().await;
    for word in ["one", "two", "three"] {
        assert!(bench.handle.send(steer(word)));
    }
    assert_eq!(text(bench.take().await), "one");
    assert_eq!(bench.handle.leftovers(), [steer("two"), steer("three")]);
    assert!(!bench.is_ready(ready));
    // Between two turns: it waits for the next one.
    assert!(bench.handle.send(steer("four")));
    bench.handle.begin();
    assert!(bench.is_ready(ready));
    assert_eq!(text(bench.take().await), "four");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_takes_nothing_does_not_fill_the_host() {
    let bench = Bench::new();
    let sent = (0..10_000).take_while(|_| bench.handle.send(steer("x"))).count();
    assert_eq!(sent, 1_024);
    assert!(bench.handle.send(TurnInput::Cancel), "a cancellation always gets through");
    assert_eq!(bench.handle.leftovers().len(), sent);
}

#[test]
fn readiness_never_contradicts_the_queue() {
    use harness::TurnCtx;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    // A writer and the guest at once, on threads; at the end the two must agree.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for round in 0..200 {
        let mut bench = Bench::new();
        let ready = runtime.block_on(bench.input_ready());
        let over = Arc::new(AtomicBool::new(false));
        let handle = bench.handle.clone();
        let (done, cancels) = (over.clone(), round % 2 == 0);
        let writer = std::thread::spawn(move || {
            for _ in 0..50 {
                assert!(handle.send(steer("x")));
            }
            if cancels {
                handle.cancel();
            }
            done.store(true, Ordering::Release);
        });
        let mut taken = 0;
        while !over.load(Ordering::Acquire) {
            taken += usize::from(matches!(runtime.block_on(bench.take()), Some(Input::Steer(_))));
        }
        writer.join().unwrap();
        assert_eq!(bench.is_ready(ready), cancels || taken < 50, "round {round}: {taken}");
        assert_eq!(taken + bench.handle.leftovers().len(), 50);
    }
    // The handle of a session works for a fresh instance, too.
    let bench = Bench::new();
    assert!(bench.handle.send(steer("kept")));
    let (events, _reader) = harness::events();
    let again = TurnCtx::with_handle(events, bench.approvals.clone(), &bench.handle);
    assert_eq!(again.handle().leftovers(), [steer("kept")]);
}
