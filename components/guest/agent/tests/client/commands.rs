//! Commands on pipes, and what connects from them.

use std::fmt::Write as _;

use machine_client::{Command, Exit, ProcessError, Refusal};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::machine::{Machine, finish, script, soon};

/// Processes at once that the contract promises to a session.
const MANY: usize = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lines_of_each_output_arrive_apart_and_in_order() {
    let machine = Machine::new().await;
    let got =
        machine.run(script("for i in {1..1000}; do echo o$i; echo e$i >&2; done; exit 9")).await;
    let lines = |letter| {
        (1..=1000).fold(String::new(), |mut text, number| {
            writeln!(text, "{letter}{number}").unwrap();
            text
        })
    };
    assert_eq!((got.stdout, got.stderr, got.exit), (lines('o'), lines('e'), Exit::Code(9)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_megabytes_go_in_and_come_back() {
    let machine = Machine::new().await;
    let process = machine.start(script("cat"));
    let sent: Vec<u8> = (0..10_000_000_u32).map(|at| b'a' + (at % 23) as u8).collect();
    let write = async {
        let mut left = &sent[..];
        while !left.is_empty() {
            let size = soon(process.write(left)).await.unwrap();
            left = &left[size..];
        }
        process.close_stdin().unwrap();
    };
    let (got, ()) = tokio::join!(finish(&process), write);
    let got = got.unwrap();
    assert!(got.stdout.as_bytes() == sent, "{} bytes came back", got.stdout.len());
    assert_eq!(got.exit, Exit::Code(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_run_at_once() {
    let machine = Machine::new().await;
    let all: Vec<_> = (0..MANY)
        .map(|number| machine.start(script(&format!("read x; echo {number} $x"))))
        .collect();
    for process in &all {
        soon(process.started()).await.unwrap();
    }
    for process in all.iter().rev() {
        assert_eq!(soon(process.write(b"go\n")).await, Ok(3));
    }
    for (number, process) in all.iter().enumerate() {
        let got = finish(process).await.unwrap();
        assert_eq!((got.stdout, got.exit), (format!("{number} go\n"), Exit::Code(0)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_started_says_why() {
    let machine = Machine::new().await;
    let command = Command { cwd: Some("/nowhere/at/all".into()), ..script("true") };
    let error = finish(&machine.start(command)).await.unwrap_err();
    assert_eq!(error, ProcessError::Refused(Refusal::NoDirectory("/nowhere/at/all".into())));
    assert_eq!(machine.run(script("echo well")).await.stdout, "well\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_inside_is_answered_over_the_socket() {
    let mut machine = Machine::new().await;
    let text = "
python3 - <<'PY'
import os, socket, threading
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ['XCLAW_SOCKET'])
def send():
    s.sendall(b'x' * 3000000)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=send).start()
got = b''
while len(got) < 3000000:
    got += s.recv(65536)
print(got == b'X' * 3000000)
PY";
    let process = machine.start(script(text));
    let mut connection = soon(machine.connections.recv()).await.unwrap();
    let echo = async {
        let (mut buffer, mut echoed) = (vec![0; 10_000], 0);
        while echoed < 3_000_000 {
            let size = soon(connection.read(&mut buffer)).await.unwrap();
            assert!(size > 0, "it ended after {echoed} bytes");
            buffer[..size].make_ascii_uppercase();
            soon(connection.write_all(&buffer[..size])).await.unwrap();
            echoed += size;
        }
        // The program goes when it has all.
        assert_eq!(soon(connection.read(&mut buffer)).await.unwrap(), 0);
    };
    let (got, ()) = tokio::join!(finish(&process), echo);
    let got = got.unwrap();
    assert_eq!((got.stdout.as_str(), got.stderr.as_str()), ("True\n", ""));
}
