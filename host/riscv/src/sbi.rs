//! The firmware that a supervisor calls with `ecall`: the emulator itself.
//!
//! Called by [`crate::Machine`] when the hart leaves with [`crate::cpu::Left::Firmware`]. There is one
//! hart, number 0: calls that address harts act on it or on none.
//!
//! RISC-V Supervisor Binary Interface Specification 2.0: chapters on the base, timer, IPI, RFENCE, hart
//! state, system reset, debug console and legacy extensions. Everything else answers "not supported", as
//! a probe of it answers zero.

use crate::cpu::hart::interrupt;
use crate::host::Host;
use crate::machine::{Machine, Stop};

const A0: usize = 10;
const A1: usize = 11;
const A6: usize = 16;
const A7: usize = 17;

const BASE: u64 = 0x10;
const TIME: u64 = 0x5449_4d45;
const IPI: u64 = 0x73_5049;
const RFENCE: u64 = 0x5246_4e43;
const HSM: u64 = 0x48_534d;
const SRST: u64 = 0x5352_5354;
const DBCN: u64 = 0x4442_434e;
/// Extensions besides the legacy ones, for probes.
const EXTENSIONS: [u64; 7] = [BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN];
/// The last number of the legacy extensions.
const LAST_LEGACY: u64 = 8;

/// Version 2.0.
const VERSION: u64 = 2 << 24;
/// An implementation that is in nobody's list.
const IMPLEMENTATION: u64 = 0x5850;

/// The most bytes of one debug console call; callers go on with the rest.
const MAX_CONSOLE: u64 = 4096;

/// Error codes of the specification's table "Standard SBI Errors".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Error {
    NotSupported,
    InvalidParameter,
    InvalidAddress,
    AlreadyAvailable,
    Denied,
}

impl Error {
    fn code(self) -> u64 {
        let code: i64 = match self {
            Self::NotSupported => -2,
            Self::InvalidParameter => -3,
            Self::Denied => -4,
            Self::InvalidAddress => -5,
            Self::AlreadyAvailable => -6,
        };
        code as u64
    }
}

impl Machine {
    /// Answers the call in the hart's registers. `Some` ends the run.
    pub(crate) fn firmware(&mut self, host: &mut dyn Host) -> Option<Stop> {
        let extension = self.register(A7);
        if extension <= LAST_LEGACY {
            return self.legacy(extension, host);
        }
        let result = match extension {
            SRST => match self.reset_wanted() {
                Ok(stop) => return Some(stop),
                Err(error) => Err(error),
            },
            BASE => self.base(),
            TIME => self.timer(),
            IPI => self.ipi(),
            RFENCE => self.remote_fence(),
            HSM => self.hart_state(),
            DBCN => self.debug_console(host),
            _ => Err(Error::NotSupported),
        };
        let (error, value) = match result {
            Ok(value) => (0, value),
            Err(error) => (error.code(), 0),
        };
        self.set_register(A0, error);
        self.set_register(A1, value);
        None
    }

    fn register(&self, number: usize) -> u64 {
        self.cpu.hart.x[number]
    }

    fn set_register(&mut self, number: usize, value: u64) {
        self.cpu.hart.x[number] = value;
    }

    fn base(&mut self) -> Result<u64, Error> {
        match self.register(A6) {
            0 => Ok(VERSION),
            1 => Ok(IMPLEMENTATION),
            2 => Ok(1),
            3 => {
                let asked = self.register(A0);
                Ok((EXTENSIONS.contains(&asked) || asked <= LAST_LEGACY).into())
            }
            // Vendor, architecture and implementation: not a commercial one.
            4..=6 => Ok(0),
            _ => Err(Error::NotSupported),
        }
    }

    fn timer(&mut self) -> Result<u64, Error> {
        match self.register(A6) {
            0 => {
                self.cpu.hart.stimecmp = self.register(A0);
                Ok(0)
            }
            _ => Err(Error::NotSupported),
        }
    }

