//! Commands on a terminal, and the terminal that users watch.

use machine_client::{Command, Exit, Program, Size};

use crate::machine::{Machine, finish, on_terminal, read_until, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_has_the_size_that_it_is_given() {
    let machine = Machine::new().await;
    let text =
        "trap 'stty size; exit 3' WINCH; stty size; echo ready; while :; do read -t 1 x; done";
    let process = machine.start(on_terminal(text));
    assert!(read_until(&process, "ready").await.contains("30 100"));
    process.resize(Size { columns: 77, rows: 11 }).unwrap();
    let got = finish(&process).await.unwrap();
    assert!(got.stdout.contains("11 77"), "{got:?}");
    assert_eq!(got.exit, Exit::Code(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_input_is_typed() {
    let machine = Machine::new().await;
    let process = machine.start(on_terminal("stty -echo; echo ready; cat; echo over"));
    read_until(&process, "ready").await;
    assert_eq!(soon(process.write(b"typed\n")).await, Ok(6));
    read_until(&process, "typed").await;
    process.close_stdin().unwrap();
    let got = finish(&process).await.unwrap();
    assert!(got.stdout.contains("over"), "{got:?}");
    assert_eq!(got.exit, Exit::Code(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_watch_and_type() {
    let machine = Machine::new().await;
    let env = vec![("XCLAW_AGENT".into(), "pi".into())];
    let terminal = machine.start(Command { program: Program::Terminal, env, ..on_terminal("") });
    read_until(&terminal, " pi ").await;
    // The shell's window, by tmux's own keys.
    soon(terminal.write(b"\x02n")).await.unwrap();
    soon(terminal.write(b"echo $((6*7))-typed\n")).await.unwrap();
    read_until(&terminal, "42-typed").await;
}
