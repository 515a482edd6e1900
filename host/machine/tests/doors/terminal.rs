//! The terminal that the user watches.

use bindings::machine::terminal::HostTerminal;
use bindings::machine::types::Error;
use futures::FutureExt as _;
use machine::TERMINALS_MAX;

use crate::bench::{Bench, borrow, rules, script, size, soon};

/// tmux: the next window.
const NEXT_WINDOW: &[u8] = b"\x02n";

/// What tmux begins with on a terminal, to leave alone what is there.
const OTHER_SCREEN: &str = "\x1b[?1049h";

/// How many watch.
const CLIENTS: &str = "tmux -S /run/xpressclaw/tmux.sock list-clients | wc -l";

#[tokio::test]
async fn a_terminal_begins_with_what_was_and_shows_and_takes_what_comes() {
    let mut bench = Bench::allowed();
    bench.sh("echo scrolled-$((40 + 2))").await;
    let terminal = bench.attach(size(80, 24)).await.unwrap();
    let readable = bench.terminal_readable(terminal).await;
    soon(readable.clone().ready()).await;
    // Zero is taken as one.
    for max in [0, 1] {
        assert_eq!(bench.read_terminal(terminal, max).await.unwrap().len(), 1);
    }
    let seen = bench.see_terminal(terminal, "scrolled-42").await;
    let before = seen.split("scrolled-42").next().unwrap();
    assert!(!before.contains(OTHER_SCREEN), "the scrollback is the first: {before:?}");
    bench.sh("echo live-$((1 + 1))").await;
    bench.see_terminal(terminal, "live-2").await;

    bench.type_in(terminal, NEXT_WINDOW).await.unwrap();
    bench.see_terminal(terminal, "root@machine:/workspace#").await;
    bench.type_in(terminal, b"echo typed-$((1 + 2))\r").await.unwrap();
    bench.see_terminal(terminal, "typed-3").await;
    for _ in 0..2 {
        bench.resize_terminal(terminal, size(100, 41)).await.unwrap();
    }
    // One row is tmux's own.
    let wait = b"until [ \"$(stty size)\" = '40 100' ]; do sleep 0.1; done; echo re\"\"sized\r";
    bench.type_in(terminal, wait).await.unwrap();
    bench.see_terminal(terminal, "resized").await;
    for bad in [size(0, 24), size(80, 0)] {
        let refused = bench.resize_terminal(terminal, bad).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        assert!(matches!(bench.attach(bad).await, Err(Error::Invalid(_))));
    }

    let other = bench.attach(size(100, 41)).await.unwrap();
    bench.see_terminal(other, "scrolled-42").await;
    bench.see_terminal(other, "resized").await;
    bench.type_in(other, b"echo both-$((2 + 2))\r").await.unwrap();
    for watcher in [terminal, other] {
        bench.see_terminal(watcher, "both-4").await;
    }
    assert_eq!(bench.sh(CLIENTS).await, "2\n");
    bench.detach(other).await;
    bench.sh(&format!("until [ $({CLIENTS}) = 1 ]; do sleep 0.1; done")).await;

    // A watcher that leaves by itself is at its end; the machine stays.
    bench.type_in(terminal, b"\x02d").await.unwrap();
    while !bench.read_terminal(terminal, u32::MAX).await.unwrap().is_empty() {}
    assert!(bench.read_terminal(terminal, 1).await.unwrap().is_empty());
    assert!(readable.is_ready());
    assert_eq!(bench.sh(CLIENTS).await, "0\n");
}

#[tokio::test]
async fn a_terminal_takes_so_much_at_once_and_blocks_while_it_takes_nothing() {
    let mut bench = Bench::allowed();
    let terminal = bench.attach(size(80, 24)).await.unwrap();
    bench.see_terminal(terminal, "agent").await;
    let readable = bench.terminal_readable(terminal).await;
    loop {
        let ready = readable.is_ready();
        let mut view = bench.view();
        let read = HostTerminal::read(&mut view, borrow(terminal), u32::MAX).now_or_never();
        assert_eq!(read.is_some(), ready, "what is ready does not block, what is not does");
        if !ready {
            break;
        }
    }
    // A key that tmux has no use for.
    let most = b"\x02Z".repeat(32 << 10);
    let long = [&most[..], b"x"].concat();
    let refused = bench.type_in(terminal, &long).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    bench.sh("pkill -STOP -f 'attach-sessio[n]'").await;
    let full = loop {
        let typed = bench.view().write(borrow(terminal), most.clone()).now_or_never();
        if typed.is_none() {
            break typed;
        }
    };
    assert!(full.is_none());
    bench.sh("pkill -CONT -f 'attach-sessio[n]'").await;
    bench.type_in(terminal, &most).await.unwrap();
    bench.detach(terminal).await;
}

#[tokio::test]
async fn so_many_watch_and_no_more() {
    assert_eq!(TERMINALS_MAX, 16, "the contract says so");
    let mut bench = Bench::allowed();
    let mut watchers = Vec::new();
    for _ in 0..TERMINALS_MAX {
        watchers.push(bench.attach(size(80, 24)).await.unwrap());
    }
    let refused = bench.attach(size(80, 24)).await;
    assert!(matches!(&refused, Err(Error::Invalid(why)) if why.contains("16")), "{refused:?}");
    bench.run(script("echo seen-$((1 + 1))")).await;
    for watcher in &watchers {
        bench.see_terminal(*watcher, "seen-2").await;
    }
    bench.detach(watchers.remove(0)).await;
    bench.attach(size(80, 24)).await.unwrap();
}

#[tokio::test]
async fn a_rule_on_commands_counts_for_who_can_type() {
    let mut bench = Bench::without_machine(rules(&[], &[]), std::sync::Arc::new(domain::Nobody));
    assert!(matches!(bench.attach(size(80, 24)).await, Err(Error::NoMachine)));
    let mut bench = Bench::with(rules(&[], &["command:*"]), std::sync::Arc::new(domain::Nobody));
    let refused = bench.attach(size(80, 24)).await;
    assert!(matches!(refused, Err(Error::Denied(_))), "{refused:?}");
}
