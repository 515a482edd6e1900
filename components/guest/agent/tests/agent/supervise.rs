//! The first process, in a container of Linux: it is process 1 there, and of nothing else.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::host::eventually;

/// Runs `script` under supervision until it asks to be switched off.
fn supervise(folder: &Path, script: &str) -> ExitStatus {
    let mut command = Command::new("unshare");
    // Without rights of its own a user is root in a namespace of users.
    if !rustix_is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--pid", "--mount", "--mount-proc", "--fork", "--kill-child"]);
    command.arg(env!("CARGO_BIN_EXE_init")).args(["supervise", "/bin/bash", "-c", script]);
    let mut child = command.current_dir(folder).stdin(Stdio::null()).spawn().unwrap();
    let mut status = None;
    eventually("it is switched off", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

fn rustix_is_root() -> bool {
    fs::read_to_string("/proc/self/status")
        .unwrap()
        .lines()
        .any(|line| line.starts_with("Uid:\t0\t"))
}

#[test]
fn an_agent_that_ends_is_started_again_and_nothing_of_the_old_one_is_left() {
    let folder = tempfile::tempdir().unwrap();
    // Ends twice, in two ways, each time with somebody left behind; then looks who is there.
    let script = "
echo start >>starts
case $(wc -l <starts) in
1) sleep 1000 & setsid sleep 1000 & exit 1 ;;
2) sleep 1000 & kill -9 $$ ;;
*) cat /proc/[0-9]*/comm >left; exit 64 ;;
esac";
    supervise(folder.path(), script);
    assert_eq!(fs::read_to_string(folder.path().join("starts")).unwrap().lines().count(), 3);
    let left = fs::read_to_string(folder.path().join("left")).unwrap();
    assert!(left.contains("bash") && !left.contains("sleep"), "{left}");
}

#[test]
fn it_waits_for_those_who_lost_their_parents() {
    let folder = tempfile::tempdir().unwrap();
    // An orphan that ended stays a zombie until somebody waits for it.
    let script = "
(sh -c 'echo $$ >orphan' &)
until [ -s orphan ]; do :; done
while [ -e /proc/$(cat orphan) ]; do :; done
echo yes >waited
exit 64";
    supervise(folder.path(), script);
    assert_eq!(fs::read_to_string(folder.path().join("waited")).unwrap(), "yes\n");
}
