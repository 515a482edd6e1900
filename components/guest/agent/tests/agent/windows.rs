//! tmux: what the user sees.

use machine_protocol::{Command, Exit, Program, Request};

use crate::host::{Host, SIZE, Trees, eventually, groups, on_terminal, script};

fn terminal() -> Command {
    let env = vec![("XCLAW_AGENT".into(), "pi".into())];
    Command { program: Program::Terminal, env, ..on_terminal("") }
}

fn window(host: &Host) -> String {
    host.tmux(&["capture-pane", "-p", "-S", "-", "-t", "=machine:agent"]).1
}

fn shows(host: &Host, text: &str) {
    eventually(text, || window(host).contains(text));
}

#[test]
fn the_window_shows_scripts_and_output_as_they_come() {
    let mut host = Host::new();
    let id = host.start(script("echo before; read x; echo after; exit 4"));
    shows(&host, "$ echo before; read x;");
    shows(&host, "\nbefore\n");
    assert!(!window(&host).contains("exit status"), "it is not over");
    host.send(Request::Input { process: id, data: b"\n".to_vec() });
    assert_eq!(host.finish(id).exit, Exit::Code(4));
    shows(&host, "\nafter\n");
    shows(&host, "exit status 4");
    eventually("there are two windows", || {
        host.tmux(&["list-windows", "-t", "=machine", "-F", "#W"]).1 == "agent\nshell\n"
    });
}

#[test]
fn a_terminal_begins_with_the_history_and_types_into_the_machine() {
    let mut host = Host::new();
    // More than one screen, so that the beginning is history.
    host.run(script("echo the beginning; seq 1 200; echo the end"));
    shows(&host, "the end");
    let first = host.start(terminal());
    // The history comes before tmux draws its status line.
    let seen = host.output_until(first, " pi ");
    let (history, _) = seen.split_once(" pi ").unwrap();
    assert!(history.contains("the beginning") && history.contains("the end"), "{seen}");
    let second = host.start(terminal());
    host.output_until(second, " pi ");
    // What one types the other sees: the shell's window, by tmux's own keys.
    host.send(Request::Input { process: first, data: b"\x02n".to_vec() });
    host.send(Request::Input { process: first, data: b"echo $((6*7))-typed\n".to_vec() });
    host.output_until(second, "42-typed");
    host.send(Request::Resize { process: second, size: SIZE });
    for id in [first, second] {
        host.send(Request::Drop { process: id });
        host.finish(id);
    }
    assert!(host.tmux(&["has-session", "-t", "=machine"]).0, "tmux lives on");
}

#[test]
fn tmux_that_was_killed_comes_back_and_commands_go_on_meanwhile() {
    let mut ways = vec![Trees::Walk];
    ways.extend(groups().map(|_| Trees::Groups));
    for way in ways {
        let mut host = Host::with(way);
        host.run(script("echo one"));
        shows(&host, "\none\n");
        assert!(host.tmux(&["kill-server"]).0);
        assert_eq!(host.run(script("echo two")).stdout, "two\n");
        let id = host.start(terminal());
        host.output_until(id, " pi ");
        // The end of the terminal that brought it up is not its end.
        host.send(Request::Drop { process: id });
        host.finish(id);
        host.run(script("echo three"));
        shows(&host, "\nthree\n");
    }
}

#[test]
fn a_window_that_does_not_read_holds_nobody_up() {
    let mut host = Host::new();
    host.run(script("echo here"));
    shows(&host, "\nhere\n");
    let (_, server) = host.tmux(&["display-message", "-p", "#{pid}"]);
    let server = server.trim().to_owned();
    let signal = |name: &str| {
        let status = std::process::Command::new("kill").args([name, &server]).status().unwrap();
        assert!(status.success());
    };
    signal("-STOP");
    let got = host.run(script("yes | head -c 20000000"));
    signal("-CONT");
    assert_eq!(got.stdout.len(), 20_000_000);
    shows(&host, "bytes are not shown");
    host.run(script("echo there"));
    shows(&host, "\nthere\n");
}
