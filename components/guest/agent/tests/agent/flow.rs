//! Nobody sends what the other side did not allow.

use std::fs;
use std::time::Duration;

use machine_protocol::{Event, Exit, MAX_DATA, Request, WINDOW};

use crate::host::{Host, eventually, of, script};

/// Kilobytes of memory that a process has in use.
fn resident(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Bytes of the next piece of output.
fn output(host: &mut Host, id: u32) -> usize {
    host.wait(|event| match of(event, id) {
        Some(Event::Output { data, .. }) => Some(data.len()),
        _ => None,
    })
}

#[test]
fn output_stops_at_the_window_until_more_is_allowed() {
    let mut host = Host::new();
    let id = host.start(script("yes | head -c 100000000; echo done >&2"));
    let mut got = 0;
    while got < WINDOW as usize {
        got += output(&mut host, id);
    }
    assert_eq!(got, WINDOW as usize, "not one byte more");
    assert!(host.is_silent_for(Duration::from_millis(200)));
    // A slow reader: a little at a time, all of it in the end.
    let before = resident(host.agent_pid());
    while got < 100_000_000 {
        host.send(Request::Allow { process: id, bytes: 1_000_000 });
        loop {
            got += output(&mut host, id);
            if (got - WINDOW as usize).is_multiple_of(1_000_000) || got == 100_000_000 {
                break;
            }
        }
    }
    let grown = resident(host.agent_pid()).saturating_sub(before);
    assert!(grown < 8 << 10, "the agent grew by {grown} KiB");
    let end = host.finish(id);
    assert_eq!((end.stderr.as_str(), end.exit), ("done\n", Exit::Code(0)));
}

#[test]
fn both_outputs_share_one_window() {
    let mut host = Host::new();
    let id = host.start(script("yes >&2 & yes"));
    let mut got = 0;
    while got < WINDOW as usize {
        got += output(&mut host, id);
    }
    assert_eq!(got, WINDOW as usize);
    assert!(host.is_silent_for(Duration::from_millis(200)));
    host.send(Request::Drop { process: id });
    host.wait(|event| (*event == Event::Ended { process: id }).then_some(()));
}

#[test]
fn input_is_taken_as_the_command_reads_it() {
    let mut host = Host::new();
    let id = host.start(script("read line; echo got $line; cat | wc -c"));
    let piece = vec![b'x'; MAX_DATA];
    host.send(Request::Input { process: id, data: b"first\n".to_vec() });
    assert!(host.output_until(id, "\n").contains("got first"));
    let mut allowed = WINDOW as usize;
    let mut sent = 0;
    while sent < 10_000_000 {
        while allowed < piece.len() {
            allowed += host.wait(|event| match of(event, id) {
                Some(Event::InputTaken { bytes, .. }) => Some(bytes as usize),
                _ => None,
            });
        }
        host.send(Request::Input { process: id, data: piece.clone() });
        allowed -= piece.len();
        sent += piece.len();
    }
    host.send(Request::CloseInput { process: id });
    assert_eq!(host.finish(id).stdout.trim(), sent.to_string());
}

#[test]
fn input_that_nobody_reads_is_told_and_thrown_away() {
    let mut host = Host::new();
    let id = host.start(script("exec <&-; echo closed; sleep 1000"));
    host.output_until(id, "closed");
    host.wait(|event| (*event == Event::InputClosed { process: id }).then_some(()));
    for _ in 0..100 {
        host.send(Request::Input { process: id, data: vec![0; MAX_DATA] });
    }
    host.send(Request::Drop { process: id });
    host.wait(|event| (*event == Event::Ended { process: id }).then_some(()));
    assert_eq!(host.run(script("echo well")).stdout, "well\n");
}

#[test]
fn a_host_that_sends_too_much_is_not_spoken_to() {
    let mut host = Host::new();
    let id = host.start(script("echo $$ >pid; exec sleep 1000"));
    let pid = crate::host::pid_in(&host.workspace().join("pid"));
    // The pipe takes some of it; ten windows are too many in any case.
    for _ in 0..10 * WINDOW as usize / MAX_DATA {
        // It may be gone before all is sent.
        let _ = host.try_send(&Request::Input { process: id, data: vec![0; MAX_DATA] });
    }
    assert_eq!(host.agent_ends().code(), Some(1));
    kill(pid);
}

#[test]
fn what_is_no_message_ends_the_agent() {
    let mut host = Host::new();
    host.start(script("echo $$ >pid; exec sleep 1000"));
    let pid = crate::host::pid_in(&host.workspace().join("pid"));
    host.send_bytes(&[0xff; 64]);
    assert_eq!(host.agent_ends().code(), Some(1));
    kill(pid);
}

/// What an agent that ended had started is the supervisor's to kill; here there is none.
fn kill(pid: u32) {
    std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    eventually("the command is gone", || !crate::host::is_alive(pid));
}
