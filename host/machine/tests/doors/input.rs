//! Writing: what fits, in order, to an end.

use bindings::machine::shell::HostProcess as _;
use bindings::machine::types::Error;
use futures::FutureExt as _;

use crate::bench::{Bench, borrow, script, soon};

/// Bytes of one call.
const MOST: usize = 1 << 20;

/// Bytes that are taken though nobody reads: a window, and most of a pipe.
const TAKEN_MIN: usize = (256 + 48) << 10;

#[tokio::test]
async fn a_write_takes_what_fits_and_blocks_only_while_nothing_does() {
    let mut bench = Bench::allowed();
    let process = bench.spawn(script("until [ -e go ]; do sleep 0.05; done; exec wc -c")).await;
    let writable = bench.writable(process).await;
    soon(writable.clone().ready()).await;
    assert_eq!(bench.write(process, b"").await.unwrap(), 0);
    let data = vec![b'x'; MOST + 1];
    let mut written = 0;
    while (written as usize) < TAKEN_MIN {
        soon(writable.clone().ready()).await;
        while writable.is_ready() {
            let call = bench.view().write(borrow(process), data.clone()).now_or_never();
            let taken = call.expect("what is ready does not block").unwrap().unwrap();
            assert!((1..=MOST).contains(&(taken as usize)), "{taken}");
            written += taken;
        }
        let call = bench.view().write(borrow(process), b"y".into()).now_or_never();
        assert!(call.is_none(), "what is not ready blocks");
        assert!((written as usize) < MOST, "nobody reads");
    }

    std::fs::write(bench.workspace.path().join("go"), "").unwrap();
    soon(writable.clone().ready()).await;
    written += bench.write(process, &data[..100]).await.unwrap();
    for _ in 0..2 {
        bench.close(process).await.unwrap();
    }
    let refused = bench.write(process, b"x").await;
    assert!(matches!(&refused, Err(Error::Other(text)) if text.contains("closed")), "{refused:?}");
    assert!(writable.is_ready(), "it would not block");
    assert_eq!(bench.finish(process).await.stdout, format!("{written}\n"));
}

#[tokio::test]
async fn much_goes_through_when_it_is_read_while_it_is_written() {
    let mut bench = Bench::allowed();
    let process = bench.spawn(script("cat")).await;
    let data: Vec<u8> = (0..3 * MOST).map(|n| (n % 251) as u8).collect();
    let (mut sent, mut got) = (0, Vec::new());
    while got.len() < data.len() {
        let [mut readable, mut writable, _] = bench.conditions(process).await;
        match data.get(sent..).filter(|left| !left.is_empty()) {
            Some(left) if writable.is_ready() => {
                sent += bench.write(process, left).await.unwrap() as usize;
            }
            Some(_) => drop(
                soon(futures::future::select(
                    Box::pin(readable.ready()),
                    Box::pin(writable.ready()),
                ))
                .await,
            ),
            None => soon(readable.ready()).await,
        }
        while bench.readable(process).await.is_ready() {
            let chunks = bench.read(process, u32::MAX).await.unwrap();
            chunks.into_iter().for_each(|chunk| got.extend(chunk.data));
        }
    }
    assert!(got == data, "the bytes, in their order");
    // A program that does not read any more.
    let deaf =
        bench.spawn(script("exec <&-; echo deaf; until [ -e go ]; do sleep 0.05; done")).await;
    bench.see(deaf, "deaf").await;
    let error = loop {
        if let Err(error) = bench.write(deaf, b"x").await {
            break error;
        }
    };
    assert!(matches!(error, Error::Other(_)), "{error:?}");
    std::fs::write(bench.workspace.path().join("go"), "").unwrap();
    assert_eq!(bench.finish(deaf).await.exit, "0");
}
