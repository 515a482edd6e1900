//! Folders of the host: messages on their way, and what a bad answer does.

use computer::{Computer, Failure, Share, State};
use riscv::BASE;

use crate::asm::*;
use crate::bench::{computers, config, end};
use crate::programs::*;
use crate::virtio::{self, Device};

/// Room for an answer in the guest.
const ROOM: u64 = 4096;

/// Where the first share is on the bus: behind the console and the source of randomness.
const FIRST: u64 = 2;

/// Prints the share's tag, sends a message, and prints the answer, or that the device broke.
fn ask(code: &mut Code, index: u64, message: &[u8]) {
    const MOUNT_TAG: u64 = 1;
    const TABLE: u64 = BASE + 0x1000;
    const REQUEST: u64 = BASE + 0x2000;
    const REPLY: u64 = BASE + 0x4000;
    let share = Device::at(FIRST + index);
    code.li(7, share.register(virtio::CONFIG));
    code.words(&[i(0x03, 4, 6, 7, 0), addi(5, 7, 2)]);
    print_bytes(code);
    print(code, ": ");

    share.negotiate(code, MOUNT_TAG);
    share.queue(code, 0, 2, TABLE);
    share.drive(code);
    for (at, bytes) in (REQUEST..).step_by(8).zip(message.chunks(8)) {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        code.li(5, at).li(6, u64::from_le_bytes(word)).word(sd(6, 5, 0));
    }
    virtio::describe(code, TABLE, REQUEST, message.len() as u64, virtio::NEXT);
    virtio::describe(code, TABLE + 16, REPLY, ROOM, virtio::WRITE);
    code.li(20, TABLE).words(&[addi(5, 0, 1), s(0x23, 1, 20, 5, virtio::AVAILABLE + 2)]);
    share.notify(code, 0);

    // Until the answer is there or the device needs a reset, which is a bit of its status.
    code.li(21, share.register(virtio::STATUS));
    code.words(&[
        i(0x03, 5, 5, 20, virtio::USED + 2),
        b(1, 5, 0, 16),
        lw(5, 21, 0),
        i(0x13, 7, 5, 5, virtio::NEEDS_RESET),
        b(0, 5, 0, -16),
    ]);
    // Nothing was answered, or this many bytes.
    code.words(&[i(0x03, 5, 7, 20, virtio::USED + 2), lw(6, 20, virtio::USED + 8)]);
    code.li(5, REPLY);
    print_bytes(code);
    if_zero(code, 7, |code| print(code, "broke"));
    shut_down(code);
}

/// A computer that asks its shares' number `index` for something.
fn asking(threads: usize, shares: Vec<Share>, index: u64, message: &[u8]) -> Computer {
    let mut config = config(program(|code| ask(code, index, message)));
    config.shares = shares;
    computers(threads).boot(config)
}

fn shouting(tag: &str) -> Share {
    let name = tag.to_owned();
    Share::new(tag, move |request, reply| {
        assert_eq!(std::thread::current().name(), Some("computer"));
        reply.extend_from_slice(format!("{name} heard ").as_bytes());
        reply.extend(request.iter().map(u8::to_ascii_uppercase));
    })
}

#[tokio::test]
async fn each_share_gets_its_messages_on_a_thread_of_computers() {
    for (index, expected) in [(0, "one: one heard HELLO"), (1, "two: two heard HELLO")] {
        let shares = vec![shouting("one"), shouting("two")];
        let computer = asking(1, shares, index, b"hello");
        assert_eq!(end(&computer).await, State::ShutDown);
        assert_eq!(computer.console_text(), expected);
    }
}

#[tokio::test]
async fn an_answer_that_is_missing_or_too_long_breaks_the_device_and_nothing_else() {
    // The last does not even fit what the module has room for.
    for size in [0, ROOM as usize + 1, (512 << 10) + 1] {
        let share = Share::new("share", move |_, reply| reply.resize(size, b'x'));
        let computer = asking(1, vec![share], 0, b"hello");
        assert_eq!(end(&computer).await, State::ShutDown);
        assert_eq!(computer.console_text(), "share: broke", "{size}");
    }
    let share = Share::new("share", |_, reply| reply.resize(ROOM as usize, b'x'));
    let computer = asking(1, vec![share], 0, b"hello");
    assert_eq!(end(&computer).await, State::ShutDown);
    assert_eq!(computer.console_text(), format!("share: {}", "x".repeat(ROOM as usize)));
}

#[tokio::test]
async fn a_panic_of_who_answers_ends_one_computer() {
    let computers = computers(1);
    let mut panics = config(program(|code| ask(code, 0, b"hello")));
    panics.shares = vec![Share::new("share", |_, _| panic!("a test's panic"))];
    let mut other = config(program(|code| ask(code, 0, b"hello")));
    other.shares = vec![shouting("share")];
    let computer = computers.boot(panics);
    let State::Failed(Failure::Bug(text)) = end(&computer).await else {
        panic!("{:?}", computer.state().borrow());
    };
    assert!(text.contains("panicked"), "{text}");
    // The only thread is still there.
    let other = computers.boot(other);
    assert_eq!(end(&other).await, State::ShutDown);
    assert_eq!(other.console_text(), "share: share heard HELLO");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = ninep::Server::new(folder.path()).unwrap();
    let share = Share::new("workspace", move |request, reply| server.handle(request, reply));
    // Tversion: size, type, tag, longest message, and the version.
    let version = b"9P2000.L";
    let hello = [&[21, 0, 0, 0, 100, 0xff, 0xff, 0, 0, 1, 0, 8, 0], &version[..]].concat();
    let computer = asking(1, vec![share], 0, &hello);
    assert_eq!(end(&computer).await, State::ShutDown);
    let text = computer.console_text();
    assert!(text.starts_with("workspace: ") && text.ends_with("9P2000.L"), "{text:?}");
}
