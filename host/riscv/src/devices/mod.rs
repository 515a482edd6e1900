//! The physical address space besides memory: where each device is, and which interrupt is its.
//!
//! Reached by the hart's loads and stores that are not memory, and by [`crate::Machine`], which lets
//! devices work between two instructions. An access that no device answers is `None`: an access fault of
//! the guest.

pub mod plic;
pub mod virtio;

use crate::host::Host;
use crate::memory::Memory;
use alloc::vec::Vec;
use plic::Plic;
use virtio::{Model, Slot};

/// Where the interrupt controller is, as on QEMU's `virt` machine.
pub const PLIC_BASE: u64 = 0x0c00_0000;

/// Where the first virtio device is; each has a page.
pub const VIRTIO_BASE: u64 = 0x1000_1000;

/// Bytes between two virtio devices, and of the registers of each.
pub const VIRTIO_STRIDE: u64 = 0x1000;

/// The interrupt of the first virtio device; the others follow.
pub const FIRST_INTERRUPT: u32 = 1;

/// All devices.
#[derive(Clone, Debug)]
pub struct Devices {
    plic: Plic,
    slots: Vec<Slot>,
}

impl Devices {
    /// These virtio devices, in the order of their slots. More than the interrupt controller has lines
    /// for are left out.
    pub fn new(models: Vec<Model>) -> Self {
        let lines = plic::SOURCES - FIRST_INTERRUPT as usize;
        let slots = models.into_iter().take(lines).map(Slot::new).collect();
        Self { plic: Plic::default(), slots }
    }

    /// How many virtio devices there are.
    pub fn count(&self) -> usize {
        self.slots.len()
    }

    /// A device register.
    pub fn load(&mut self, address: u64, size: usize) -> Option<u64> {
        if let Some(offset) = within(address, PLIC_BASE, plic::SIZE) {
            return self.plic.load(offset, size);
        }
        let (slot, offset) = self.slot(address)?;
        self.slots[slot].load(offset, size)
    }

    /// Writes a device register.
    pub fn store(&mut self, address: u64, size: usize, value: u64) -> Option<()> {
        if let Some(offset) = within(address, PLIC_BASE, plic::SIZE) {
            return self.plic.store(offset, size, value);
        }
        let (slot, offset) = self.slot(address)?;
        self.slots[slot].store(offset, size, value)?;
        self.update_interrupts();
        Some(())
    }

    fn slot(&self, address: u64) -> Option<(usize, u64)> {
        let size = VIRTIO_STRIDE * self.slots.len() as u64;
        let offset = within(address, VIRTIO_BASE, size)?;
        Some(((offset / VIRTIO_STRIDE) as usize, offset % VIRTIO_STRIDE))
    }

    /// Lets every device that has something to do do it. Returns how many bytes were moved.
    pub fn work(&mut self, memory: &mut Memory, host: &mut dyn Host) -> u64 {
        let moved = self.slots.iter_mut().map(|slot| slot.work(memory, host)).sum();
        self.update_interrupts();
        moved
    }

    /// Whether a device has something to do that it can do.
    pub fn have_work(&self) -> bool {
        self.slots.iter().any(Slot::has_work)
    }

    /// Whether the external interrupt of the hart is pending.
    pub fn interrupting(&self) -> bool {
        self.plic.interrupting()
    }

    /// The virtio devices.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The virtio devices, to hand in input.
    pub fn slots_mut(&mut self) -> &mut [Slot] {
        &mut self.slots
    }

    fn update_interrupts(&mut self) {
        for (i, slot) in self.slots.iter().enumerate() {
            self.plic.set_level(FIRST_INTERRUPT as usize + i, slot.interrupting());
        }
    }
}

fn within(address: u64, base: u64, size: u64) -> Option<u64> {
    address.checked_sub(base).filter(|&offset| offset < size)
}
