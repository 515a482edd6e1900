//! A turn that is cancelled: what it does to calls, and what it does not do to processes.

use approvals::choices;
use bindings::machine::shell::HostProcess as _;
use bindings::machine::terminal::Host as _;
use bindings::machine::types::Error;
use futures::FutureExt as _;

use crate::bench::{Bench, borrow, rules, script, size, soon};
use crate::person::Person;

#[tokio::test]
async fn a_cancelled_turn_unblocks_calls_refuses_new_work_and_kills_nothing() {
    let mut bench = Bench::allowed();
    let process = bench.spawn(script("echo up; read; echo one; read; echo two; read")).await;
    bench.see(process, "up").await;

    let handle = bench.handle.clone();
    let (read, ()) = futures::join!(bench.read(process, 1), async { handle.cancel() });
    assert!(matches!(read, Err(Error::Cancelled)), "{read:?}");
    assert!(matches!(bench.exit(process).await, Err(Error::Cancelled)));
    // What would not block is done.
    assert_eq!(bench.write(process, b"\n").await.unwrap(), 1);
    soon(bench.readable(process).await.ready()).await;
    assert_eq!(bench.read(process, 99).await.unwrap()[0].data, b"one\n");

    bench.take_input().await;
    // The guest knows: what is open can be heard out, and nothing is begun.
    assert!(bench.view().read(borrow(process), 1).now_or_never().is_none());
    assert!(bench.view().exit(borrow(process)).now_or_never().is_none());
    assert!(matches!(bench.try_spawn(script("touch new")).await, Err(Error::Cancelled)));
    let attached = bench.view().attach(size(80, 24)).await.unwrap();
    assert!(matches!(attached, Err(Error::Cancelled)));
    bench.write(process, b"\n").await.unwrap();
    bench.see(process, "two").await;

    bench.next_turn();
    bench.write(process, b"\n").await.unwrap();
    assert_eq!(bench.finish(process).await.exit, "0");
    assert_eq!(bench.sh("ls").await, "");
}

#[tokio::test]
async fn an_open_question_ends_with_its_turn() {
    let person = Person::who_says(choices::ALLOW);
    let mut bench = Bench::with(rules(&["command:*"], &[]), person.clone());
    let process = bench.spawn(script("touch x")).await;
    soon(person.is_asked()).await;
    bench.handle.cancel();
    soon(person.is_not_asked_any_more()).await;
    for _ in 0..2 {
        assert!(matches!(bench.read(process, 1).await, Err(Error::Cancelled)));
        bench.next_turn();
    }
    // A command that was spawned in a turn that is over is no question of the next one.
    let late = bench.spawn(script("touch x")).await;
    bench.handle.cancel();
    bench.next_turn();
    assert!(matches!(bench.exit(late).await, Err(Error::Cancelled)));
    soon(person.is_not_asked_any_more()).await;
}
