//! Virtio devices on a memory-mapped bus: the registers that all of them share.
//!
//! Reached through [`super::Devices`]. A [`Slot`] is the transport (registers, queues, features, status)
//! around a [`Model`], which is what the device does. A store to a register never does a device's work:
//! it makes a note of it, and [`Slot::work`] does it when [`crate::Machine`] says so, with the host at
//! hand.
//!
//! Virtual I/O Device (VIRTIO) Version 1.2, sections 2 (basic facilities) and 4.2 (virtio over MMIO,
//! version 2 only; legacy devices are not implemented).

pub mod block;
pub mod console;
pub mod p9;
pub mod queue;
pub mod rng;

use crate::host::Host;
use crate::memory::Memory;
use alloc::vec;
use alloc::vec::Vec;
use block::Block;
use console::Console;
use p9::Share;
use queue::{Broken, Chain, Queue};
use rng::Rng;

/// Feature bit 32: a device of version 1, which every driver must accept here.
pub const VERSION_1: u64 = 1 << 32;

const MAGIC: u64 = 0x7472_6976;
const VERSION: u64 = 2;
/// "XPRS" in ASCII: the vendor register is ours to choose.
const VENDOR: u64 = 0x5352_5058;

/// Device status bits.
mod status {
    pub const FEATURES_OK: u32 = 8;
    pub const DRIVER_OK: u32 = 4;
    pub const NEEDS_RESET: u32 = 64;
}

/// What reading a descriptor counts for, in bytes moved: about as long as copying that many takes.
const DESCRIPTOR_BYTES: u64 = 256;

/// What a device does at once, in bytes moved: a request more is begun only below this. The rest is done
/// when what was done is paid for, so that no guest can make a run longer than its budget by much, with
/// chains of a few MiB in every entry of every queue. That takes milliseconds: up to fourteen, natively,
/// where requests are copied; the same queues done at once took ten to fifty times as long.
const MAX_MOVED: u64 = 8 << 20;

const INTERRUPT_QUEUE: u32 = 1;
const INTERRUPT_CONFIG: u32 = 2;

/// Where a device's own configuration begins.
const CONFIG: u64 = 0x100;

/// What a device does.
#[derive(Clone, Debug)]
pub enum Model {
    /// Terminals.
    Console(Console),
    /// A read-only disk.
    Block(Block),
    /// Randomness.
    Rng(Rng),
    /// A folder of the host.
    Share(Share),
}

impl Model {
    fn id(&self) -> u32 {
        match self {
            Self::Console(_) => console::ID,
            Self::Block(_) => block::ID,
            Self::Rng(_) => rng::ID,
            Self::Share(_) => p9::ID,
        }
    }

    fn features(&self) -> u64 {
        VERSION_1
            | match self {
                Self::Console(_) => console::FEATURES,
                Self::Block(_) => block::FEATURES,
                Self::Rng(_) => 0,
                Self::Share(_) => p9::FEATURES,
            }
    }

    fn queues(&self) -> usize {
        match self {
            Self::Console(console) => console.queues(),
            Self::Block(_) | Self::Rng(_) | Self::Share(_) => 1,
        }
    }

    fn config(&self) -> Vec<u8> {
        match self {
            Self::Console(console) => console.config(),
            Self::Block(block) => block.config(),
            Self::Rng(_) => Vec::new(),
            Self::Share(share) => share.config(),
        }
    }

    fn reset(&mut self) {
        if let Self::Console(console) = self {
            console.reset();
        }
    }
}

/// What a model sees of its transport while it works.
pub struct Work<'a> {
    queues: &'a mut [Queue],
    /// The guest's memory.
    pub memory: &'a mut Memory,
    /// The host.
    pub host: &'a mut dyn Host,
    /// Features that the driver accepted.
    pub features: u64,
    /// What was done so far, in bytes moved.
    pub moved: u64,
    /// There is more to do, but not now.
    unfinished: bool,
}

impl Work<'_> {
    /// The next request of a queue, if one waits, and if not enough was done already.
    fn next(&mut self, queue: usize) -> Result<Option<Chain>, Broken> {
        let Some(queue) = self.queues.get_mut(queue) else { return Ok(None) };
        if self.moved >= MAX_MOVED {
            self.unfinished = true;
            return Ok(None);
        }
        let chain = queue.next(self.memory);
        self.moved += queue.take_walked() * DESCRIPTOR_BYTES;
        chain
    }

    /// Gives a request back with that many bytes written.
    fn finish(&mut self, queue: usize, chain: &Chain, written: usize) -> Result<(), Broken> {
        let queue = self.queues.get_mut(queue).ok_or(Broken)?;
        queue.finish(self.memory, chain, written)
    }
}

/// A device in its place.
#[derive(Clone, Debug)]
pub struct Slot {
    /// What it does.
    pub model: Model,
    queues: Vec<Queue>,
    selected_queue: usize,
    device_features_page: u32,
    driver_features_page: u32,
    driver_features: u64,
    status: u32,
    interrupt: u32,
    generation: u32,
    /// Something happened that the model has not looked at.
    notified: bool,
}

