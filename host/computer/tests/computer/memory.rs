//! What a computer's memory costs.

use computer::State;

use crate::bench::{computers, config, end};
use crate::programs::*;

/// Bytes of this process that are in memory.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_that_the_guest_never_touches_costs_nothing() {
    let computers = computers(1);
    let before = resident();
    let mut config = config(program(|code| {
        print(code, "up");
        sleep(code);
    }));
    config.memory = (2 << 30) - 4096;
    let computer = computers.boot(config);
    crate::bench::until(|| computer.console_text() == "up").await;
    let took = resident().saturating_sub(before);
    // The tables for its pages are a MiB; other tests of this process are about as small.
    assert!(took < 64 << 20, "{took} bytes");
}

#[tokio::test]
async fn half_a_gigabyte_can_be_used() {
    let computers = computers(1);
    let mut config = config(program(|code| {
        // A store to each page of what follows the program.
        code.li(5, riscv::BASE + (4 << 20)).li(6, riscv::BASE + (500 << 20)).li(7, 4096);
        code.words(&[crate::asm::sd(5, 5, 0), crate::asm::add(5, 5, 7)]);
        code.word(crate::asm::b(6, 5, 6, -8));
        shut_down(code);
    }));
    config.memory = 512 << 20;
    let computer = computers.boot(config);
    assert_eq!(end(&computer).await, State::ShutDown);
}
