//! Commands on a terminal.

use machine_protocol::{Event, Exit, Request, Size, Stream};

use crate::host::{Host, of, on_terminal};

#[test]
fn both_outputs_are_one_and_it_is_a_terminal() {
    let mut host = Host::new();
    let got = host.run(on_terminal("test -t 0 && test -t 1 && echo out; echo err >&2; stty size"));
    assert_eq!(got.stdout, "out\r\nerr\r\n30 100\r\n");
    assert_eq!((got.stderr.as_str(), got.exit), ("", Exit::Code(0)));
}

#[test]
fn a_new_size_is_told_to_the_program() {
    let mut host = Host::new();
    let text = "trap 'stty size; exit 3' WINCH; echo ready; while :; do read -t 1 x; done";
    let id = host.start(on_terminal(text));
    host.output_until(id, "ready");
    host.send(Request::Resize { process: id, size: Size { columns: 77, rows: 11 } });
    let got = host.finish(id);
    assert!(got.stdout.contains("11 77"), "{got:?}");
    assert_eq!(got.exit, Exit::Code(3));
}

#[test]
fn what_is_typed_arrives_and_its_end_too() {
    let mut host = Host::new();
    let id = host.start(on_terminal("stty -echo; echo ready; cat; echo over"));
    host.output_until(id, "ready");
    host.send(Request::Input { process: id, data: b"typed\n".to_vec() });
    assert!(host.output_until(id, "typed").contains("typed"));
    host.send(Request::CloseInput { process: id });
    let got = host.finish(id);
    assert!(got.stdout.contains("over"), "{got:?}");
    assert_eq!(got.exit, Exit::Code(0));
}

#[test]
fn an_interrupt_that_is_typed_is_a_signal() {
    let mut host = Host::new();
    let id = host.start(on_terminal("echo ready; exec sleep 1000"));
    host.output_until(id, "ready");
    host.send(Request::Input { process: id, data: vec![3] });
    assert_eq!(host.finish(id).exit, Exit::Signal(2));
}

#[test]
fn a_drop_hangs_up() {
    let mut host = Host::new();
    let id = host.start(on_terminal("echo ready; exec sleep 1000"));
    host.output_until(id, "ready");
    host.send(Request::Drop { process: id });
    host.wait(|event| match of(event, id) {
        Some(Event::Ended { .. }) => Some(()),
        Some(Event::Output { stream, .. }) => {
            assert_eq!(stream, Stream::Stdout);
            None
        }
        _ => None,
    });
}
