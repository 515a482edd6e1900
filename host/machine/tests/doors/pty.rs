//! Commands on a terminal of their own.

use bindings::machine::shell::{Command, OutputStream};
use bindings::machine::types::Error;

use crate::bench::{Bench, script, size};

#[tokio::test]
async fn on_a_terminal_the_streams_are_one_and_the_size_can_change() {
    let mut bench = Bench::allowed();
    let on_terminal = |text: &str| Command { pty: Some(size(91, 31)), ..script(text) };
    let text = "trap 'exit 9' INT; stty size; echo err >&2; echo $TERM; while :; do sleep 0.1; stty size; done";
    let process = bench.spawn(on_terminal(text)).await;
    let seen = bench.see(process, "color\r\n").await;
    assert!(seen.starts_with("31 91\r\nerr\r\nxterm-256color\r\n"), "{seen}");
    for (columns, rows) in [(100, 40), (65_535, 1)] {
        for _ in 0..2 {
            bench.resize(process, size(columns, rows)).await.unwrap();
        }
        bench.see(process, &format!("{rows} {columns}")).await;
    }
    for bad in [size(0, 1), size(1, 0)] {
        assert!(matches!(bench.resize(process, bad).await, Err(Error::Invalid(_))));
    }
    // Keys are those of a terminal: this one interrupts.
    bench.write(process, b"\x03").await.unwrap();
    let outcome = bench.finish(process).await;
    assert_eq!((&*outcome.stderr, &*outcome.exit), ("", "9"), "{outcome:?}");

    let process = bench.spawn(on_terminal("[ -t 0 ] && [ -t 1 ] && [ -t 2 ]; echo $?")).await;
    let chunks = bench.read(process, u32::MAX).await.unwrap();
    assert!(chunks.iter().all(|chunk| matches!(chunk.stream, OutputStream::Stdout)));
    assert_eq!(chunks[0].data, b"0\r\n");
    // After its exit nothing is left to be resized, and that is no error.
    assert_eq!(bench.exit(process).await.unwrap(), "0");
    bench.resize(process, size(80, 24)).await.unwrap();

    let piped = bench.spawn(script("read")).await;
    let refused = bench.resize(piped, size(80, 24)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    // The end of input is typed.
    let process = bench.spawn(on_terminal("cat; echo end")).await;
    bench.close(process).await.unwrap();
    assert!(bench.finish(process).await.stdout.ends_with("end\r\n"));
}