impl Slot {
    /// A device that no driver has found yet.
    pub fn new(model: Model) -> Self {
        let queues = vec![Queue::default(); model.queues()];
        Self {
            model,
            queues,
            selected_queue: 0,
            device_features_page: 0,
            driver_features_page: 0,
            driver_features: 0,
            status: 0,
            interrupt: 0,
            generation: 0,
            notified: false,
        }
    }

    /// Whether the device asserts its line.
    pub fn interrupting(&self) -> bool {
        self.interrupt != 0
    }

    /// Whether it has something to do that it can do.
    pub fn has_work(&self) -> bool {
        self.notified && self.alive()
    }

    /// The host changed the model's state: it has something to do.
    pub fn notify(&mut self) {
        self.notified = true;
    }

    /// The host changed the model's configuration.
    pub fn config_changed(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        if self.status & status::DRIVER_OK != 0 {
            self.interrupt |= INTERRUPT_CONFIG;
        }
    }

    /// Reads a register, or the device's configuration.
    pub fn load(&mut self, offset: u64, size: usize) -> Option<u64> {
        if offset >= CONFIG {
            let config = self.model.config();
            let at = (offset - CONFIG) as usize;
            let mut value = [0; 8];
            // Behind the end there are zeros.
            for (to, from) in value.iter_mut().take(size).zip(config.iter().skip(at)) {
                *to = *from;
            }
            return Some(u64::from_le_bytes(value));
        }
        if size != 4 || !offset.is_multiple_of(4) {
            return None;
        }
        let queue = self.queues.get(self.selected_queue);
        Some(match offset {
            0x000 => MAGIC,
            0x004 => VERSION,
            0x008 => self.model.id().into(),
            0x00c => VENDOR,
            0x010 => match self.device_features_page {
                0 => self.model.features() & 0xffff_ffff,
                1 => self.model.features() >> 32,
                _ => 0,
            },
            0x034 => queue.map_or(0, |_| queue::MAX_SIZE.into()),
            0x044 => queue.is_some_and(|queue| queue.ready).into(),
            0x060 => self.interrupt.into(),
            0x070 => self.status.into(),
            0x0fc => self.generation.into(),
            _ => 0,
        })
    }

    /// Writes a register. A device's configuration is read-only here: the emergency write of consoles is
    /// not offered.
    pub fn store(&mut self, offset: u64, size: usize, value: u64) -> Option<()> {
        if offset >= CONFIG {
            return Some(());
        }
        if size != 4 || !offset.is_multiple_of(4) {
            return None;
        }
        let value = value as u32;
        match offset {
            0x014 => self.device_features_page = value,
            0x020 => self.accept_features(value),
            0x024 => self.driver_features_page = value,
            0x030 => self.selected_queue = value as usize,
            0x050 => self.notified = true,
            0x064 => self.interrupt &= !value,
            0x070 => self.set_status(value),
            _ => {
                if let Some(queue) = self.queues.get_mut(self.selected_queue) {
                    queue.configure(offset, value);
                }
            }
        }
        Some(())
    }

    fn accept_features(&mut self, value: u32) {
        if self.status & status::FEATURES_OK != 0 {
            return;
        }
        let value = u64::from(value);
        match self.driver_features_page {
            0 => self.driver_features = self.driver_features & !0xffff_ffff | value,
            1 => self.driver_features = self.driver_features & 0xffff_ffff | value << 32,
            _ => {}
        }
    }

    fn set_status(&mut self, value: u32) {
        if value == 0 {
            return self.reset();
        }
        let mut value = value | self.status & status::NEEDS_RESET;
        let unknown = self.driver_features & !self.model.features() != 0;
        if unknown || self.driver_features & VERSION_1 == 0 {
            value &= !(status::FEATURES_OK | status::DRIVER_OK);
        }
        self.status = value;
        self.notified = true;
    }

    fn reset(&mut self) {
        let generation = self.generation;
        self.model.reset();
        let model = core::mem::replace(&mut self.model, Model::Rng(Rng));
        *self = Self { generation, ..Self::new(model) };
    }

    /// Works on what is in the queues. A guest that breaks the rules of a queue breaks its device: it must
    /// reset it. Returns how many bytes were moved.
    pub fn work(&mut self, memory: &mut Memory, host: &mut dyn Host) -> u64 {
        if !core::mem::take(&mut self.notified) || !self.alive() {
            return 0;
        }
        let features = self.driver_features;
        let queues = &mut self.queues;
        let mut work = Work { queues, memory, host, features, moved: 0, unfinished: false };
        let result = match &mut self.model {
            Model::Console(console) => console.work(&mut work),
            Model::Block(block) => block.work(&mut work),
            Model::Rng(rng) => rng.work(&mut work),
            Model::Share(share) => share.work(&mut work),
        };
        let moved = work.moved;
        self.notified = work.unfinished;
        if self.queues.iter_mut().any(Queue::take_interrupt) {
            self.interrupt |= INTERRUPT_QUEUE;
        }
        if let Err(Broken) = result {
            self.status |= status::NEEDS_RESET;
            self.interrupt |= INTERRUPT_CONFIG;
        }
        moved
    }

    fn alive(&self) -> bool {
        self.status & status::DRIVER_OK != 0 && self.status & status::NEEDS_RESET == 0
    }
}
