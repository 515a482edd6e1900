//! Commands of a harness in its machine: pi's and builtin's `bash`, the shared workspace, `xclaw`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use e2e::{CTRL_C, CTRL_D, DEADLINE, Done, Place, bash, call};
use serde_json::{Value, json};

/// One turn with a machine over these turns of the model.
fn played(place: &Place, harness: &str, mut script: Vec<Value>) -> Done {
    script.push(json!({"text": "Done."}));
    let model = place.script(&script);
    let run = place.run(harness).machine();
    run.args(["--model", &model, "--format", "json", "Do it."]).done()
}

#[test]
fn pi_writes_a_program_and_runs_it() {
    let place = Place::new();
    let program = "import platform, sys\nprint('hello from', platform.machine())\nsys.exit(3)\n";
    let script = vec![
        call("write", &json!({"path": "hello.py", "content": program})),
        bash("python3 hello.py"),
    ];
    let done = played(&place, "pi", script).succeeded();
    let ended = done.ended_calls();
    assert!(ended[0].completed, "{ended:?}");
    // pi calls a status that is not zero a failure, and says it.
    assert!(!ended[1].completed, "{ended:?}");
    assert!(ended[1].text.starts_with("hello from riscv64\n"), "{ended:?}");
    assert!(ended[1].text.ends_with("Command exited with code 3"), "{ended:?}");
    assert_eq!(done.streamed(), "hello from riscv64\n");
}

#[test]
fn builtin_keeps_the_streams_apart() {
    let place = Place::new();
    let script = vec![bash("uname -m; echo oops >&2; exit 7"), bash("printf '%s' \"$PWD\"")];
    let done = played(&place, "builtin", script).succeeded();
    let ended = done.ended_calls();
    assert_eq!(ended[0].text, "riscv64\n[stderr]\noops\n[exit status 7]");
    assert_eq!(ended[1].text, "/workspace");
}

