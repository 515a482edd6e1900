//! What a slow reader costs. A test of its own, since it measures this process.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

#[path = "../client/machine.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod machine;

use std::fs;

use machine::{Machine, script, soon};
use machine_client::Exit;

const TOTAL: usize = 100_000_000;

/// Kilobytes of memory that a process has in use.
fn resident(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_megabytes_pass_host_and_agent_in_little_memory() {
    let machine = Machine::new().await;
    let process = machine.start(script(&format!("yes | head -c {TOTAL}")));
    soon(process.readable().ready()).await;
    let sizes = || [std::process::id(), machine.agent_pid()].map(resident);
    let before = sizes();
    let (mut got, mut most) = (0, before);
    loop {
        let chunks = soon(process.read(100_000)).await.unwrap();
        let size: usize = chunks.iter().map(|chunk| chunk.data.len()).sum();
        if size == 0 {
            break;
        }
        got += size;
        let now = sizes();
        most = [0, 1].map(|at| most[at].max(now[at]));
    }
    assert_eq!((got, soon(process.exit()).await), (TOTAL, Ok(Exit::Code(0))));
    for (before, most) in before.into_iter().zip(most) {
        assert!(most - before < 8 << 10, "grew from {before} to {most} KiB");
    }
}