    /// Whether a mask of harts names ours. A base of all ones means all harts.
    fn names_us(mask: u64, base: u64) -> Result<bool, Error> {
        match base {
            u64::MAX => Ok(true),
            0 if mask & !1 == 0 => Ok(mask == 1),
            _ if mask == 0 => Ok(false),
            _ => Err(Error::InvalidParameter),
        }
    }

    fn ipi(&mut self) -> Result<u64, Error> {
        if self.register(A6) != 0 {
            return Err(Error::NotSupported);
        }
        if Self::names_us(self.register(A0), self.register(A1))? {
            self.cpu.hart.sip |= interrupt::SOFTWARE;
        }
        Ok(0)
    }

    /// Fences of addresses are done as fences of all: the call is rare with one hart.
    fn remote_fence(&mut self) -> Result<u64, Error> {
        if self.register(A6) > 2 {
            return Err(Error::NotSupported);
        }
        if Self::names_us(self.register(A0), self.register(A1))? {
            self.cpu.flush();
        }
        Ok(0)
    }

    fn hart_state(&mut self) -> Result<u64, Error> {
        let hart = self.register(A0);
        match self.register(A6) {
            0 | 2 if hart != 0 => Err(Error::InvalidParameter),
            0 => Err(Error::AlreadyAvailable),
            // Nobody could ever start the only hart again.
            1 => Err(Error::Denied),
            2 => Ok(0),
            // The default retentive suspension is what `wfi` does.
            3 if hart == 0 => {
                self.wait();
                Ok(0)
            }
            3 => Err(Error::NotSupported),
            _ => Err(Error::NotSupported),
        }
    }

    fn reset_wanted(&mut self) -> Result<Stop, Error> {
        match (self.register(A6), self.register(A0)) {
            (0, 0) => Ok(self.end(Stop::Shutdown)),
            (0, 1 | 2) => Ok(self.end(Stop::Reboot)),
            (0, _) => Err(Error::InvalidParameter),
            _ => Err(Error::NotSupported),
        }
    }

    fn debug_console(&mut self, host: &mut dyn Host) -> Result<u64, Error> {
        let size = self.register(A0).min(MAX_CONSOLE) as usize;
        let address = self.register(A1);
        self.printed += size as u64;
        match self.register(A6) {
            0..=1 if self.register(12) != 0 => Err(Error::InvalidAddress),
            0 => {
                let bytes = self.cpu.memory.get(address, size).ok_or(Error::InvalidAddress)?;
                host.console_output(0, bytes);
                Ok(size as u64)
            }
            1 => {
                self.cpu.memory.offset(address, size).ok_or(Error::InvalidAddress)?;
                let bytes = self.take_console_input(size);
                self.cpu.memory.put(address, &bytes).ok_or(Error::InvalidAddress)?;
                Ok(bytes.len() as u64)
            }
            2 => {
                host.console_output(0, &[self.register(A0) as u8]);
                Ok(0)
            }
            _ => Err(Error::NotSupported),
        }
    }

    /// Legacy calls answer in `a0` alone.
    fn legacy(&mut self, extension: u64, host: &mut dyn Host) -> Option<Stop> {
        let mut answer = 0;
        match extension {
            0 => self.cpu.hart.stimecmp = self.register(A0),
            1 => host.console_output(0, &[self.register(A0) as u8]),
            2 => {
                let byte = self.take_console_input(1).first().copied();
                answer = byte.map_or(u64::MAX, u64::from);
            }
            3 => self.cpu.hart.sip &= !interrupt::SOFTWARE,
            // The mask lies in memory; there is nobody but the caller to interrupt.
            4 => self.cpu.hart.sip |= interrupt::SOFTWARE,
            5..=7 => self.cpu.flush(),
            _ => return Some(self.end(Stop::Shutdown)),
        }
        self.set_register(A0, answer);
        None
    }
}
