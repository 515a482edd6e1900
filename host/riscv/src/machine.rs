//! The machine as its host sees it: made, loaded, booted, run in slices, fed with input.
//!
//! Between two calls nothing is running and nothing is remembered elsewhere: a copy of this value is a
//! copy of the computer.

use crate::cpu::trap::Mode;
use crate::cpu::{Cpu, Left};
use crate::devices::Devices;
use crate::devices::virtio::block::Block;
use crate::devices::virtio::console::Console;
use crate::devices::virtio::p9::Share;
use crate::devices::virtio::rng::Rng;
use crate::devices::virtio::{Model, Slot};
use crate::host::Host;
use crate::memory::{BASE, Memory};
use crate::tree::{self, Described};
use alloc::vec;
use alloc::vec::Vec;

/// What a machine is made of.
#[derive(Clone, Debug)]
pub struct Config<'a> {
    /// Bytes of memory, rounded down to pages.
    pub memory: usize,
    /// Columns and rows of the console.
    pub size: (u16, u16),
    /// Names of the console's ports after port 0.
    pub ports: &'a [&'a str],
    /// Bytes of the disk; none without one.
    pub disk: Option<u64>,
    /// Tags of folders of the host, which a guest mounts them by.
    pub shares: &'a [&'a str],
}

/// What is booted.
#[derive(Clone, Debug)]
pub struct Boot<'a> {
    /// A Linux `Image`, not compressed, or any other program for the address that it is put at.
    pub kernel: &'a [u8],
    /// An initial file system.
    pub initrd: Option<&'a [u8]>,
    /// The command line.
    pub arguments: &'a str,
    /// Randomness for the kernel: 32 bytes or more, different for every boot.
    pub seed: &'a [u8],
}

/// Memory is too small for what is booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootError;

impl core::fmt::Display for BootError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("kernel and initial file system do not fit into memory")
    }
}

impl core::error::Error for BootError {}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The budget is used up.
    Budget,
    /// The guest waits: for input, or for this time (in ticks, see [`Machine::advance_to`]).
    Idle {
        /// When its timer would wake it.
        until: Option<u64>,
    },
    /// The guest switched the machine off. Every later run answers the same.
    Shutdown,
    /// The guest wants a reboot: a new machine, booted. Every later run answers the same.
    Reboot,
    /// The guest can do nothing any more: its trap handler cannot be fetched, and trying traps.
    Stuck {
        /// Where the handler would be.
        handler: u64,
    },
}

/// Where a kernel is put: two MiB into memory, as the RISC-V boot image format wants it aligned.
const KERNEL: u64 = BASE + (2 << 20);

/// Room for the device tree at the end of memory.
const TREE_ROOM: u64 = 64 << 10;

/// Where the header of a Linux image says how much memory the kernel takes (Linux, "Boot image header in
/// RISC-V Linux"), and what marks such a header.
const IMAGE_SIZE: core::ops::Range<usize> = 16..24;
const IMAGE_MAGIC: core::ops::Range<usize> = 56..60;

/// Bytes that a device moves in the time of an instruction: what a guest makes devices do is paid for out
/// of the same budget as what it computes.
const BYTES_PER_STEP: u64 = 16;

/// Bytes of memory that a kernel takes: what it says, if it is a Linux image, or what it is.
fn image_size(kernel: &[u8]) -> u64 {
    let size = kernel.len() as u64;
    match (kernel.get(IMAGE_MAGIC), kernel.get(IMAGE_SIZE).and_then(|b| b.try_into().ok())) {
        (Some(b"RSC\x05"), Some(declared)) => size.max(u64::from_le_bytes(declared)),
        _ => size,
    }
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The hart, memory and devices.
    pub cpu: Cpu,
    waiting: bool,
    ended: Option<Stop>,
    /// Bytes that the firmware's console moved and that are not paid for yet.
    pub(crate) printed: u64,
}