#[test]
fn the_workspace_is_one_folder_on_both_sides() {
    let place = Place::new();
    let workspace = place.workspace();
    fs::write(workspace.join("from-host"), "of the host\n").unwrap();
    fs::set_permissions(workspace.join("from-host"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("from-host", workspace.join("link")).unwrap();
    let script = vec![
        bash("cat link; stat -c '%a %U %F' from-host; readlink link"),
        bash(
            "mkdir -p a/b && echo in >a/b/c && chmod 755 a/b/c && ln -s b/c a/l && mv a/b/c a/b/d",
        ),
        bash(
            "git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -qm one && git log --oneline | wc -l",
        ),
        bash(
            "python3 -c 'import sqlite3 as s; c = s.connect(\"t.db\"); c.execute(\"create table t(x)\"); c.execute(\"insert into t values(42)\"); c.commit(); print(c.execute(\"select x from t\").fetchone()[0])'",
        ),
        call("read", &json!({"path": "a/b/d"})),
    ];
    let done = played(&place, "builtin", script).succeeded();
    let texts: Vec<_> = done.ended_calls().into_iter().map(|ended| ended.text).collect();
    assert_eq!(texts[0], "of the host\n640 root regular file\nfrom-host\n");
    assert_eq!(texts[1], "(no output)");
    assert_eq!(texts[2].trim(), "1");
    assert_eq!(texts[3], "42\n");
    assert!(texts[4].contains("in"), "{texts:?}");
    assert_eq!(fs::read_to_string(workspace.join("a/b/d")).unwrap(), "in\n");
    assert_eq!(fs::metadata(workspace.join("a/b/d")).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_link(workspace.join("a/l")).unwrap().to_str(), Some("b/c"));
    assert!(workspace.join(".git/HEAD").is_file());
}

#[test]
fn programs_in_the_machine_use_the_verbs() {
    let place = Place::new();
    let script = vec![
        bash("xclaw memory add 'crabs are red'"),
        bash("xclaw memory search crabs"),
        bash("xclaw budget; xclaw nonsense; echo status $?"),
        bash("xclaw log info 'from the machine'"),
    ];
    let done = played(&place, "builtin", script).succeeded();
    let ended = done.ended_calls();
    assert!(ended[1].text.contains("crabs are red"), "{ended:?}");
    assert!(ended[2].text.contains("status 3"), "{ended:?}");
    assert_eq!(done.event("verb")["summary"], "crabs are red");
    let memory = place.command(["memory", "list", "--agent", "builtin", "--format", "json"]).done();
    assert_eq!(memory.succeeded().events()[0]["text"], "crabs are red");
}

#[test]
fn a_machine_lives_as_long_as_its_session_and_knows_the_time() {
    let place = Place::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let script = vec![
        bash("echo kept >/tmp/kept; (sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >/tmp/pid)"),
        bash("cat /tmp/kept; kill -0 $(cat /tmp/pid) && echo alive; date +%s"),
    ];
    let done = played(&place, "builtin", script).succeeded();
    let text = done.ended_calls()[1].text.clone();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["kept", "alive"]);
    let there: u64 = lines[2].parse().unwrap();
    assert!((now - 5..now + 600).contains(&there), "{there} is not about {now}");
}

#[test]
fn a_time_out_kills_the_whole_tree() {
    let place = Place::new();
    let command = "(setsid sleep 1000; true) & echo $! >/tmp/pid; sleep 1000";
    let script = vec![
        call("bash", &json!({"command": command, "timeout": 2})),
        bash("pgrep sleep || echo none"),
    ];
    let done = played(&place, "builtin", script).succeeded();
    let ended = done.ended_calls();
    assert!(ended[0].text.ends_with("[ended after 2 s, its time-out]"), "{ended:?}");
    assert_eq!(ended[1].text, "none\n");
}

#[test]
fn a_cancelled_turn_ends_its_command_and_keeps_its_machine() {
    for harness in ["builtin", "pi"] {
        let place = Place::new();
        let model = place.script(&[
            bash("echo here >/tmp/mark; touch begun; sleep 1000"),
            bash("(cat /tmp/mark; pgrep sleep || echo none) >result"),
            json!({"text": "Done."}),
        ]);
        let run = place.run(harness).machine().args(["--model", &model]);
        let mut terminal = run.in_terminal();
        terminal.see("> ");
        terminal.line("One.");
        let end = Instant::now() + DEADLINE;
        while !place.workspace().join("begun").exists() {
            assert!(Instant::now() < end, "{harness}: the command does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        terminal.type_in(CTRL_C);
        terminal.see("cancelled");
        terminal.see("> ");
        terminal.line("Two.");
        terminal.see("Done.");
        terminal.see("> ");
        terminal.type_in(CTRL_D);
        let (code, output) = terminal.done();
        assert_eq!(code, 0, "{output}");
        assert_eq!(place.read("result"), "here\nnone\n", "{harness}");
    }
}

#[test]
fn what_is_denied_does_not_start() {
    let place = Place::new();
    let rules = "deny: ['command:*secret*', 'path:**/.env'], ask: ['command:ask *']";
    let config = format!("approvals: {{{rules}}}");
    let config = place.file("xpressclaw.yaml", &config);
    fs::write(place.workspace().join(".env"), "KEY=1\n").unwrap();
    let model = place.script(&[
        bash("echo secret >here"),
        bash("ask nobody >here"),
        bash("ls -A"),
        bash("cat .env; mv .env env; cat env; echo x >>.env; echo status $?"),
        json!({"text": "Done."}),
    ]);
    let run = place.run("builtin").machine();
    let args = ["--config", &config, "--model", &model, "--format", "json", "Do it."];
    let done = run.args(args).done().succeeded();
    let ended = done.ended_calls();
    assert!(ended[0].text.contains("denied by the rule"), "{ended:?}");
    assert!(ended[1].text.contains("no user is there to give it"), "{ended:?}");
    assert_eq!(ended[2].text, ".env\n");
    assert!(ended[3].text.contains("Permission denied"), "{ended:?}");
    assert!(ended[3].text.contains("status 1"), "{ended:?}");
    assert!(!ended[3].text.contains("KEY=1"), "{ended:?}");
    assert_eq!(place.read(".env"), "KEY=1\n");
}

#[test]
fn without_its_image_a_machine_that_was_asked_for_is_an_error() {
    let place = Place::new();
    let model = place.script(&[json!({"text": "Done."})]);
    for (yaml, code) in [("machine: on", 2), ("machine: off", 0), ("model: local", 0)] {
        let config = place.file("xpressclaw.yaml", yaml);
        let run = place.run("builtin").args(["--config", &config, "--model", &model, "Do it."]);
        let done = run.done().exited(code);
        assert_eq!(done.stderr.contains("XPRESSCLAW_MACHINE_PATH"), code != 0, "{}", done.stderr);
    }
}

#[test]
fn an_image_that_was_changed_is_not_started() {
    let place = Place::new();
    let folder = place.path().join("machine");
    fs::create_dir(&folder).unwrap();
    let image = e2e::machine();
    for file in ["machine.json", "root.erofs", "computer.wasm"] {
        symlink(image.join(file), folder.join(file)).unwrap();
    }
    let mut kernel = fs::read(image.join("Image")).unwrap();
    *kernel.last_mut().unwrap() ^= 1;
    fs::write(folder.join("Image"), kernel).unwrap();
    let model = place.script(&[bash("true"), json!({"text": "Done."})]);
    let run = place.run("builtin").env("XPRESSCLAW_MACHINE_PATH", &folder);
    let done = run.args(["--model", &model, "--format", "json", "Do it."]).done().succeeded();
    let text = &done.ended_calls()[0].text;
    assert!(text.contains("is not what the image's description says"), "{text}");
}
