//! How computers end.

use std::sync::Arc;

use computer::{CONSOLE_KEPT, Disk, DiskError, Failure, State};

use crate::bench::{computers, config, end, until};
use crate::programs::*;

#[tokio::test]
async fn a_guest_ends_its_computer_and_its_console_is_kept() {
    let computers = computers(1);
    type Program = fn(&mut crate::asm::Code);
    let ends: [(Program, State); 3] = [
        (shut_down, State::ShutDown),
        (reboot, State::Rebooted),
        (get_stuck, State::Stuck { handler: 0 }),
    ];
    for (finish, expected) in ends {
        let computer = computers.boot(config(program(|code| {
            print(code, "so long");
            finish(code);
        })));
        assert_eq!(end(&computer).await, expected);
        assert_eq!(computer.console_text(), "so long");
        assert!(computer.used().instructions > 0);
    }
}

#[tokio::test]
async fn of_a_long_console_the_end_is_kept() {
    let computers = computers(1);
    let computer = computers.boot(config(program(|code| {
        code.li(9, 100_000);
        let start = code.here();
        print(code, "x");
        let back = start.wrapping_sub(code.here() + 4) as i32;
        code.words(&[crate::asm::addi(9, 9, -1), crate::asm::b(1, 9, 0, back)]);
        print(code, "end");
        shut_down(code);
    })));
    assert_eq!(end(&computer).await, State::ShutDown);
    let text = computer.console_text();
    assert_eq!(text.len(), CONSOLE_KEPT);
    assert!(text.ends_with("xxend"));
}

#[tokio::test]
async fn what_cannot_be_booted_says_why() {
    let computers = computers(1);
    let mut small = config(program(shut_down));
    small.memory = 2 << 20;
    let computer = computers.boot(small);
    assert_eq!(end(&computer).await, State::Failed(Failure::TooSmall(2 << 20)));
    let mut large = config(program(shut_down));
    large.memory = 2 << 30;
    let computer = computers.boot(large);
    assert_eq!(end(&computer).await, State::Failed(Failure::TooLarge(2 << 30)));
}

#[tokio::test]
async fn dropping_a_computer_switches_it_off_whatever_it_does() {
    let computers = computers(1);
    for busy in [spin, sleep] {
        let computer = computers.boot(config(program(busy)));
        until(|| computer.used().instructions > 0).await;
        let mut state = computer.state();
        drop(computer);
        let ended = state.wait_for(|state| *state != State::Running);
        assert_eq!(
            *tokio::time::timeout(crate::bench::DEADLINE, ended).await.unwrap().unwrap(),
            State::SwitchedOff
        );
    }
}

#[test]
fn threads_end_with_the_last_computer() {
    let computers = computers(2);
    let weak = Arc::downgrade(&computers);
    let computer = computers.boot(config(program(spin)));
    drop(computers);
    assert!(weak.upgrade().is_some(), "a computer holds its threads");
    drop(computer);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_disk_is_used_only_with_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    std::fs::write(&path, b"abc").unwrap();
    // FIPS 180-2, appendix B.1.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(Disk::open(&path, abc).unwrap().bytes(), 3);
    std::fs::write(&path, b"abd").unwrap();
    let error = Disk::open(&path, abc).unwrap_err();
    assert!(matches!(error, DiskError::Digest { .. }), "{error}");
}
