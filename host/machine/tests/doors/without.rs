//! An agent without a machine.

use std::sync::Arc;

use bindings::machine::checkpoint::Host as _;
use bindings::machine::terminal::Host as _;
use bindings::machine::types::Error;
use domain::Nobody;

use crate::bench::{Bench, rules, script, size};

#[tokio::test]
async fn every_door_says_so_and_nobody_is_asked() {
    let mut bench = Bench::without_machine(rules(&["command:*"], &[]), Arc::new(Nobody));
    for _ in 0..2 {
        assert!(matches!(bench.try_spawn(script("true")).await, Err(Error::NoMachine)));
        let mut view = bench.view();
        let attached = view.attach(size(80, 24)).await.unwrap();
        assert!(matches!(attached, Err(Error::NoMachine)));
        let made = view.create("label".into()).await.unwrap();
        assert!(matches!(made, Err(Error::NoMachine)));
        assert!(matches!(view.list_checkpoints().await.unwrap(), Err(Error::NoMachine)));
        assert!(matches!(view.restore("id".into()).await.unwrap(), Err(Error::NoMachine)));
    }
}

#[tokio::test]
async fn what_a_rule_denies_is_denied_all_the_same() {
    let mut bench = Bench::without_machine(rules(&[], &["command:rm *"]), Arc::new(Nobody));
    let refused = bench.try_spawn(script("rm x")).await;
    assert!(matches!(&refused, Err(Error::Denied(text)) if text.contains("rm *")), "{refused:?}");
    assert!(matches!(bench.try_spawn(script("ls")).await, Err(Error::NoMachine)));
}
