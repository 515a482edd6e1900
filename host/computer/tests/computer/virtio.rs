//! A driver of virtio devices in a few instructions: enough to hand one buffer over at a time.
//!
//! VIRTIO 1.2, 2.7 (split queues), 3.1.1 (how a driver begins) and 4.2.2 (the registers).

use riscv::devices::{VIRTIO_BASE, VIRTIO_STRIDE};

use crate::asm::*;

const DRIVER_FEATURES: u64 = 0x020;
const DRIVER_FEATURES_PAGE: u64 = 0x024;
const QUEUE: u64 = 0x030;
const QUEUE_SIZE: u64 = 0x038;
const QUEUE_READY: u64 = 0x044;
pub const NOTIFY: u64 = 0x050;
pub const STATUS: u64 = 0x070;
const TABLE: u64 = 0x080;
const DRIVER_RING: u64 = 0x090;
const DEVICE_RING: u64 = 0x0a0;
pub const CONFIG: u64 = 0x100;

/// Where a queue's rings are behind its table: within reach of an instruction's offset.
pub const AVAILABLE: i32 = 0x200;
pub const USED: i32 = 0x400;

/// Flags of a buffer: another follows; the device writes it.
pub const NEXT: u64 = 1;
pub const WRITE: u64 = 2;

/// Bits of the status.
pub const NEEDS_RESET: i32 = 64;
const FOUND: u64 = 3;
const FEATURES: u64 = 8;
const DRIVES: u64 = 4;

/// The feature of every device of today, in the second page of features.
const VERSION_1: u64 = 1;

/// A device on the bus.
#[derive(Clone, Copy)]
pub struct Device(u64);

impl Device {
    pub fn at(slot: u64) -> Self {
        Self(VIRTIO_BASE + slot * VIRTIO_STRIDE)
    }

    pub fn register(self, offset: u64) -> u64 {
        self.0 + offset
    }

    fn set(self, code: &mut Code, register: u64, value: u64) {
        code.li(5, self.register(register)).li(6, value).word(sw(6, 5, 0));
    }

    /// Agrees on these features of the first page.
    pub fn negotiate(self, code: &mut Code, features: u64) {
        self.set(code, STATUS, FOUND);
        for (page, features) in [(0, features), (1, VERSION_1)] {
            self.set(code, DRIVER_FEATURES_PAGE, page);
            self.set(code, DRIVER_FEATURES, features);
        }
        self.set(code, STATUS, FOUND | FEATURES);
    }

    /// A queue whose table is at an address, and its rings behind it.
    pub fn queue(self, code: &mut Code, queue: u64, entries: u64, table: u64) {
        self.set(code, QUEUE, queue);
        self.set(code, QUEUE_SIZE, entries);
        let rings = [(TABLE, 0), (DRIVER_RING, AVAILABLE as u64), (DEVICE_RING, USED as u64)];
        for (register, offset) in rings {
            self.set(code, register, (table + offset) & 0xffff_ffff);
        }
        self.set(code, QUEUE_READY, 1);
    }

    /// The device works from here on.
    pub fn drive(self, code: &mut Code) {
        self.set(code, STATUS, FOUND | FEATURES | DRIVES);
    }

    /// Tells the device of news in a queue.
    pub fn notify(self, code: &mut Code, queue: u64) {
        self.set(code, NOTIFY, queue);
    }
}

/// Describes a buffer in a table; one that another follows has entry 1 for that.
pub fn describe(code: &mut Code, entry: u64, buffer: u64, size: u64, flags: u64) {
    code.li(5, entry).li(6, buffer).word(sd(6, 5, 0));
    code.li(6, size | flags << 32 | (flags & NEXT) << 48).word(sd(6, 5, 8));
}
