//! The same noise through the ring of the machine's 9p device: what a guest sends lies in its memory, in as
//! many pieces as it likes, and what it gets goes there and nowhere else.

use super::noise::{Rng, check_outside, mutate, request};
use super::{Body, Server, folder};
use riscv::devices::{VIRTIO_BASE, VIRTIO_STRIDE};
use riscv::{BASE, Config, Host, Machine, ReadFailed};

/// The share is behind the console and the source of randomness.
const DEVICE: u64 = VIRTIO_BASE + 2 * VIRTIO_STRIDE;
/// Entries of the queue, and where its parts are.
const SIZE: u64 = 64;
const DESCRIPTORS: u64 = BASE + 0x1_0000;
const AVAILABLE: u64 = BASE + 0x2_0000;
const USED: u64 = BASE + 0x3_0000;
/// A message, and room for the answer among bytes that must stay.
const MESSAGE: u64 = BASE + 0x10_0000;
const ANSWER: u64 = BASE + 0x20_0000;
const ANSWER_END: u64 = ANSWER + 0x3_0000;
/// Room for every answer there is at the sizes that are agreed here.
const ROOM: u64 = 0x1_0000;
const UNTOUCHED: u8 = 0xa5;
const BROKEN: u64 = 64;

const VERSION: u8 = 100;
const ATTACH: u8 = 104;

/// The host's side: what was answered last is kept to be compared.
struct Folder {
    server: Server,
    answer: Vec<u8>,
    messages: usize,
}

impl Host for Folder {
    fn console_output(&mut self, _port: usize, _bytes: &[u8]) {}

    fn disk_read(&mut self, _offset: u64, _into: &mut [u8]) -> Result<(), ReadFailed> {
        Err(ReadFailed)
    }

    fn random(&mut self, into: &mut [u8]) {
        into.fill(4);
    }

    fn share(&mut self, _index: usize, request: &[u8], reply: &mut Vec<u8>) {
        self.server.handle(request, reply);
        self.answer.clone_from(reply);
        self.messages += 1;
    }
}

struct Guest {
    machine: Machine,
    host: Folder,
    offered: u64,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Bytes of the answer.
    Answered(u64),
    Broken,
}

impl Guest {
    fn new(server: Server) -> Self {
        let config = Config {
            memory: 4 << 20,
            size: (80, 25),
            ports: &[],
            disk: None,
            shares: &["workspace"],
        };
        let host = Folder { server, answer: Vec::new(), messages: 0 };
        Self { machine: Machine::new(&config), host, offered: 0 }
    }

    fn set(&mut self, register: u64, value: u64) {
        self.machine.cpu.devices.store(DEVICE + register, 4, value).unwrap();
    }

    fn put(&mut self, address: u64, size: usize, value: u64) {
        self.machine.cpu.memory.store(address, size, value).unwrap();
    }

    /// Resets the device and makes it ready, as a driver does, then agrees on a version and attaches.
    fn start(&mut self, rng: &mut Rng) {
        self.set(0x070, 0);
        for (page, bits) in [(0, 1), (1, 1)] {
            self.set(0x024, page);
            self.set(0x020, bits);
        }
        self.set(0x070, 11);
        self.set(0x030, 0);
        self.set(0x038, SIZE);
        for (register, table) in [(0x080, DESCRIPTORS), (0x090, AVAILABLE), (0x0a0, USED)] {
            self.set(register, table);
            self.set(register + 4, 0);
        }
        self.put(AVAILABLE, 4, 0);
        self.put(USED, 4, 0);
        self.offered = 0;
        self.set(0x044, 1);
        self.set(0x070, 15);
        let size = rng.pick(&[1 << 12, 1 << 15, 1 << 16]);
        let version = Body::default().u32(size).text("9P2000.L").message(VERSION, 1);
        let attach = Body::default().u32(0).u32(!0).text("").text("").u32(0).message(ATTACH, 2);
        for message in [version, attach] {
            let answered = self.send(rng, &message, ROOM);
            assert!(matches!(answered, Outcome::Answered(size) if size > 11), "{answered:?}");
            assert_ne!(self.host.answer[4], 7, "an error");
        }
    }

