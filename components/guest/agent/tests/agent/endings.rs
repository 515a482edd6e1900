//! The end of a command: its tree, its time, what it left behind.

use std::fs;

use machine_protocol::{Command, Event, Exit, Request, Signal};

use crate::host::{Host, Trees, eventually, groups, is_alive, of, pid_in, script};

/// Processes that try to get away: a child, one in a session of its own, one whose parents ended.
const FUGITIVES: &str = "
sleep 1000 & echo $! >child
setsid sh -c 'echo $$ >session; exec sleep 1000' &
(setsid sh -c '(sh -c \"echo \\$\\$ >orphan; exec sleep 1000\" &) ' &)
until [ -s child ] && [ -s session ] && [ -s orphan ]; do :; done
echo ready
wait";

const NAMES: [&str; 3] = ["child", "session", "orphan"];

/// Each test of trees in both ways, where this system has both.
fn hosts() -> Vec<Host> {
    let mut ways = vec![Trees::Walk];
    ways.extend(groups().map(|_| Trees::Groups));
    ways.into_iter().map(Host::with).collect()
}

fn fugitives(host: &Host) -> Vec<u32> {
    NAMES.iter().map(|name| pid_in(&host.workspace().join(name))).collect()
}

#[test]
fn a_time_out_kills_the_whole_tree() {
    for mut host in hosts() {
        // Long enough to be ready on a busy machine; how long it takes is not measured.
        let id = host.start(Command { timeout_ms: Some(3_000), ..script(FUGITIVES) });
        let pids = fugitives(&host);
        assert!(pids.iter().all(|pid| is_alive(*pid)));
        let end = host.finish(id);
        assert_eq!(end.exit, Exit::TimedOut);
        for pid in pids {
            eventually("the tree is gone", || !is_alive(pid));
        }
    }
}

#[test]
fn a_drop_kills_the_whole_tree_and_ends() {
    for mut host in hosts() {
        let id = host.start(script(FUGITIVES));
        host.output_until(id, "ready");
        let pids = fugitives(&host);
        host.send(Request::Drop { process: id });
        let mut exited = false;
        host.wait(|event| match of(event, id) {
            Some(Event::Exited { exit, .. }) => {
                exited = exit == Exit::Signal(9);
                None
            }
            Some(Event::Ended { .. }) => Some(()),
            _ => None,
        });
        assert!(exited);
        for pid in pids {
            eventually("the tree is gone", || !is_alive(pid));
        }
        // Again, and for one that never was: nothing happens.
        host.send(Request::Drop { process: id });
        host.send(Request::Drop { process: 12_345 });
        assert_eq!(host.run(script("echo well")).stdout, "well\n");
    }
}

#[test]
fn signals_reach_the_whole_tree() {
    for mut host in hosts() {
        for (signal, number) in [(Signal::Interrupt, 2), (Signal::Terminate, 15), (Signal::Kill, 9)]
        {
            // The inner shell is not in the session, the outer one has no handler.
            let text = "setsid sh -c 'echo $$ >inner; exec sleep 1000' & \
                        until [ -s inner ]; do :; done; echo ready; exec sleep 1000";
            let _ = fs::remove_file(host.workspace().join("inner"));
            let id = host.start(script(text));
            host.output_until(id, "ready");
            let inner = pid_in(&host.workspace().join("inner"));
            host.send(Request::Signal { process: id, signal });
            let exit = host.wait(|event| match of(event, id) {
                Some(Event::Exited { exit, .. }) => Some(exit),
                _ => None,
            });
            assert_eq!(exit, Exit::Signal(number));
            if signal != Signal::Interrupt {
                // In the background, shells ignore interrupts for their children.
                eventually("the inner one is gone", || !is_alive(inner));
            }
            host.send(Request::Drop { process: id });
        }
    }
}