impl Machine {
    /// A machine that is switched on, with nothing in memory.
    pub fn new(config: &Config<'_>) -> Self {
        let (columns, rows) = config.size;
        let mut models =
            vec![Model::Console(Console::new(columns, rows, config.ports)), Model::Rng(Rng)];
        models.extend(config.disk.map(|bytes| Model::Block(Block::new(bytes))));
        let shares = config.shares.iter().enumerate();
        models.extend(shares.map(|(index, tag)| Model::Share(Share::new(index, tag))));
        let cpu = Cpu::new(Memory::new(config.memory), Devices::new(models));
        Self { cpu, waiting: false, ended: None, printed: 0 }
    }

    /// Copies bytes to a physical address; `None` if they do not fit into memory there.
    pub fn load(&mut self, address: u64, bytes: &[u8]) -> Option<()> {
        self.cpu.memory.put(address, bytes)
    }

    /// Starts the hart in supervisor mode at `pc`, with hart number and device tree in `a0` and `a1`, as
    /// the firmware of a RISC-V system does.
    pub fn start(&mut self, pc: u64, tree: u64) {
        self.cpu.hart = crate::cpu::hart::Hart::new(pc & !1);
        self.cpu.hart.x[11] = tree;
        // User mode may read the counters until a kernel says otherwise: Linux without a performance
        // monitor leaves that to the firmware, and its vDSO reads `time`.
        self.cpu.hart.scounteren = 7;
        self.cpu.flush();
        (self.waiting, self.ended) = (false, None);
    }

    /// Loads a kernel, what it needs, and a device tree, and starts it.
    ///
    /// # Errors
    /// Memory is too small.
    pub fn boot(&mut self, boot: &Boot<'_>) -> Result<(), BootError> {
        let memory = self.cpu.memory.size();
        let tree_at = (BASE + memory).checked_sub(TREE_ROOM).ok_or(BootError)?;
        let initrd = boot.initrd.map(|initrd| {
            let size = initrd.len() as u64;
            let at = tree_at.checked_sub(size).ok_or(BootError)? & !4095;
            Ok((at, size))
        });
        let initrd = initrd.transpose()?;
        let kernel_size = image_size(boot.kernel);
        let limit = initrd.map_or(tree_at, |(at, _)| at);
        if KERNEL.checked_add(kernel_size).is_none_or(|end| end > limit) {
            return Err(BootError);
        }
        let tree = tree::write(&Described {
            memory,
            devices: self.cpu.devices.count(),
            arguments: boot.arguments,
            initrd,
            seed: boot.seed,
        });
        if tree.len() as u64 > TREE_ROOM {
            return Err(BootError);
        }
        self.load(KERNEL, boot.kernel).ok_or(BootError)?;
        if let (Some((at, _)), Some(bytes)) = (initrd, boot.initrd) {
            self.load(at, bytes).ok_or(BootError)?;
        }
        self.load(tree_at, &tree).ok_or(BootError)?;
        self.start(KERNEL, tree_at);
        Ok(())
    }

    /// Runs until something in [`Stop`] happens, and starts at most `budget` instructions. Devices work
    /// first, out of the same budget; the last of it may go over by one round of each device's work, and
    /// what they have left is done by the next call.
    pub fn run(&mut self, budget: u64, host: &mut dyn Host) -> Stop {
        let mut left = budget;
        loop {
            if let Some(end) = self.ended {
                return end;
            }
            let moved = self.cpu.work(host) + core::mem::take(&mut self.printed);
            let paid = moved / BYTES_PER_STEP + self.cpu.take_owed();
            self.cpu.hart.steps += paid;
            left = left.saturating_sub(paid);
            if self.cpu.devices.have_work() {
                // It was too much for once: the rest comes out of the same budget.
                if left == 0 {
                    return Stop::Budget;
                }
                continue;
            }
            if self.waiting {
                if self.cpu.hart.pending() & self.cpu.hart.sie == 0 {
                    return Stop::Idle { until: self.wakes_at() };
                }
                self.waiting = false;
            }
            if left == 0 {
                return Stop::Budget;
            }
            let before = self.cpu.hart.steps;
            let why = self.cpu.run(left.min(self.cpu.hart.steps_to_timer()));
            left = left.saturating_sub(self.cpu.hart.steps - before);
            match why {
                Left::Budget | Left::Recheck | Left::Device => {}
                Left::Idle => self.wait(),
                Left::Firmware => {
                    if let Some(stop) = self.firmware(host) {
                        return stop;
                    }
                }
                Left::Stuck => {
                    let handler = self.cpu.hart.pc;
                    return self.end(Stop::Stuck { handler });
                }
            }
        }
    }

