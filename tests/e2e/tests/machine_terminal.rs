//! The terminal of a running machine, seen and used from a second one.

use e2e::{Place, bash};
use serde_json::json;

/// Leaves the terminal of `attach`.
const LEAVE: &str = "\x1d";

/// tmux: the next window.
const NEXT_WINDOW: &str = "\x02n";

#[test]
fn commands_are_seen_live_and_the_users_shell_is_beside_them() {
    let place = Place::new();
    let model = place.script(&[
        bash(
            "echo first $((40 + 2)); until [ -e go ]; do sleep 0.2; done; echo second $((40 + 3))",
        ),
        json!({"text": "Done."}),
    ]);
    let run = place.run("builtin").machine();
    let run = run.args(["--model", &model, "--format", "json", "Do it."]).start();
    run.event("call");
    // A session with a machine is seen there, unless something else is asked for.
    let mut listener = place.command(["attach", "--conversation"]).in_terminal();
    listener.see("session");
    listener.see("bash echo first");
    let mut watcher = place.command(["attach"]).in_terminal();
    watcher.see("Ctrl-] leaves");
    watcher.see("first 42");
    let mut leaver = place.command(["attach", "--terminal"]).in_terminal();
    leaver.see("first 42");
    leaver.type_in(LEAVE);
    assert_eq!(leaver.done().0, 0);

    watcher.type_in(NEXT_WINDOW);
    watcher.see("root@machine:/workspace#");
    watcher.line("echo typed on $(uname -m)");
    watcher.see("typed on riscv64");
    watcher.line("touch go");
    let done = run.done().succeeded();
    assert!(done.streamed().ends_with("second 43\n"), "{}", done.streamed());
    // The session's end is the terminal's, and no failure.
    for terminal in [watcher, listener] {
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");
    }
    assert!(place.workspace().join("go").is_file());
}

#[test]
fn a_session_without_a_machine_says_so() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Done.", "delay_ms": 600_000})]);
    let run = place.run("builtin").args(["--model", &model, "--format", "json", "Do it."]).start();
    run.event("turn_started");
    let done = place.command(["attach", "--terminal"]).in_terminal().done();
    assert_eq!(done.0, 1, "{}", done.1);
    assert!(done.1.contains("the session has no machine"), "{}", done.1);
}
