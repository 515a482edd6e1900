//! A driver that does anything to all devices, in any order, by the numbers of a seed.
//!
//! Used by [`super::devices`]. A [`Pair`] is a machine and its host; a copy of one does the same as the
//! original from there on.

use super::strict::Strict;
use super::support::asm::{Code, WFI, jal};
use super::support::rng::Rng;
use super::virtio::{BLOCK, BUFFERS, CONSOLE, Driver, RNG, SIZE};
use riscv::devices::{PLIC_BASE, VIRTIO_BASE, VIRTIO_STRIDE, plic};
use riscv::{BASE, Machine};

const MEMORY: u64 = 4 << 20;
/// No queue and no buffer is ever here: nothing may change.
const GUARD: std::ops::Range<u64> = BASE + (3 << 20)..BASE + MEMORY - 4096;
const GUARD_BYTE: u8 = 0xa5;

pub const DEVICES: u64 = 4;
/// Queues of the console with two ports besides the first.
pub const QUEUES: u64 = 8;

/// Steps that one round of a device's work may cost beyond the budget: eight MiB, after which no request
/// is begun, and the longest request, five MiB with 256 descriptors, at sixteen bytes a step.
pub const ROUND: u64 = ((8 << 20) + (5 << 20) + 256 * 256 + (1 << 20) + (16 << 10)) / 16;

/// What a machine with its host was made of, and a few numbers that stand for all of its state.
#[derive(Clone, Debug)]
pub struct Pair {
    pub machine: Machine,
    pub host: Strict,
    rng: Rng,
}

/// Ways to say where something is: in the rings and buffers, at the end of memory, nowhere.
fn address(rng: &mut Rng) -> u64 {
    let address = match rng.below(60) {
        0 => rng.next(),
        1 => BASE + MEMORY - rng.below(64),
        2 => rng.below(1 << 20),
        3 => u64::MAX - rng.below(64),
        4 => PLIC_BASE + rng.below(1 << 16),
        5 | 6 => Driver::queue(rng.below(DEVICES), rng.below(QUEUES)) + rng.below(0x1000),
        _ => BUFFERS + rng.below(0xf_0000),
    };
    if GUARD.contains(&address) { BUFFERS } else { address }
}

fn size(rng: &mut Rng) -> u64 {
    match rng.below(40) {
        0 => rng.next() & 0xffff_ffff,
        1 => 0,
        2 => rng.below(1 << 20),
        3 => (5 << 20) - rng.below(2),
        4..8 => rng.pick(&[512, 1024, 4096]),
        _ => rng.below(64),
    }
}

/// A buffer that lies in memory ends before the guard; one that does not must be refused anyway.
fn spare_guard(at: u64, size: u64) -> u64 {
    let whole = at >= BASE && at.saturating_add(size) <= BASE + MEMORY;
    if whole && at < GUARD.end { size.min(GUARD.start.saturating_sub(at)) } else { size }
}

impl Pair {
    pub fn new(seed: u64) -> Self {
        let mut machine = super::machine();
        machine.load(GUARD.start, &vec![GUARD_BYTE; (GUARD.end - GUARD.start) as usize]).unwrap();
        let mut code = Code::at(BASE);
        code.words(&[WFI, jal(0, -4)]);
        machine.load(BASE, &code.bytes).unwrap();
        machine.start(BASE + 4 * (seed % 2), 0);
        Self { machine, host: Strict::new(1 << 20, 3, seed), rng: Rng(seed) }
    }

    /// One thing.
    pub fn act(&mut self) {
        let device = self.rng.below(DEVICES);
        let queue = if device == CONSOLE { self.rng.below(QUEUES) } else { 0 };
        match self.rng.below(24) {
            0 | 1 => self.register(),
            2 => self.read_registers(),
            3..=6 => {
                // As a driver does it, so that there is something to disturb.
                self.set_up(device);
                self.describe(device, queue);
                self.offer(device, queue);
            }
            7..=10 => self.describe(device, queue),
            11..=14 => self.offer(device, queue),
            15..=18 => self.run(),
            19 | 20 => self.host_acts(),
            21 => self.set(device, 0x070, 0),
            22 => self.interrupt_controller(),
            _ => self.garbage(),
        }
    }

