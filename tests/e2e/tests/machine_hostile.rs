//! Machines whose programs do their worst: the harness gets a clear answer each time, and the next command
//! works, in the same machine or in a new one.

use e2e::{Ended, Place, bash, call};
use serde_json::{Value, json};

/// What a command leaves behind when the machine is still the same.
const MARK: &str = "echo here >/tmp/mark";
const LOOK: &str = "cat /tmp/mark 2>/dev/null || echo new";

/// Small, so that filling it is quick.
const CONFIG: &str = "machine: {memory_mib: 256}";

/// Runs the turns between a mark and two looks; gives back what they came to and what was seen after.
#[track_caller]
fn survives(worst: Value) -> (Ended, String) {
    let place = Place::new();
    let config = place.file("xpressclaw.yaml", CONFIG);
    std::fs::write(place.workspace().join("kept"), "kept\n").unwrap();
    let model = place.script(&[
        bash(MARK),
        worst,
        bash(LOOK),
        // The second look shows that what the first one saw holds.
        bash(&format!("{LOOK}; cat kept; echo $((6 * 7))")),
        json!({"text": "Done."}),
    ]);
    let run = place.run("builtin").machine();
    let args = ["--config", &config, "--model", &model, "--format", "json", "Do it."];
    let done = run.args(args).done().succeeded();
    let ended = done.ended_calls();
    assert_eq!(ended.len(), 4, "{ended:?}");
    assert_eq!(done.answer(), "Done.");
    let seen = ended[2].text.clone();
    assert_eq!(ended[3].text, format!("{seen}kept\n42\n"), "{ended:?}");
    (ended[1].clone(), seen)
}

fn short(command: &str) -> Value {
    call("bash", &json!({"command": command, "timeout": 10}))
}

#[track_caller]
fn same_machine(worst: Value) -> Ended {
    let (ended, seen) = survives(worst);
    assert_eq!(seen, "here\n", "{ended:?}");
    ended
}

#[track_caller]
fn new_machine(worst: Value, reason: &str) {
    let (ended, seen) = survives(worst);
    assert_eq!(seen, "new\n", "{ended:?}");
    assert!(!ended.completed, "{ended:?}");
    let text = &ended.text;
    assert!(text.contains(reason), "{text}");
    assert!(text.contains("the next command starts a new machine"), "{text}");
}

#[test]
fn removing_everything() {
    let place = Place::new();
    let config = place.file("xpressclaw.yaml", CONFIG);
    let model = place.script(&[
        bash(MARK),
        bash("rm -rf --no-preserve-root /bin /usr /etc /lib 2>/dev/null"),
        bash("echo not reached"),
        bash(LOOK),
        json!({"text": "Done."}),
    ]);
    let run = place.run("builtin").machine();
    let args = ["--config", &config, "--model", &model, "--format", "json", "Do it."];
    let ended = run.args(args).done().succeeded().ended_calls();
    let told = "the machine has no shell any more; the next command starts a new machine";
    assert!(ended[2].text.contains(told), "{ended:?}");
    assert_eq!(ended[3].text, "new\n");
}

#[test]
fn a_fork_bomb() {
    same_machine(short("f() { f | f & }; f; sleep 1000"));
}

#[test]
fn endless_processes_that_leave_their_session() {
    same_machine(short("while :; do setsid -f sleep 1000 2>/dev/null; done"));
}

#[test]
fn all_of_the_memory() {
    let ended = same_machine(bash("python3 -c 'a = []\nwhile True: a.append(bytearray(1 << 20))'"));
    let text = &ended.text;
    assert!(text.contains("[ended by signal 9]") || text.contains("MemoryError"), "{text}");
}

#[test]
fn all_of_the_disk() {
    let ended = same_machine(bash("head -c 1G /dev/zero >/filler; echo status $?; rm /filler"));
    assert!(ended.text.contains("No space left on device"), "{ended:?}");
    assert!(ended.text.contains("status 1"), "{ended:?}");
}

#[test]
fn the_power_switch() {
    let off = "import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)";
    new_machine(bash(&format!("python3 -c '{off}'")), "the machine was shut down");
}

#[test]
fn a_reboot() {
    let reboot = "import ctypes; ctypes.CDLL(None).reboot(0x01234567)";
    new_machine(bash(&format!("python3 -c '{reboot}'")), "the machine was rebooted");
}

#[test]
fn a_kernel_that_panics() {
    let eat = "python3 -c 'a = []\nwhile True: a.append(bytearray(1 << 20))'";
    new_machine(bash(&format!("echo 2 >/proc/sys/vm/panic_on_oom && {eat}")), "Kernel panic");
}

#[test]
fn the_agent_killed() {
    let (ended, seen) = survives(bash("kill -9 $(pgrep -f '[e]xe agent'); sleep 1000"));
    assert!(ended.text.contains("agent"), "{ended:?}");
    // Files stay, processes are gone: it is the same machine.
    assert_eq!(seen, "here\n", "{ended:?}");
}

#[test]
fn the_first_process_cannot_be_killed() {
    let ended = same_machine(bash("kill -9 1; kill -9 -1; echo not reached"));
    assert!(!ended.text.contains("not reached") || ended.completed, "{ended:?}");
}

#[test]
fn the_windows_killed() {
    same_machine(bash("pkill -9 tmux; echo gone"));
}

#[test]
fn a_command_that_never_yields() {
    let ended = same_machine(short("while :; do :; done"));
    assert!(ended.text.ends_with("[ended after 10 s, its time-out]"), "{ended:?}");
}

#[test]
fn a_hundred_megabytes_of_output() {
    let ended = same_machine(bash("yes | head -c 100000000"));
    assert!(ended.completed, "{ended:?}");
    assert!(ended.text.len() < 200_000, "{}", ended.text.len());
}

#[test]
fn tricks_with_the_workspace() {
    let place = Place::new();
    let outside = place.file("outside.txt", "do not read me\n");
    let config = place.file("xpressclaw.yaml", CONFIG);
    let model = place.script(&[
        bash(&format!(
            "cat {outside}; cat ../outside.txt; ln -s {outside} link; cat link; \
             ln {outside} hard; mknod disk b 8 0; mknod null c 1 3; \
             mkdir d; cd d; rmdir ../d; cat ../../outside.txt; ls -A /workspace"
        )),
        json!({"text": "Done."}),
    ]);
    let run = place.run("builtin").machine();
    let args = ["--config", &config, "--model", &model, "--format", "json", "Do it."];
    let done = run.args(args).done().succeeded();
    assert!(!done.stdout.contains("do not read me"), "{}", done.stdout);
    let made: Vec<_> = std::fs::read_dir(place.workspace()).unwrap().flatten().collect();
    let names: Vec<_> = made.iter().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["link"], "nothing but a link that only the guest follows");
}
