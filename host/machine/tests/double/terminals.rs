//! Cases on terminals.

use machine_client::{Command, Program, Signal};

use crate::place::{Place, command, see, size, type_in};

/// A command that has one, whose size changes.
pub async fn own(place: &Place) -> String {
    let text = "while :; do stty size; sleep 0.1; done";
    let process = place.client.start(Command { pty: Some(size(91, 31)), ..command(text) });
    let mut seen = Vec::new();
    for (expected, next) in [("31 91", size(100, 40)), ("40 100", size(80, 24))] {
        see(&process, &format!("{expected}\r\n")).await;
        seen.push(expected);
        process.resize(next).unwrap();
    }
    process.signal(Signal::Kill).unwrap();
    seen.join(", ")
}

/// That which users watch: what went by, and a shell to type into.
pub async fn shared(place: &Place) -> String {
    place.sh("echo went-$((40 + 2))").await;
    let terminal = Command { program: Program::Terminal, pty: Some(size(80, 24)), ..command("") };
    let terminal = place.client.start(terminal);
    see(&terminal, "went-42").await;
    type_in(&terminal, b"\x02n").await;
    see(&terminal, "root@machine:/workspace#").await;
    type_in(&terminal, b"echo typed-$((1 + 2))\r").await;
    see(&terminal, "typed-3").await;
    "shown, typed".to_owned()
}