    /// When the guest's timer would wake it, if that is enabled and set.
    fn wakes_at(&self) -> Option<u64> {
        let hart = &self.cpu.hart;
        let enabled = hart.sie & crate::cpu::hart::interrupt::TIMER != 0;
        (enabled && hart.stimecmp != u64::MAX).then_some(hart.stimecmp)
    }

    pub(crate) fn wait(&mut self) {
        self.waiting = true;
    }

    pub(crate) fn end(&mut self, stop: Stop) -> Stop {
        self.ended = Some(stop);
        stop
    }

    /// Virtual time in ticks of which there are [`crate::TICKS_PER_SECOND`].
    pub fn time(&self) -> u64 {
        self.cpu.hart.time()
    }

    /// Lets time pass while the guest is idle. Time never goes back: an earlier time changes nothing.
    pub fn advance_to(&mut self, time: u64) {
        let ahead = time.saturating_sub(self.time());
        let idle = &mut self.cpu.hart.idle_ticks;
        *idle = idle.saturating_add(ahead);
    }

    /// Hands in input for a port of the console; returns how many bytes were taken. The rest must be
    /// offered again after the guest ran.
    pub fn console_input(&mut self, port: usize, bytes: &[u8]) -> usize {
        self.with_console(|slot, console| {
            let taken = console.input(port, bytes);
            if taken != 0 {
                *slot = true;
            }
            taken
        })
    }

    /// The host takes output of the console again: what waited for that is done in the next run.
    pub fn console_takes_again(&mut self) {
        self.with_console(|notify, _| *notify = true);
    }

    /// Changes the size of the console.
    pub fn console_resize(&mut self, columns: u16, rows: u16) {
        self.with_console(|notify, console| {
            console.resize(columns, rows);
            *notify = true;
        });
        if let Some(slot) = self.console_slot() {
            slot.config_changed();
        }
    }

    /// Whether a program of the guest has a port of the console open.
    pub fn console_is_open(&self, port: usize) -> bool {
        self.cpu
            .devices
            .slots()
            .iter()
            .any(|slot| matches!(&slot.model, Model::Console(console) if console.is_open(port)))
    }

    pub(crate) fn take_console_input(&mut self, size: usize) -> Vec<u8> {
        self.with_console(|_, console| console.take(size))
    }

    fn console_slot(&mut self) -> Option<&mut Slot> {
        let slots = self.cpu.devices.slots_mut();
        slots.iter_mut().find(|slot| matches!(slot.model, Model::Console(_)))
    }

    fn with_console<R: Default>(&mut self, act: impl FnOnce(&mut bool, &mut Console) -> R) -> R {
        let Some(slot) = self.console_slot() else { return R::default() };
        let Model::Console(console) = &mut slot.model else { return R::default() };
        let mut notify = false;
        let result = act(&mut notify, console);
        if notify {
            slot.notify();
        }
        result
    }

    /// Whether the hart is in user mode: for tests and profiles.
    pub fn in_user_mode(&self) -> bool {
        self.cpu.hart.mode == Mode::User
    }
}
