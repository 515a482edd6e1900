//! Whose turn it is, and who sleeps.

use computer::State;

use crate::bench::{computers, config, end, until};
use crate::programs::*;

#[tokio::test]
async fn guests_that_spin_hold_nobody_up() {
    let computers = computers(1);
    let spinners: Vec<_> = (0..3).map(|_| computers.boot(config(program(spin)))).collect();
    until(|| spinners.iter().all(|spinner| spinner.used().instructions > 0)).await;
    let before: Vec<_> = spinners.iter().map(|spinner| spinner.used().instructions).collect();
    let computer = computers.boot(config(program(|code| {
        count(code, 10_000_000);
        shut_down(code);
    })));
    assert_eq!(end(&computer).await, State::ShutDown);
    let ran = computer.used().instructions;
    assert!(ran > 20_000_000, "{ran}");
    for (spinner, before) in spinners.iter().zip(before) {
        // All had as many turns, give or take one at each end.
        let theirs = spinner.used().instructions - before;
        assert!(theirs.abs_diff(ran) <= 3 * 2_000_000, "{theirs} beside {ran}");
        assert_eq!(*spinner.state().borrow(), State::Running);
    }
}

#[tokio::test]
async fn a_guest_that_sleeps_gets_no_turns() {
    let computers = computers(1);
    let sleeper = computers.boot(config(program(sleep)));
    until(|| sleeper.used().instructions > 0).await;
    let (before, busy) = (sleeper.used().instructions, sleeper.used().busy);
    let computer = computers.boot(config(program(|code| {
        count(code, 10_000_000);
        shut_down(code);
    })));
    assert_eq!(end(&computer).await, State::ShutDown);
    assert_eq!(sleeper.used().instructions, before);
    assert_eq!(sleeper.used().busy, busy);
}

#[tokio::test]
async fn a_timer_wakes_and_time_has_passed_without_instructions() {
    const SECOND: u64 = riscv::TICKS_PER_SECOND;
    let computers = computers(1);
    let computer = computers.boot(config(program(|code| {
        sleep_for(code, SECOND / 5);
        shut_down(code);
    })));
    let began = std::time::Instant::now();
    assert_eq!(end(&computer).await, State::ShutDown);
    assert!(began.elapsed() >= std::time::Duration::from_millis(200), "it slept");
    let ran = computer.used().instructions;
    assert!(ran < 1_000, "{ran} instructions while it slept");
}
