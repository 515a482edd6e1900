//! A machine that goes under its processes, and the one that follows.

use std::os::unix::fs::symlink;

use bindings::machine::checkpoint::Host as _;
use bindings::machine::shell::Signal;
use bindings::machine::terminal::Host as _;
use bindings::machine::types::Error;

use crate::bench::{Bench, Done, script, size, soon};
use crate::image::image;

const OFF: &str = "sync; exec python3 -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)'";

#[track_caller]
fn gone<T: std::fmt::Debug>(result: Done<T>, reason: &str) {
    let is_gone = matches!(&result, Err(Error::Gone(text))
        if text.contains(reason) && text.contains("the next command starts a new machine"));
    assert!(is_gone, "{result:?}");
}

#[tokio::test]
async fn what_ran_is_told_why_it_is_gone_keeps_what_came_and_a_new_machine_follows() {
    let mut bench = Bench::allowed();
    bench.sh("echo here >/tmp/mark; echo kept >kept").await;
    let process = bench.spawn(script("echo before; sleep 1000")).await;
    let over = bench.spawn(script("exit 4")).await;
    let terminal = bench.view().attach(size(80, 24)).await.unwrap().unwrap().rep();
    let conditions = bench.conditions(process).await;
    soon(conditions[0].clone().ready()).await;
    assert_eq!(bench.exit(over).await.unwrap(), "4");

    let switch = bench.spawn(script(OFF)).await;
    gone(bench.exit(process).await, "the machine was shut down");
    for condition in &conditions {
        assert!(condition.is_ready());
    }
    assert_eq!(bench.read(process, 99).await.unwrap()[0].data, b"before\n");
    let (down, big) = ("the machine was shut down", size(90, 30));
    for _ in 0..2 {
        gone(bench.read(process, 1).await, down);
        gone(bench.write(process, b"x").await, down);
        gone(bench.close(process).await, down);
        gone(bench.kill(process, Signal::Kill).await, down);
        gone(bench.exit(process).await, down);
        gone(bench.exit(switch).await, down);
        // What had exited before is not gone.
        assert_eq!(bench.exit(over).await.unwrap(), "4");
        bench.kill(over, Signal::Kill).await.unwrap();
    }
    let mut seen = Vec::new();
    loop {
        let data = bench.read_terminal(terminal, u32::MAX).await.unwrap();
        if data.is_empty() {
            break;
        }
        seen.extend(data);
    }
    assert!(bench.read_terminal(terminal, 1).await.unwrap().is_empty(), "the end is repeated");
    gone(bench.type_in(terminal, b"x").await, down);
    gone(bench.resize_terminal(terminal, big).await, down);

    assert_eq!(bench.sh("cat /tmp/mark 2>/dev/null || echo new; cat kept").await, "new\nkept\n");
    gone(bench.exit(process).await, down);

    // The host's own end of it.
    let process = bench.spawn(script("echo up; sleep 1000")).await;
    bench.see(process, "up").await;
    bench.end_session().await;
    gone(bench.exit(process).await, "the machine was switched off");
    let late = bench.spawn(script("true")).await;
    let told = bench.exit(late).await.unwrap_err();
    assert!(matches!(&told, Error::Other(text) if text == "the session is over"), "{told:?}");
}

#[tokio::test]
async fn a_machine_that_does_not_start_is_an_error_of_the_command_and_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::of_image(folder.path());
    let process = bench.spawn(script("true")).await;
    for _ in 0..2 {
        let told = bench.read(process, 1).await.unwrap_err();
        assert!(matches!(&told, Error::Other(_)), "{told:?}");
        assert!(matches!(bench.exit(process).await, Err(Error::Other(_))));
    }
    for file in ["machine.json", "Image", "root.erofs", "computer.wasm"] {
        symlink(image().join(file), folder.path().join(file)).unwrap();
    }
    assert_eq!(bench.sh("echo now").await, "now\n");
}

#[tokio::test]
async fn a_machine_has_no_checkpoints_yet_which_is_no_missing_machine() {
    let mut bench = Bench::allowed();
    let mut view = bench.view();
    let made = view.create("label".into()).await.unwrap();
    assert!(matches!(made, Err(Error::Other(_))), "{made:?}");
    assert!(matches!(view.list_checkpoints().await.unwrap(), Err(Error::Other(_))));
    assert!(matches!(view.restore("id".into()).await.unwrap(), Err(Error::Other(_))));
}
