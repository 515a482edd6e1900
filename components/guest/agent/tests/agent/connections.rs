//! Programs that connect to `XCLAW_SOCKET`.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use machine_protocol::{Event, MAX_CONNECTIONS, MAX_DATA, Request, WINDOW};

use crate::host::{Host, script};

fn connect(host: &mut Host) -> (UnixStream, u32) {
    let stream = UnixStream::connect(host.socket()).unwrap();
    let id = host.wait(|event| match event {
        Event::Connected { connection } => Some(*connection),
        _ => None,
    });
    (stream, id)
}

fn data(host: &mut Host, id: u32) -> Vec<u8> {
    host.wait(|event| match event {
        Event::Data { connection, data } if *connection == id => Some(data.clone()),
        _ => None,
    })
}

fn closed(host: &mut Host, id: u32) {
    host.wait(|event| (*event == Event::Closed { connection: id }).then_some(()));
}

#[test]
fn bytes_go_both_ways_and_connections_are_told_apart() {
    let mut host = Host::new();
    let (mut a, first) = connect(&mut host);
    let (mut b, second) = connect(&mut host);
    assert_ne!(first, second);
    a.write_all(b"from a").unwrap();
    b.write_all(b"from b").unwrap();
    assert_eq!(data(&mut host, second), b"from b");
    assert_eq!(data(&mut host, first), b"from a");
    host.send(Request::Data { connection: first, data: b"to a".to_vec() });
    let mut got = [0; 4];
    a.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"to a");
    host.wait(|event| (*event == Event::DataTaken { connection: first, bytes: 4 }).then_some(()));
    drop(a);
    closed(&mut host, first);
    host.send(Request::Close { connection: second });
    assert_eq!(b.read(&mut got).unwrap(), 0);
    closed(&mut host, second);
}

#[test]
fn who_has_sent_all_still_gets_the_answer() {
    let mut host = Host::new();
    let (mut stream, id) = connect(&mut host);
    stream.write_all(b"question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(data(&mut host, id), b"question");
    host.send(Request::Data { connection: id, data: b"answer".to_vec() });
    host.send(Request::Close { connection: id });
    let mut got = String::new();
    stream.read_to_string(&mut got).unwrap();
    assert_eq!(got, "answer");
    closed(&mut host, id);
}

#[test]
fn a_connection_sends_no_more_than_was_allowed() {
    let mut host = Host::new();
    let (mut stream, id) = connect(&mut host);
    let writer = std::thread::spawn(move || {
        let _ = stream.write_all(&vec![b'x'; 4 * WINDOW as usize]);
        stream
    });
    let mut got = 0;
    while got < WINDOW as usize {
        got += data(&mut host, id).len();
    }
    assert_eq!(got, WINDOW as usize);
    assert!(host.is_silent_for(Duration::from_millis(200)));
    host.send(Request::AllowData { connection: id, bytes: 3 * WINDOW });
    while got < 4 * WINDOW as usize {
        got += data(&mut host, id).len();
    }
    drop(writer.join().unwrap());
    closed(&mut host, id);
}

#[test]
fn what_was_sent_before_the_end_arrives_before_the_end() {
    let mut host = Host::new();
    let (mut stream, id) = connect(&mut host);
    // More than one message, and gone at once.
    stream.write_all(&vec![b'x'; 2 * MAX_DATA]).unwrap();
    drop(stream);
    let mut got = 0;
    host.wait(|event| match event {
        Event::Data { data, .. } => {
            got += data.len();
            None
        }
        Event::Closed { connection } => (*connection == id).then_some(()),
        _ => None,
    });
    assert_eq!(got, 2 * MAX_DATA);
}

#[test]
fn only_so_many_connect_and_the_rest_wait() {
    let mut host = Host::new();
    let mut open: Vec<_> = (0..MAX_CONNECTIONS).map(|_| connect(&mut host)).collect();
    let waiting = UnixStream::connect(host.socket()).unwrap();
    assert!(host.is_silent_for(Duration::from_millis(200)));
    let (stream, id) = open.remove(7);
    drop(stream);
    closed(&mut host, id);
    host.wait(|event| matches!(event, Event::Connected { .. }).then_some(()));
    drop(waiting);
}

#[test]
fn a_command_finds_the_socket() {
    let mut host = Host::new();
    let text = "python3 -c 'import os, socket
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ[\"XCLAW_SOCKET\"])
s.sendall(b\"hello\\n\")
print(s.makefile().readline())'";
    let process = host.start(script(text));
    let id = host.wait(|event| match event {
        Event::Connected { connection } => Some(*connection),
        _ => None,
    });
    assert_eq!(data(&mut host, id), b"hello\n");
    host.send(Request::Data { connection: id, data: b"good day\n".to_vec() });
    assert_eq!(host.finish(process).stdout, "good day\n\n");
}