    fn set(&mut self, device: u64, register: u64, value: u32) {
        let at = VIRTIO_BASE + VIRTIO_STRIDE * device + register;
        self.machine.cpu.devices.store(at, 4, value.into()).unwrap();
    }

    fn register(&mut self) {
        const REGISTERS: [u64; 17] = [
            0x014, 0x020, 0x024, 0x030, 0x038, 0x044, 0x050, 0x050, 0x064, 0x070, 0x070, 0x080,
            0x084, 0x090, 0x094, 0x0a0, 0x0a4,
        ];
        let rng = &mut self.rng;
        let register = if rng.below(8) == 0 { rng.below(0x1000) } else { rng.pick(&REGISTERS) };
        let value = match rng.below(4) {
            0 => rng.next() >> rng.below(64),
            1 => rng.pick(&[0, 1, 3, 11, 15, 64, 79, 128]),
            2 => address(rng),
            _ => rng.below(16),
        };
        let value = if GUARD.contains(&(value & 0xffff_ffff)) { BUFFERS } else { value };
        let size = if rng.below(16) == 0 { rng.pick(&[1, 2, 8]) } else { 4 };
        // One device more than there is: nobody answers.
        let device = rng.below(DEVICES + 1);
        let at = VIRTIO_BASE + VIRTIO_STRIDE * device + register;
        let answered = self.machine.cpu.devices.store(at, size, value);
        assert!(device < DEVICES || answered.is_none(), "an answer from nobody");
    }

    fn read_registers(&mut self) {
        let at = VIRTIO_BASE + self.rng.below(VIRTIO_STRIDE * (DEVICES + 1));
        self.machine.cpu.devices.load(at, self.rng.pick(&[1, 2, 4, 8]));
    }

    /// A device as a driver makes it ready, with queues that may lie anywhere.
    fn set_up(&mut self, device: u64) {
        self.set(device, 0x070, 0);
        let features = if device == CONSOLE { self.rng.below(4) } else { 0 };
        for (page, bits) in [(0, features as u32), (1, 1)] {
            self.set(device, 0x024, page);
            self.set(device, 0x020, bits);
        }
        self.set(device, 0x070, 11);
        for queue in 0..if device == CONSOLE { QUEUES } else { 1 } {
            self.set(device, 0x030, queue as u32);
            let entries = self.rng.pick(&[8, 8, 8, 1, 2, 16, 256]);
            self.set(device, 0x038, entries);
            for (register, table) in [(0x080, 0), (0x090, 0x400), (0x0a0, 0x800)] {
                let usual = Driver::queue(device, queue) + table;
                let at = if self.rng.below(30) == 0 { address(&mut self.rng) } else { usual };
                self.set(device, register, at as u32);
                self.set(device, register + 4, (at >> 32) as u32);
            }
            self.set(device, 0x044, 1);
            if self.rng.below(8) != 0 {
                self.put(Driver::queue(device, queue) + 0x400, 4, 0);
            }
        }
        self.set(device, 0x070, 15);
    }

    fn put(&mut self, address: u64, size: usize, value: u64) {
        self.machine.cpu.memory.store(address, size, value).unwrap();
    }

    /// Chains: mostly of a few descriptors that make sense, then anything.
    fn describe(&mut self, device: u64, queue: u64) {
        let table = Driver::queue(device, queue);
        for index in 0..SIZE {
            let rng = &mut self.rng;
            let at = address(rng);
            let size = spare_guard(at, size(rng));
            let last = index % 3 == 2 || index + 1 == SIZE;
            let flags = match rng.below(8) {
                0 => rng.below(16),
                _ if device == RNG => 2,
                _ => u64::from(!last) | if index % 3 == 0 { 0 } else { 2 },
            };
            let next = if rng.below(8) == 0 { rng.below(SIZE + 2) } else { index + 1 };
            self.put(table + 16 * index, 8, at);
            self.put(table + 16 * index + 8, 4, size);
            self.put(table + 16 * index + 12, 2, flags);
            self.put(table + 16 * index + 14, 2, next);
        }
        if device == BLOCK && self.rng.below(2) == 0 {
            // A header, so that more than its absence is found.
            let kind = self.rng.pick(&[0, 0, 1, 4, 8, 99]);
            let sector = self.rng.below(2100);
            self.put(table, 8, BUFFERS);
            self.put(table + 8, 4, 16);
            self.put(BUFFERS, 8, kind);
            self.put(BUFFERS + 8, 8, sector);
        }
    }