#[test]
fn output_of_children_follows_the_exit_and_ends_with_them() {
    let mut host = Host::new();
    let id = host.start(script("mkfifo go; { read x <go; echo late; } & echo early"));
    let exit = host.wait(|event| match of(event, id) {
        Some(Event::Exited { exit, .. }) => Some(exit),
        Some(Event::Ended { .. }) => panic!("a child still has the pipe"),
        _ => None,
    });
    assert_eq!(exit, Exit::Code(0));
    fs::write(host.workspace().join("go"), "x\n").unwrap();
    let mut got = String::new();
    loop {
        match host.wait(|event| of(event, id)) {
            Event::Output { data, .. } => got += &String::from_utf8(data).unwrap(),
            Event::Ended { .. } => break,
            Event::InputClosed { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(got, "early\nlate\n");
}

#[test]
fn what_a_command_wrote_comes_before_the_news_of_its_end() {
    let mut host = Host::new();
    // Far more than a pipe holds, with a child that keeps both outputs open.
    let text = "sleep 1000 & head -c 300000 /dev/zero; head -c 50000 /dev/zero >&2";
    for _ in 0..5 {
        let id = host.start(script(text));
        let mut got = 0;
        loop {
            match host.wait(|event| of(event, id)) {
                Event::Output { data, .. } => {
                    got += data.len();
                    let bytes = u32::try_from(data.len()).unwrap();
                    host.send(Request::Allow { process: id, bytes });
                }
                Event::Exited { .. } => break,
                Event::InputClosed { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(got, 350_000);
        host.send(Request::Drop { process: id });
    }
}

#[test]
fn a_time_out_counts_for_children_that_hold_the_output_too() {
    for mut host in hosts() {
        let text = "sleep 1000 & echo $! >child";
        let id = host.start(Command { timeout_ms: Some(2_000), ..script(text) });
        let end = host.finish(id);
        assert_eq!(end.exit, Exit::Code(0), "the command itself was in time");
        let child = pid_in(&host.workspace().join("child"));
        eventually("the child is gone", || !is_alive(child));
    }
}

#[test]
fn a_daemon_that_let_go_of_the_output_lives_on() {
    for mut host in hosts() {
        let text = "sleep 1000 >/dev/null 2>&1 </dev/null & echo $! >daemon";
        assert_eq!(host.run(script(text)).exit, Exit::Code(0));
        let daemon = pid_in(&host.workspace().join("daemon"));
        assert!(is_alive(daemon));
        // Nor does the end of a later one kill it.
        let id = host.start(script("sleep 1000"));
        host.send(Request::Drop { process: id });
        host.finish(id);
        assert!(is_alive(daemon));
        host.run(script("kill -9 $(cat daemon)"));
        // It has no parent but the agent, which waits for it.
        eventually("nothing is left of it", || {
            !std::path::Path::new(&format!("/proc/{daemon}")).exists()
        });
    }
}

#[test]
fn power_off_ends_the_agent_with_its_own_status() {
    let mut host = Host::new();
    host.send(Request::PowerOff);
    assert_eq!(host.agent_ends().code(), Some(64));
}

/// Doubles seven times: enough that the tree is still growing when it is killed. A bomb without an end
/// is for a machine, where the number of processes has a limit.
const BURST: &str = "
burst() {
  echo $BASHPID >>grown
  if [ $1 -gt 0 ]; then burst $(($1 - 1)) & burst $(($1 - 1)) & fi
  sleep 1000
}
burst 7";

#[test]
fn a_burst_of_processes_neither_holds_the_agent_up_nor_outlives_its_command() {
    for mut host in hosts() {
        let grown = host.workspace().join("grown");
        let grown = || fs::read_to_string(&grown).unwrap_or_default();
        let id = host.start(script(BURST));
        eventually("it grows", || grown().lines().count() > 30);
        assert_eq!(host.run(script("echo well")).stdout, "well\n");
        host.send(Request::Drop { process: id });
        host.wait(|event| (*event == Event::Ended { process: id }).then_some(()));
        eventually("nothing of it is left", || {
            grown().lines().all(|pid| pid.parse().is_ok_and(|pid| !is_alive(pid)))
        });
    }
}
