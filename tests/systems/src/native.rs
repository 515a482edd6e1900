//! Our computer as a part of this program, for what WebAssembly costs it. It runs while somebody waits for
//! its answer, and its time passes only then.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use nix::time::ClockId;
use riscv::{Boot, Config, Host, Machine, ReadFailed, Stop};

use crate::images::Images;
use crate::kernel_line::{self, PORT};
use crate::wire::{Clock, Wire, cpu};

/// Instructions between two looks at the clock and at the input, as in `host/computer`.
const SLICE: u64 = 2_000_000;

/// The port's number: the console is 0.
const LINE: usize = 1;

/// A computer that is switched on.
pub struct Native {
    began: Duration,
    machine: Box<Machine>,
    ends: Ends,
    input: Vec<u8>,
}

/// The other ends of its devices.
struct Ends {
    disk: File,
    line: Vec<u8>,
    console: Vec<u8>,
}

impl Host for Ends {
    fn console_output(&mut self, port: usize, bytes: &[u8]) {
        let end = if port == LINE { &mut self.line } else { &mut self.console };
        end.extend_from_slice(bytes);
    }

    fn disk_read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), ReadFailed> {
        self.disk.read_exact_at(into, offset).map_err(|_| ReadFailed)
    }

    fn random(&mut self, into: &mut [u8]) {
        // Without the system's randomness the guest gets none.
        let _ = getrandom::fill(into);
    }
}

impl Native {
    /// Switches one on. It boots when its answer is waited for.
    ///
    /// # Errors
    /// An image cannot be read, or does not fit into memory.
    pub fn boot(images: &Images, memory: usize) -> Result<Self> {
        let began = cpu(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
        let disk = File::open(&images.disk)?;
        let size = disk.metadata()?.len();
        let config =
            Config { memory, size: (80, 25), ports: &[PORT], disk: Some(size), shares: &[] };
        let mut machine = Box::new(Machine::new(&config));
        let mut seed = [0; 64];
        getrandom::fill(&mut seed)?;
        let kernel = fs::read(&images.kernel)?;
        let arguments = kernel_line::arguments();
        let boot = Boot { kernel: &kernel, initrd: None, arguments: &arguments, seed: &seed };
        machine.boot(&boot).map_err(anyhow::Error::msg)?;
        let ends = Ends { disk, line: Vec::new(), console: Vec::new() };
        Ok(Self { began, machine, ends, input: Vec::new() })
    }
}

impl Wire for Native {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.input.extend_from_slice(bytes);
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<()> {
        while self.ends.line.is_empty() {
            ensure!(Instant::now() < deadline, "it was not done in time");
            let taken = self.machine.console_input(LINE, &self.input);
            self.input.drain(..taken);
            match self.machine.run(SLICE, &mut self.ends) {
                Stop::Budget => {}
                Stop::Idle { until: Some(until) } => self.machine.advance_to(until),
                Stop::Idle { until: None } if taken > 0 => {}
                stop => bail!("it ended: {stop:?}"),
            }
        }
        into.append(&mut self.ends.line);
        Ok(())
    }

    fn clock(&self) -> Result<Clock> {
        let cpu = cpu(ClockId::CLOCK_PROCESS_CPUTIME_ID)? - self.began;
        Ok(Clock { cpu: Some(cpu), instructions: Some(self.machine.cpu.hart.steps) })
    }

    fn last_words(&self) -> String {
        String::from_utf8_lossy(&self.ends.console).into_owned()
    }
}