    /// Cuts a range into descriptors from `first` on; returns the index after the last.
    fn describe(&mut self, rng: &mut Rng, first: u64, range: (u64, u64), flags: u64) -> u64 {
        let (mut at, mut left) = range;
        let pieces = 1 + rng.below(SIZE / 2 - 1);
        for piece in 0..pieces {
            // Some pieces are empty.
            let size = if piece + 1 == pieces { left } else { rng.below(left / 2 + 1) };
            let entry = DESCRIPTORS + 16 * (first + piece);
            self.put(entry, 8, at);
            self.put(entry + 8, 4, size);
            self.put(entry + 12, 2, flags | 1);
            self.put(entry + 14, 2, first + piece + 1);
            (at, left) = (at + size, left - size);
        }
        first + pieces
    }

    /// Sends a message, with that much room for the answer.
    fn send(&mut self, rng: &mut Rng, message: &[u8], room: u64) -> Outcome {
        self.machine.load(MESSAGE, message).unwrap();
        let size = (ANSWER_END - ANSWER) as usize;
        self.machine.load(ANSWER, &vec![UNTOUCHED; size]).unwrap();
        let writable = self.describe(rng, 0, (MESSAGE, message.len() as u64), 0);
        let start = ANSWER + rng.below(4096);
        let end = self.describe(rng, writable, (start, room), 2);
        let last = DESCRIPTORS + 16 * (end - 1) + 12;
        self.put(last, 2, 2);
        self.put(AVAILABLE + 4 + 2 * (self.offered % SIZE), 2, 0);
        self.offered += 1;
        self.put(AVAILABLE + 2, 2, self.offered & 0xffff);
        self.set(0x050, 0);
        let before = self.host.messages;
        self.machine.cpu.work(&mut self.host);
        assert_eq!(self.host.messages, before + 1, "it was answered once");
        let memory = self.machine.cpu.memory.get(ANSWER, size).unwrap();
        let (head, rest) = memory.split_at((start - ANSWER) as usize);
        let done = self.machine.cpu.memory.load(USED + 2, 2).unwrap();
        let (answer, outcome) = if done == self.offered & 0xffff {
            let entry = USED + 4 + 8 * (self.offered - 1) % (8 * SIZE);
            let written = self.machine.cpu.memory.load(entry + 4, 4).unwrap();
            assert_eq!(written as usize, self.host.answer.len());
            (&self.host.answer[..], Outcome::Answered(written))
        } else {
            assert!(self.host.answer.len() as u64 > room, "an answer that fits is given");
            let status = self.machine.cpu.devices.load(DEVICE + 0x070, 4).unwrap();
            assert_ne!(status & BROKEN, 0, "the driver can see it");
            (&[][..], Outcome::Broken)
        };
        let (given, rest) = rest.split_at(answer.len());
        assert!(given == answer, "the answer in memory is what the host answered");
        let untouched = |bytes: &[u8]| bytes.iter().all(|&byte| byte == UNTOUCHED);
        assert!(untouched(head) && untouched(rest), "nothing beside the answer is written");
        outcome
    }
}

#[test]
fn noise_through_the_ring_is_answered_in_the_guests_memory_alone() {
    let rounds = std::env::var("NINEP_ROUNDS").map_or(6, |text| text.parse().unwrap());
    let (mut good, mut all, mut broken) = (0, 0, 0);
    for round in 0..rounds {
        let folder = folder();
        let mut rng = Rng(0x51_7c_c1_b7_27_22_0a_95 + round);
        let mut guest = Guest::new(Server::new(&folder.path().join("inside")).unwrap());
        guest.start(&mut rng);
        for _ in 0..1_000 {
            if rng.below(40) == 0 {
                // In the middle of whatever was going on; forgets all fids, the root's too.
                guest.start(&mut rng);
            }
            let message = if rng.below(8) == 0 {
                (0..rng.below(80)).map(|_| rng.next() as u8).collect()
            } else {
                let (kind, body) = request(&mut rng);
                let mut message = body.message(kind, rng.next() as u16);
                mutate(&mut rng, &mut message);
                message
            };
            let room = if rng.below(100) == 0 { rng.below(16) } else { ROOM };
            all += 1;
            match guest.send(&mut rng, &message, room) {
                Outcome::Answered(_) => good += usize::from(guest.host.answer[4] != 7),
                Outcome::Broken => {
                    broken += 1;
                    guest.start(&mut rng);
                }
            }
        }
        check_outside(folder.path());
    }
    println!("{all} messages, {good} of them did something, {broken} had too little room");
    assert!(good > all / 20, "{good} of {all}: many must be meant well enough to do something");
    assert!(broken > 0, "some room was too small");
}