    /// Heads of chains, as many as an index says.
    fn offer(&mut self, device: u64, queue: u64) {
        let available = Driver::queue(device, queue) + 0x400;
        for entry in 0..SIZE {
            let head =
                if self.rng.below(16) == 0 { self.rng.below(SIZE + 1) } else { 3 * entry % 9 };
            self.put(available + 4 + 2 * entry, 2, head % (SIZE + 1));
        }
        let index = self.machine.cpu.memory.load(available + 2, 2).unwrap();
        let more = if self.rng.below(12) == 0 { self.rng.next() } else { self.rng.below(4) };
        self.put(available + 2, 2, index.wrapping_add(more) & 0xffff);
        let silent = self.rng.below(2);
        self.put(available, 2, silent);
        self.set(device, 0x050, queue as u32);
    }

    fn run(&mut self) {
        let budget = self.rng.pick(&[0, 1, 100, 10_000]);
        let before = self.machine.cpu.hart.steps;
        self.machine.run(budget, &mut self.host);
        let ran = self.machine.cpu.hart.steps - before;
        assert!(ran <= budget + DEVICES * ROUND, "{ran} steps of {budget}");
    }

    fn host_acts(&mut self) {
        let port = self.rng.below(5) as usize;
        match self.rng.below(4) {
            0 => self.machine.console_resize(self.rng.next() as u16, self.rng.next() as u16),
            1 => self.machine.console_takes_again(),
            2 => self.machine.advance_to(self.rng.next() >> self.rng.below(64)),
            _ => {
                let bytes = vec![7; self.rng.below(100_000) as usize];
                let taken = self.machine.console_input(port, &bytes);
                assert!(taken <= bytes.len() && (port < 3 || taken == 0));
            }
        }
    }

    fn interrupt_controller(&mut self) {
        let at =
            PLIC_BASE + self.rng.pick(&[0, 0x1000, 0x2000, 0x20_0000]) + 4 * self.rng.below(40);
        assert!(at < PLIC_BASE + plic::SIZE);
        if self.rng.below(2) == 0 {
            self.machine.cpu.devices.store(at, 4, self.rng.next() >> self.rng.below(64));
        } else {
            self.machine.cpu.devices.load(at, 4);
        }
    }

    /// A word somewhere in the rings.
    fn garbage(&mut self) {
        let at = Driver::queue(self.rng.below(DEVICES), self.rng.below(QUEUES));
        let value = self.rng.next() >> self.rng.below(64);
        let offset = self.rng.pick(&[0, 8, 0x400, 0x800]) + 8 * self.rng.below(8);
        self.put(at + offset, 8, value);
    }

    /// What can be seen of machine and host.
    pub fn fingerprint(&mut self) -> (u64, u64, Vec<Option<u64>>, u64) {
        let memory = self.machine.cpu.memory.get(BASE, MEMORY as usize).unwrap();
        let digest = memory.chunks_exact(8).fold(0u64, |digest, word| {
            let word = u64::from_le_bytes(word.try_into().unwrap());
            (digest ^ word).wrapping_mul(0x100_0000_01b3).rotate_left(29)
        });
        let devices = &mut self.machine.cpu.devices;
        let registers = (0..DEVICES * VIRTIO_STRIDE / 4)
            .filter(|word| word * 4 % VIRTIO_STRIDE < 0x110)
            .map(|word| devices.load(VIRTIO_BASE + 4 * word, 4))
            .collect();
        (digest, self.machine.cpu.hart.steps, registers, self.host.digest)
    }

    pub fn check_guard(&self) {
        let size = (GUARD.end - GUARD.start) as usize;
        let guard = self.machine.cpu.memory.get(GUARD.start, size).unwrap();
        assert!(guard.iter().all(|&byte| byte == GUARD_BYTE), "a device wrote where nothing was");
    }
}
