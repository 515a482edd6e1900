//! A driver in a few lines, to use devices as Linux does and as Linux never would.

use super::support::Recorder;
use riscv::devices::{VIRTIO_BASE, VIRTIO_STRIDE};
use riscv::{BASE, Machine};

pub const CONSOLE: u64 = 0;
pub const RNG: u64 = 1;
pub const BLOCK: u64 = 2;
pub const SHARE: u64 = 3;

/// Entries of each queue.
pub const SIZE: u64 = 8;

/// Where queues and buffers are.
const QUEUES: u64 = BASE + 0x10_0000;
pub const BUFFERS: u64 = BASE + 0x20_0000;

pub struct Driver<'a> {
    pub machine: &'a mut Machine,
    pub host: &'a mut Recorder,
    device: u64,
}

impl<'a> Driver<'a> {
    /// Initialises a device: features, queues, status.
    pub fn new(
        machine: &'a mut Machine,
        host: &'a mut Recorder,
        device: u64,
        features: u64,
        queues: u64,
    ) -> Self {
        let mut driver = Self { machine, host, device };
        driver.set(0x070, 0);
        driver.set(0x070, 3);
        for (page, bits) in [(0, features as u32), (1, 1)] {
            driver.set(0x024, page);
            driver.set(0x020, bits);
        }
        driver.set(0x070, 11);
        assert_eq!(driver.get(0x070), 11, "the features are accepted");
        for queue in 0..queues {
            driver.set(0x030, queue as u32);
            driver.set(0x038, SIZE as u32);
            for (register, table) in [(0x080, 0), (0x090, 0x400), (0x0a0, 0x800)] {
                driver.set(register, (Self::queue(device, queue) + table) as u32);
                driver.set(register + 4, 0);
            }
            driver.set(0x044, 1);
        }
        driver.set(0x070, 15);
        driver
    }

    /// Where a queue is: descriptors, then what is offered, then what is used.
    pub fn queue(device: u64, queue: u64) -> u64 {
        QUEUES + 0x1_0000 * device + 0x1000 * queue
    }

    pub fn set(&mut self, register: u64, value: u32) {
        let at = VIRTIO_BASE + VIRTIO_STRIDE * self.device + register;
        self.machine.cpu.devices.store(at, 4, value.into()).unwrap();
    }

    pub fn get(&mut self, register: u64) -> u64 {
        let at = VIRTIO_BASE + VIRTIO_STRIDE * self.device + register;
        self.machine.cpu.devices.load(at, 4).unwrap()
    }

    pub fn put(&mut self, address: u64, size: usize, value: u64) {
        self.machine.cpu.memory.store(address, size, value).unwrap();
    }

    pub fn load(&self, address: u64, size: usize) -> u64 {
        self.machine.cpu.memory.load(address, size).unwrap()
    }

    /// Writes a descriptor.
    pub fn describe(&mut self, queue: u64, index: u64, fields: (u64, u64, u64, u64)) {
        let at = Self::queue(self.device, queue) + 16 * index;
        let (address, size, flags, next) = fields;
        self.put(at, 8, address);
        self.put(at + 8, 4, size);
        self.put(at + 12, 2, flags);
        self.put(at + 14, 2, next);
    }

    /// Offers a chain, rings the bell, and lets the device work.
    pub fn offer(&mut self, queue: u64, head: u64) {
        self.offer_later(queue, head);
        self.work();
    }

    /// Offers a chain and rings the bell.
    pub fn offer_later(&mut self, queue: u64, head: u64) {
        let available = Self::queue(self.device, queue) + 0x400;
        let index = self.load(available + 2, 2);
        self.put(available + 4 + 2 * (index % SIZE), 2, head);
        self.put(available + 2, 2, (index + 1) & 0xffff);
        self.set(0x050, queue as u32);
    }

    pub fn work(&mut self) {
        self.machine.cpu.work(self.host);
    }

    /// Chains given back so far, and the length of the last one.
    pub fn used(&self, queue: u64) -> (u64, u64) {
        let used = Self::queue(self.device, queue) + 0x800;
        let index = self.load(used + 2, 2);
        (index, self.load(used + 4 + 8 * (index.wrapping_sub(1) % SIZE) + 4, 4))
    }

    pub fn broken(&mut self) -> bool {
        self.get(0x070) & 64 != 0
    }

    pub fn fill(&mut self, queue: u64, address: u64, value: u64) {
        let at = Self::queue(self.device, queue) + address;
        self.put(at, 8, value);
    }
}
