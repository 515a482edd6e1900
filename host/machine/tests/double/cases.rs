//! What the agent in a machine does for its host, played on both machines.

use std::time::{SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use machine_client::{Command, Ended, ProcessError, Signal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::place::{Place, command, finish, see, soon, type_in};
use crate::{ours, qemu, terminals};

type Play = for<'a> fn(&'a mut Place) -> LocalBoxFuture<'a, String>;

/// What a case comes to is the same on both. In this order on one machine, which the last one ends.
const CASES: [(&str, Play, &str); 12] = [
    (
        "outputs are apart",
        |place| place.sh("echo out; echo err >&2; exit 7").boxed_local(),
        "out\n|err\n|7",
    ),
    ("a signal", |place| place.sh("kill -TERM $$").boxed_local(), "||signal 15"),
    ("input", |place| input(place).boxed_local(), "3000000\n||0"),
    ("a time-out", |place| time_out(place).boxed_local(), "||timed out, then none\n||0"),
    ("a kill", |place| kill(place).boxed_local(), "up\n||signal 9, then none\n||0"),
    ("a drop", |place| dropped(place).boxed_local(), "none\n||0"),
    (
        "the workspace",
        |place| workspace(place).boxed_local(),
        "of the host\n640\n||0, of the guest\n",
    ),
    ("a verb", |place| verb(place).boxed_local(), "budget.status: []\n||0"),
    ("a terminal of its own", |place| terminals::own(place).boxed_local(), "31 91, 40 100"),
    ("the machine's terminal", |place| terminals::shared(place).boxed_local(), "shown, typed"),
    ("an agent that dies", |place| agent(place).boxed_local(), "gone, then here\nnone\n||0"),
    ("the power switch", |place| power_off(place).boxed_local(), "closed"),
];

/// Children that got away from parent and session.
const TREE: &str = "setsid -f sleep 985; (setsid sleep 986 &); sleep 987 & echo up; sleep 988";
const NONE_LEFT: &str = "while pgrep -x sleep >/dev/null; do :; done; echo none";

async fn input(place: &Place) -> String {
    let process = place.script("wc -c");
    type_in(&process, &vec![b'x'; 3_000_000]).await;
    process.close_stdin().unwrap();
    finish(&process).await
}

async fn time_out(place: &Place) -> String {
    let limited = Command { timeout_ms: Some(2_500), ..command(TREE) };
    // On a busy host the tree may still be growing then, and have said nothing.
    let ended = finish(&place.client.start(limited)).await.replace("up\n", "");
    format!("{ended}, then {}", place.sh(NONE_LEFT).await)
}

async fn kill(place: &Place) -> String {
    let process = place.script(TREE);
    let seen = see(&process, "up\n").await;
    process.signal(Signal::Kill).unwrap();
    format!("{seen}{}, then {}", finish(&process).await, place.sh(NONE_LEFT).await)
}

async fn dropped(place: &Place) -> String {
    let process = place.script(TREE);
    see(&process, "up\n").await;
    drop(process);
    place.sh(NONE_LEFT).await
}

async fn workspace(place: &Place) -> String {
    let path = |name: &str| place.workspace.path().join(name);
    std::fs::write(path("file"), "of the host\n").unwrap();
    let guest = "chmod 640 file && cat file && stat -c %a file && echo 'of the guest' >answer";
    let ended = place.sh(guest).await;
    format!("{ended}, {}", std::fs::read_to_string(path("answer")).unwrap())
}

/// A program that connects to the host, and is answered.
async fn verb(place: &mut Place) -> String {
    let process = place.script("xclaw budget");
    let mut connection = soon(place.connections.recv()).await.unwrap();
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        line.push(soon(connection.read_u8()).await.unwrap());
    }
    let request: serde_json::Value = serde_json::from_slice(&line).unwrap();
    let answer = serde_json::json!({"jsonrpc": "2.0", "id": request["id"], "result": []});
    connection.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
    format!("{}: {}", request["method"].as_str().unwrap(), finish(&process).await)
}

/// Its processes are gone, and the next agent has a clean machine, which is still the same.
async fn agent(place: &Place) -> String {
    place.sh("echo here >/tmp/mark").await;
    let killer = place.script("sleep 1000 & kill -9 $(pgrep -f '[e]xe agent'); sleep 1000");
    let gone = match soon(killer.exit()).await {
        Err(ProcessError::Gone(_)) => "gone",
        other => panic!("{other:?}"),
    };
    format!("{gone}, then {}", place.sh(&format!("cat /tmp/mark; {NONE_LEFT}")).await)
}

async fn power_off(place: &Place) -> String {
    place.client.power_off();
    match soon(place.client.ended()).await {
        Ended::Closed | Ended::Stream(_) => "closed".to_owned(),
        other => panic!("{other}"),
    }
}

async fn all(mut place: Place) {
    let clock: u64 = place.sh("date +%s").await.split_once('\n').unwrap().0.parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(clock.abs_diff(now) < 600, "{clock} is not about {now}");
    for (name, play, expected) in CASES {
        assert_eq!(play(&mut place).await, expected, "{name}");
    }
}

#[tokio::test]
async fn our_computer_plays_each_case() {
    all(ours::boot().await).await;
}

#[tokio::test]
async fn qemu_plays_each_case() {
    all(qemu::boot().await).await;
}
