//! The ends that are not a command's own: signals, time-outs and dropped handles. All of them mean the whole
//! tree.

use bindings::machine::shell::{Command, Signal};

use crate::bench::{Bench, script};

/// Children that got away from parent, session and terminal, and then the command itself.
const TREE: &str = "setsid -f sleep 985; (setsid sleep 986 &); sleep 987 & echo up; sleep 988";

/// Prints when none of them is there any more.
const NONE_LEFT: &str = "while pgrep -x sleep >/dev/null; do :; done; echo none";

#[tokio::test]
async fn a_signal_reaches_the_whole_tree_and_may_come_again_or_late() {
    let mut bench = Bench::allowed();
    for (signal, name) in [(Signal::Interrupt, "INT"), (Signal::Terminate, "TERM")] {
        let child =
            format!("trap \"echo child; exit\" {name}; echo up; while :; do sleep 0.1; done");
        let text = format!("trap 'echo parent; exit 5' {name}; bash -c '{child}'; echo after");
        let process = bench.spawn(script(&text)).await;
        bench.see(process, "up").await;
        bench.kill(process, signal).await.unwrap();
        let outcome = bench.finish(process).await;
        let told = (outcome.stdout.as_str(), outcome.exit.as_str());
        assert_eq!(told, ("child\nparent\n", "5"), "{name}: {outcome:?}");
    }

    let process = bench.spawn(script(TREE)).await;
    bench.see(process, "up").await;
    for _ in 0..3 {
        bench.kill(process, Signal::Kill).await.unwrap();
    }
    assert_eq!(bench.exit(process).await.unwrap(), "signal 9");
    for signal in [Signal::Kill, Signal::Interrupt, Signal::Terminate] {
        bench.kill(process, signal).await.unwrap();
    }
    assert!(bench.read(process, 1).await.unwrap().is_empty());
    bench.kill(process, Signal::Kill).await.unwrap();
    assert_eq!(bench.exit(process).await.unwrap(), "signal 9");
    assert_eq!(bench.sh(NONE_LEFT).await, "none\n");
}

#[tokio::test]
async fn time_outs_and_drops_kill_the_whole_tree() {
    let mut bench = Bench::allowed();
    let limited = Command { timeout_ms: Some(2_500), ..script(TREE) };
    // On a busy host the tree may still be growing then.
    assert_eq!(bench.run(limited).await.exit, "timed out");
    assert_eq!(bench.sh(NONE_LEFT).await, "none\n");

    let process = bench.spawn(script(TREE)).await;
    bench.see(process, "up").await;
    let exited = bench.exited(process).await;
    assert!(!exited.is_ready());
    bench.drop(process).await;
    assert_eq!(bench.sh(NONE_LEFT).await, "none\n");

    let none = Command { timeout_ms: Some(0), ..script("sleep 985") };
    assert_eq!(bench.run(none).await.exit, "timed out");
    // Time that is not used up is nobody's end.
    let limited = Command { timeout_ms: Some(u32::MAX), ..script("exit 3") };
    assert_eq!(bench.run(limited).await.exit, "3");
}
