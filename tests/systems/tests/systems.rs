//! Every system answers a script in the same way. QEMU's whole system is for benchmarks only: tests do not
//! install it.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use systems::{Computers, Images, Native, Root, Shell, User, Wasm, Wire};

const LIMIT: Duration = Duration::from_secs(60);
const MEMORY: usize = 512 << 20;

fn check(wire: impl FnOnce(&Images) -> anyhow::Result<Box<dyn Wire>>) {
    let images = Images::find(Root::Base).unwrap();
    let mut shell = Shell::start(|| wire(&images)).unwrap();
    let outcome = shell.run("uname -m; pwd | wc -c; echo wrong >&2; exit 3", LIMIT).unwrap();
    assert_eq!(outcome.status, 3);
    assert_eq!(String::from_utf8(outcome.stdout).unwrap(), "riscv64\n13\n");
    assert_eq!(String::from_utf8(outcome.stderr).unwrap(), "wrong\n");
    let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    shell.put(&bytes, LIMIT).unwrap();
    let outcome = shell.run("cat /tmp/line/put; ls | wc -l >&2", LIMIT).unwrap();
    assert!(outcome.stdout == bytes);
    assert_eq!(outcome.stderr, b"0\n");
}

#[test]
fn our_computer_in_webassembly() {
    let compiled = tempfile::tempdir().unwrap();
    check(|images| {
        let computers = Computers::start(images, compiled.path())?;
        Ok(Box::new(Wasm::boot(&computers, MEMORY)?))
    });
}

#[test]
fn our_computer_natively() {
    check(|images| Ok(Box::new(Native::boot(images, MEMORY)?)));
}

#[test]
fn qemus_user_mode() {
    check(|images| Ok(Box::new(User::start(images)?)));
}
