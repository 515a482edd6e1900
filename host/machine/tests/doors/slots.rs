//! How many processes a session has at once.

use approvals::choices;
use bindings::machine::types::Error;
use machine::PROCESSES_MAX;

use crate::bench::{Bench, rules, script};
use crate::person::Person;

#[tokio::test]
async fn a_process_more_is_invalid_until_another_is_dropped() {
    assert_eq!(PROCESSES_MAX, 64, "the contract says so");
    let person = Person::who_says(choices::ALLOW);
    let mut bench = Bench::with(rules(&["command:*"], &[]), person);
    let mut open = Vec::new();
    for _ in 0..PROCESSES_MAX {
        open.push(bench.spawn(script("true")).await);
    }
    for _ in 0..2 {
        let refused = bench.try_spawn(script("true")).await;
        assert!(matches!(&refused, Err(Error::Invalid(why)) if why.contains("64")), "{refused:?}");
    }
    bench.drop(open.remove(0)).await;
    bench.spawn(script("true")).await;
    assert!(matches!(bench.try_spawn(script("true")).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn all_of_them_run_at_once() {
    let mut bench = Bench::allowed();
    let mut open = Vec::new();
    for n in 0..PROCESSES_MAX {
        open.push((n, bench.spawn(script(&format!("echo up; read; echo {n}"))).await));
    }
    for (_, process) in &open {
        bench.see(*process, "up").await;
    }
    for (n, process) in open {
        bench.write(process, b"\n").await.unwrap();
        assert_eq!(bench.finish(process).await.stdout, format!("{n}\n"));
    }
}
