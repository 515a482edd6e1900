//! One instance of the module: its functions, as `components/computer/src/lib.rs` lists them.

use std::sync::Weak;

use wasmtime::{Memory, Store, StoreLimitsBuilder, TypedFunc, WasmParams, WasmResults};

use crate::computer::Config;
use crate::disk::Disk;
use crate::imports::{PORT, Side};
use crate::module::Module;
use crate::turns::Task;

/// What a computer needs besides its guest's memory: decoded code (16 MiB), a kernel on its way into
/// memory, tables for each page, buffers of devices.
const OVERHEAD: usize = 96 << 20;

/// The most memory of a guest: it is one array, and 32-bit Rust has none of two GiB.
const MEMORY_MAX: usize = (2 << 30) - 4096;

/// Bytes of input handed in at once: what the device takes.
const INPUT: u32 = 64 << 10;

/// Bytes of randomness for the kernel at each boot: as many as its generator's key has.
const SEED: usize = 32;

/// Columns and rows of the console, which nobody looks at: programs have terminals of their own.
const SIZE: (u32, u32) = (80, 25);

/// What the module's functions call "none": no disk, no timer.
const NONE: u64 = u64::MAX;

/// What `make` and `boot` answer.
mod done {
    pub const OK: u32 = 0;
    pub const TOO_SMALL: u32 = 2;
}

/// The computer cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Whatever a guest does, this must not happen.
    #[error("the machine's computer has a bug: {0}")]
    Bug(String),
    #[error("{0} bytes of memory are too few for the machine's kernel")]
    TooSmall(usize),
    #[error("a machine cannot have {0} bytes of memory; at most {MEMORY_MAX} are possible")]
    TooLarge(usize),
    #[error("there is no randomness to boot a machine with: {0}")]
    NoRandomness(String),
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    Budget,
    /// Until this tick, or until something happens.
    Idle(Option<u64>),
    Shutdown,
    Reboot,
    /// At this address.
    Stuck(u64),
}

struct Functions {
    scratch: TypedFunc<u32, u32>,
    make: TypedFunc<(u32, u32, u32, u64, u32, u32), u32>,
    boot: TypedFunc<(u32, u32, u32, u32), u32>,
    run: TypedFunc<u64, u32>,
    detail: TypedFunc<(), u64>,
    input: TypedFunc<(u32, u32), u32>,
    takes_again: TypedFunc<(), ()>,
    now: TypedFunc<(), u64>,
    advance_to: TypedFunc<u64, ()>,
    instructions: TypedFunc<(), u64>,
}

/// A computer that was booted.
pub struct Instance {
    store: Store<Side>,
    memory: Memory,
    functions: Functions,
    /// Where input is written to.
    scratch: u32,
}

impl Instance {
    /// Makes a computer and loads what it boots. Takes some tens of milliseconds.
    pub fn boot(module: &Module, config: Config, task: Weak<Task>) -> Result<Self, Failure> {
        let memory = u32::try_from(config.memory).ok().filter(|_| config.memory <= MEMORY_MAX);
        let memory = memory.ok_or(Failure::TooLarge(config.memory))?;
        let bytes = config.disk.as_deref().map_or(NONE, Disk::bytes);
        let tags: String = config.shares.iter().map(|share| format!("{}\n", share.tag())).collect();
        let limits = StoreLimitsBuilder::new().memory_size(config.memory + OVERHEAD).build();
        let (disk, shares) = (config.disk, config.shares);
        let side = Side { task, disk, shares, limits, memory: None, panic: None };
        let mut store = Store::new(&module.engine, side);
        store.limiter(|side| &mut side.limits);
        let mut instance = Self::instantiate(module, store).map_err(bug)?;

        let mut seed = [0; SEED];
        getrandom::fill(&mut seed).map_err(|error| Failure::NoRandomness(error.to_string()))?;
        let names = [format!("{}\n", config.port), tags];
        let [ports, shares] = instance.hand_in(names.each_ref().map(String::as_bytes))?;
        let (columns, rows) = SIZE;
        match instance.call(|f| &f.make, (memory, columns, rows, bytes, ports, shares))? {
            done::OK => {}
            code => return Err(Failure::Bug(format!("it cannot be made: {code}"))),
        }
        let parts = [config.kernel.as_ref(), &[], config.arguments.as_bytes(), &seed];
        let [kernel, initrd, arguments, seed] = instance.hand_in(parts)?;
        match instance.call(|f| &f.boot, (kernel, initrd, arguments, seed))? {
            done::OK => {}
            done::TOO_SMALL => return Err(Failure::TooSmall(config.memory)),
            code => return Err(Failure::Bug(format!("it cannot be booted: {code}"))),
        }
        instance.scratch = instance.call(|f| &f.scratch, INPUT)?;
        Ok(instance)
    }

