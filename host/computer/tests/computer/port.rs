//! The port's stream.

use computer::State;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bench::{DEADLINE, computers, config};
use crate::programs::*;

/// More than all buffers on the way together.
const MANY: usize = 3 << 20;

#[tokio::test]
async fn bytes_come_back_in_order_however_slowly_they_are_read() {
    let computers = computers(1);
    let mut computer = computers.boot(config(program(echo)));
    let port = computer.take_port().unwrap();
    assert!(computer.take_port().is_none());
    let (mut read, mut write) = tokio::io::split(port);
    let sent: Vec<u8> = (0..MANY).map(|i| (i * 31 / 7) as u8).collect();
    let expected = sent.clone();
    let writer = tokio::spawn(async move { write.write_all(&sent).await });
    // Nobody reads until everything is full: the writer stands still then, too.
    let mut full = 0;
    crate::bench::until(|| {
        let ran = computer.used().instructions;
        let still = ran == full;
        full = ran;
        still && ran > 0 && !writer.is_finished()
    })
    .await;
    let mut came = vec![0; MANY];
    tokio::time::timeout(DEADLINE, read.read_exact(&mut came)).await.unwrap().unwrap();
    assert!(came == expected, "the bytes differ");
    writer.await.unwrap().unwrap();
    assert_eq!(*computer.state().borrow(), State::Running);
}

#[tokio::test]
async fn the_stream_ends_with_the_computer() {
    let computers = computers(1);
    let mut computer = computers.boot(config(program(echo)));
    let mut port = computer.take_port().unwrap();
    port.write_all(b"hello").await.unwrap();
    let mut came = [0; 5];
    tokio::time::timeout(DEADLINE, port.read_exact(&mut came)).await.unwrap().unwrap();
    assert_eq!(&came, b"hello");
    computer.switch_off();
    let end = tokio::time::timeout(DEADLINE, port.read(&mut came)).await.unwrap();
    assert_eq!(end.unwrap(), 0);
    let error = port.write_all(b"x").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}
