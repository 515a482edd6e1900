//! Ends: of trees, of the agent, of everything.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command as Start;

use machine_client::{Command, Ended, Exit, ProcessError, Signal};

use crate::machine::{Machine, eventually, finish, is_alive, pid_in, read_until, script, soon};

/// A command with a child in a session of its own, which writes its process id.
const TREE: &str = "setsid sh -c 'echo $$ >inner; exec sleep 1000' &
until [ -s inner ]; do :; done; echo ready; wait";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_kills_the_tree() {
    let machine = Machine::new().await;
    let process = machine.start(script(TREE));
    read_until(&process, "ready").await;
    let inner = pid_in(&machine.workspace().join("inner"));
    assert!(is_alive(inner));
    drop(process);
    eventually("the tree is gone", || !is_alive(inner));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_reaches_the_tree_and_is_no_error_afterwards() {
    let machine = Machine::new().await;
    let process = machine.start(script(TREE));
    read_until(&process, "ready").await;
    let inner = pid_in(&machine.workspace().join("inner"));
    process.signal(Signal::Terminate).unwrap();
    assert_eq!(soon(process.exit()).await, Ok(Exit::Signal(15)));
    eventually("the tree is gone", || !is_alive(inner));
    assert_eq!(finish(&process).await.unwrap().exit, Exit::Signal(15));
    process.signal(Signal::Kill).unwrap();
    process.close_stdin().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_out_is_an_exit() {
    let machine = Machine::new().await;
    // Long enough to be ready on a busy machine; how long it takes is not measured.
    let process = machine.start(Command { timeout_ms: Some(3_000), ..script(TREE) });
    let got = finish(&process).await.unwrap();
    assert_eq!(got.exit, Exit::TimedOut);
    let inner = pid_in(&machine.workspace().join("inner"));
    eventually("the tree is gone", || !is_alive(inner));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn power_off_ends_the_agent_with_its_own_status() {
    let mut machine = Machine::new().await;
    machine.client().power_off();
    assert!(matches!(soon(machine.client().ended()).await, Ended::Closed));
    assert_eq!(machine.agent_ends().code(), Some(64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_is_killed_takes_with_it_what_is_not_known() {
    let machine = Machine::new().await;
    let over = machine.start(script("echo well"));
    assert_eq!(soon(over.exit()).await, Ok(Exit::Code(0)));
    let running = machine.start(script("echo $$ >pid; echo words; exec sleep 1000"));
    soon(running.readable().ready()).await;
    let pid = pid_in(&machine.workspace().join("pid"));
    kill(machine.agent_pid());
    let ended = soon(machine.client().ended()).await;
    // What was on its way to it makes the end of a socket an error.
    assert!(matches!(ended, Ended::Closed | Ended::Stream(_)), "{ended}");
    assert_eq!(soon(running.read(100)).await.unwrap()[0].data, b"words\n");
    let gone = ProcessError::Gone(ended.to_string());
    assert_eq!(soon(running.read(100)).await, Err(gone.clone()));
    assert_eq!(soon(running.exit()).await, Err(gone));
    assert_eq!(soon(over.exit()).await, Ok(Exit::Code(0)));
    // The supervisor's to kill; here there is none.
    kill(pid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_was_started_anew_serves_on() {
    let mut start = Start::new("unshare");
    // Without rights of its own a user is root in a namespace of users.
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        start.args(["--user", "--map-root-user"]);
    }
    start.args(["--pid", "--mount", "--mount-proc", "--fork", "--kill-child"]);
    start.args([env!("CARGO_BIN_EXE_init"), "supervise", env!("CARGO_BIN_EXE_init")]);
    let machine = Machine::started_by(start).await;
    let other = machine.start(script("echo words; exec sleep 1000"));
    read_until(&other, "words").await;
    // The parent of a command is the agent.
    let killer = machine.start(script("kill -9 $PPID; exec sleep 1000"));
    let error = soon(killer.exit()).await.unwrap_err();
    assert!(error.to_string().contains("started anew"), "{error}");
    assert_eq!(soon(other.exit()).await, Err(error));
    soon(machine.client().ready()).await.unwrap();
    let got = machine.run(script("cat /proc/[0-9]*/comm | grep -c sleep; echo well")).await;
    assert_eq!(got.stdout, "0\nwell\n");
    machine.client().power_off();
    soon(machine.client().ended()).await;
}

fn kill(pid: u32) {
    assert!(Start::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    eventually("it is gone", || !is_alive(pid));
}
