//! The functions that the host calls; the crate's header lists them.

use alloc::vec;
use alloc::vec::Vec;

use riscv::{Boot, Config, Machine, Stop};

use crate::host::Imported;
use crate::state::{with, with_machine};

/// Answers of [`make`] and [`boot`].
mod done {
    pub const OK: u32 = 0;
    /// Sizes or texts that do not fit the scratch, or no computer yet.
    pub const INVALID: u32 = 1;
    /// The computer's memory is too small for what is booted.
    pub const TOO_SMALL: u32 = 2;
}

/// Answers of [`run`].
mod stop {
    pub const BUDGET: u32 = 0;
    pub const IDLE: u32 = 1;
    pub const SHUTDOWN: u32 = 2;
    pub const REBOOT: u32 = 3;
    pub const STUCK: u32 = 4;
    /// There is no computer.
    pub const NONE: u32 = 5;
}

/// An idle computer that nothing but input wakes.
const NEVER: u64 = u64::MAX;

/// A computer without a disk.
const NO_DISK: u64 = u64::MAX;

#[unsafe(no_mangle)]
pub extern "C" fn scratch(size: usize) -> *mut u8 {
    with(|state| {
        // The old one goes first: both together may be more than there is.
        state.scratch = Vec::new();
        state.scratch = vec![0; size];
        state.scratch.as_mut_ptr()
    })
}

/// `ports` and `shares` are sizes of texts in the scratch, in this order: the names of the console's ports
/// after the first, and the tags of the shares, each with a line break behind it.
#[unsafe(no_mangle)]
pub extern "C" fn make(
    memory: usize,
    columns: u32,
    rows: u32,
    disk: u64,
    ports: usize,
    shares: usize,
) -> u32 {
    with(|state| {
        let (Some((ports, shares)), Ok(columns), Ok(rows)) =
            (texts(&state.scratch, ports, shares), u16::try_from(columns), u16::try_from(rows))
        else {
            return done::INVALID;
        };
        let (ports, shares): (Vec<&str>, Vec<&str>) =
            (ports.lines().collect(), shares.lines().collect());
        let disk = (disk != NO_DISK).then_some(disk);
        let config = Config { memory, size: (columns, rows), ports: &ports, disk, shares: &shares };
        state.machine = Some(Machine::new(&config));
        done::OK
    })
}

/// Two texts, one behind the other.
fn texts(scratch: &[u8], first: usize, second: usize) -> Option<(&str, &str)> {
    let (first, rest) = scratch.split_at_checked(first)?;
    let second = rest.get(..second)?;
    Some((core::str::from_utf8(first).ok()?, core::str::from_utf8(second).ok()?))
}

/// Without an initial file system its size is 0. The scratch is free afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn boot(kernel: usize, initrd: usize, arguments: usize, seed: usize) -> u32 {
    with(|state| {
        let scratch = core::mem::take(&mut state.scratch);
        let mut rest = scratch.as_slice();
        let mut next = |size: usize| {
            let (part, after) = rest.split_at_checked(size)?;
            rest = after;
            Some(part)
        };
        let parts = (|| Some((next(kernel)?, next(initrd)?, next(arguments)?, next(seed)?)))();
        let (Some(machine), Some((kernel, initrd, arguments, seed))) = (&mut state.machine, parts)
        else {
            return done::INVALID;
        };
        let Ok(arguments) = core::str::from_utf8(arguments) else { return done::INVALID };
        let initrd = (!initrd.is_empty()).then_some(initrd);
        match machine.boot(&Boot { kernel, initrd, arguments, seed }) {
            Ok(()) => done::OK,
            Err(_) => done::TOO_SMALL,
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn run(budget: u64) -> u32 {
    with(|state| {
        let Some(machine) = &mut state.machine else { return stop::NONE };
        let (code, detail) = match machine.run(budget, &mut Imported) {
            Stop::Budget => (stop::BUDGET, 0),
            Stop::Idle { until } => (stop::IDLE, until.unwrap_or(NEVER)),
            Stop::Shutdown => (stop::SHUTDOWN, 0),
            Stop::Reboot => (stop::REBOOT, 0),
            Stop::Stuck { handler } => (stop::STUCK, handler),
        };
        state.detail = detail;
        code
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn detail() -> u64 {
    with(|state| state.detail)
}

/// Bytes beyond the scratch are none.
#[unsafe(no_mangle)]
pub extern "C" fn input(port: u32, size: usize) -> usize {
    with(|state| match (&mut state.machine, state.scratch.get(..size)) {
        (Some(machine), Some(bytes)) => machine.console_input(port as usize, bytes),
        _ => 0,
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn takes_again() {
    with_machine(Machine::console_takes_again);
}

#[unsafe(no_mangle)]
pub extern "C" fn resize(columns: u32, rows: u32) {
    with_machine(|machine| {
        if let (Ok(columns), Ok(rows)) = (u16::try_from(columns), u16::try_from(rows)) {
            machine.console_resize(columns, rows);
        }
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn is_open(port: u32) -> u32 {
    with_machine(|machine| machine.console_is_open(port as usize).into())
}

#[unsafe(no_mangle)]
pub extern "C" fn now() -> u64 {
    with_machine(|machine| machine.time())
}

#[unsafe(no_mangle)]
pub extern "C" fn advance_to(ticks: u64) {
    with_machine(|machine| machine.advance_to(ticks));
}

#[unsafe(no_mangle)]
pub extern "C" fn instructions() -> u64 {
    with_machine(|machine| machine.cpu.hart.steps)
}
