//! Reading: in order, apart, as much as was asked for, to the end, and never ahead of the reader.

use bindings::machine::shell::{Chunk, Command, HostProcess as _, OutputStream};
use futures::FutureExt as _;

use crate::bench::{Bench, borrow, script};

/// More than is under way without a reader, many times.
const MUCH: usize = 4 << 20;
/// Bytes that a program can be ahead of its reader: window, pipe, and one write of its own.
const AHEAD_MAX: usize = 1 << 20;

fn bytes(chunks: &[Chunk]) -> usize {
    chunks.iter().map(|chunk| chunk.data.len()).sum()
}

#[tokio::test]
async fn output_comes_in_order_apart_and_in_the_size_that_is_asked_for() {
    let mut bench = Bench::allowed();
    let process =
        bench.spawn(script("read; printf 1234; read; printf 56 >&2; read; echo 78")).await;
    let [readable, writable, exited] = bench.conditions(process).await;
    assert!(bench.view().read(borrow(process), 9).now_or_never().is_none(), "it blocks");
    assert!(!readable.is_ready());

    assert_eq!(bench.write(process, b"\n").await.unwrap(), 1);
    readable.clone().ready().await;
    // Zero is taken as one.
    for (max, expected) in [(0, b"1" as &[u8]), (1, b"2"), (u32::MAX, b"34")] {
        assert!(readable.is_ready() && readable.clone().ready().now_or_never().is_some());
        let chunks = bench.read(process, max).await.unwrap();
        assert_eq!((chunks.len(), &*chunks[0].data), (1, expected));
        assert!(matches!(chunks[0].stream, OutputStream::Stdout));
    }
    assert!(!readable.is_ready(), "all was read");
    assert!(writable.is_ready() && !exited.is_ready());

    bench.write(process, b"\n").await.unwrap();
    readable.clone().ready().await;
    bench.write(process, b"\n").await.unwrap();
    exited.clone().ready().await;
    assert_eq!(bench.exit(process).await.unwrap(), "0");
    // What was written before the exit is still there, in its order.
    let mut all = Vec::new();
    loop {
        readable.clone().ready().await;
        let chunks = bench.view().read(borrow(process), 3).now_or_never();
        let chunks = chunks.expect("what is ready does not block").unwrap().unwrap();
        if chunks.is_empty() {
            break;
        }
        assert!(bytes(&chunks) <= 3);
        all.extend(chunks.into_iter().map(|chunk| {
            (matches!(chunk.stream, OutputStream::Stderr), String::from_utf8(chunk.data).unwrap())
        }));
    }
    let expected = [(true, "56"), (false, "7"), (false, "8\n")];
    assert_eq!(all, expected.map(|(err, text)| (err, text.to_owned())));
    for _ in 0..3 {
        assert!(readable.is_ready());
        assert!(bench.read(process, 1).await.unwrap().is_empty(), "the end is repeated");
        assert_eq!(bench.exit(process).await.unwrap(), "0", "the exit, too");
    }
}

#[tokio::test]
async fn an_exit_is_told_though_children_hold_the_output() {
    let mut bench = Bench::allowed();
    let process = bench.spawn(script("(read line; echo of the child $line) <&0 & echo up")).await;
    let [readable, _, exited] = bench.conditions(process).await;
    assert_eq!(bench.exit(process).await.unwrap(), "0");
    assert!(exited.is_ready());
    bench.see(process, "up\n").await;
    assert!(!readable.is_ready() && bench.view().read(borrow(process), 1).now_or_never().is_none());
    bench.write(process, b"that lives on\n").await.unwrap();
    assert_eq!(bench.finish(process).await.stdout, "of the child that lives on\n");
}

#[tokio::test]
async fn a_process_that_nobody_reads_is_stopped_and_loses_nothing() {
    let mut bench = Bench::allowed();
    let text = format!("head -c {MUCH} /dev/zero | tee >(wc -c >/tmp/all) | cat");
    let unread = bench.spawn(script(&text)).await;
    let counted = "for ((n = 0; n < $N; n++)); do head -c 65536 /dev/zero; echo $n >/tmp/n; done";
    let env = vec![("N".to_owned(), (MUCH >> 16).to_string())];
    let counting = bench.spawn(Command { env, ..script(counted) }).await;
    // Neither holds a third one up, which waits until nothing moves any more.
    let stopped = "until [ -n \"$new\" ] && [ \"$old\" = \"$new\" ]; do \
                   old=$new; sleep 0.2; new=$(cat /tmp/n 2>/dev/null); done";
    bench.sh(stopped).await;
    let ahead: usize = bench.sh("cat /tmp/n").await.trim().parse().unwrap();
    assert!((ahead << 16) < AHEAD_MAX, "{ahead}");

    for process in [counting, unread] {
        let mut total = 0;
        loop {
            let chunks = bench.read(process, u32::MAX).await.unwrap();
            if chunks.is_empty() {
                break;
            }
            assert!(bytes(&chunks) <= 1 << 20);
            total += bytes(&chunks);
        }
        assert_eq!(total, MUCH);
    }
    assert_eq!(bench.sh("cat /tmp/all").await, format!("{MUCH}\n"));
}