    fn instantiate(module: &Module, mut store: Store<Side>) -> wasmtime::Result<Self> {
        let instance = module.linked.instantiate(&mut store)?;
        let memory = instance.get_memory(&mut store, "memory");
        let memory = memory.ok_or_else(|| wasmtime::Error::msg("it exports no memory"))?;
        let s = &mut store;
        let functions = Functions {
            scratch: instance.get_typed_func(&mut *s, "scratch")?,
            make: instance.get_typed_func(&mut *s, "make")?,
            boot: instance.get_typed_func(&mut *s, "boot")?,
            run: instance.get_typed_func(&mut *s, "run")?,
            detail: instance.get_typed_func(&mut *s, "detail")?,
            input: instance.get_typed_func(&mut *s, "input")?,
            takes_again: instance.get_typed_func(&mut *s, "takes_again")?,
            now: instance.get_typed_func(&mut *s, "now")?,
            advance_to: instance.get_typed_func(&mut *s, "advance_to")?,
            instructions: instance.get_typed_func(&mut *s, "instructions")?,
        };
        store.data_mut().memory = Some(memory);
        Ok(Self { store, memory, functions, scratch: 0 })
    }

    /// Calls a function of the module. It returns soon, whatever the guest does.
    fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        function: impl FnOnce(&Functions) -> &TypedFunc<P, R>,
        parameters: P,
    ) -> Result<R, Failure> {
        let result = function(&self.functions).call(&mut self.store, parameters);
        result.map_err(|error| match self.store.data_mut().panic.take() {
            Some(text) => Failure::Bug(text),
            None => bug(error),
        })
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.memory.write(&mut self.store, address as usize, bytes);
        written.map_err(|_| Failure::Bug("its scratch lies outside of its memory".into()))
    }

    /// Puts parts into the scratch, one behind the other; returns their sizes.
    fn hand_in<const N: usize>(&mut self, parts: [&[u8]; N]) -> Result<[u32; N], Failure> {
        let sizes = parts.map(|part| u32::try_from(part.len()).unwrap_or(u32::MAX));
        let total = sizes.iter().try_fold(0u32, |sum, size| sum.checked_add(*size));
        let total = total.ok_or(Failure::TooLarge(parts.iter().map(|part| part.len()).sum()))?;
        let mut address = self.call(|f| &f.scratch, total)?;
        for (part, size) in parts.iter().zip(sizes) {
            self.write(address, part)?;
            address += size;
        }
        Ok(sizes)
    }

    /// Runs until something happens, at most about `budget` instructions.
    pub fn run(&mut self, budget: u64) -> Result<Stop, Failure> {
        let code = self.call(|f| &f.run, budget)?;
        let detail = self.call(|f| &f.detail, ())?;
        Ok(match code {
            0 => Stop::Budget,
            1 => Stop::Idle((detail != NONE).then_some(detail)),
            2 => Stop::Shutdown,
            3 => Stop::Reboot,
            4 => Stop::Stuck(detail),
            code => return Err(Failure::Bug(format!("it stopped for no known reason: {code}"))),
        })
    }

    /// Input for the port; returns how many bytes were taken.
    pub fn input(&mut self, bytes: &[u8]) -> Result<usize, Failure> {
        let offered = bytes.len().min(INPUT as usize);
        self.write(self.scratch, &bytes[..offered])?;
        let taken = self.call(|f| &f.input, (PORT, offered as u32))?;
        Ok(offered.min(taken as usize))
    }

    /// The host takes output of the port again.
    pub fn takes_again(&mut self) -> Result<(), Failure> {
        self.call(|f| &f.takes_again, ())
    }

    /// Virtual time in ticks.
    pub fn now(&mut self) -> Result<u64, Failure> {
        self.call(|f| &f.now, ())
    }

    /// Lets time pass.
    pub fn advance_to(&mut self, ticks: u64) -> Result<(), Failure> {
        self.call(|f| &f.advance_to, ticks)
    }

    /// Instructions since it was made.
    pub fn instructions(&mut self) -> Result<u64, Failure> {
        self.call(|f| &f.instructions, ())
    }
}

fn bug(error: wasmtime::Error) -> Failure {
    Failure::Bug(format!("{error:#}"))
}
