//! Our computer in WebAssembly, through the crate that runs it in the product.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use computer::{Computer, Config, Disk, Options, Port, State, Used};
use nix::time::ClockId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;

use crate::images::Images;
use crate::kernel_line::{self, PORT};
use crate::wire::{Clock, Wire, cpu};

/// The threads that computers run on, and what they boot.
pub struct Computers {
    computers: Arc<computer::Computers>,
    kernel: Arc<[u8]>,
    disk: Arc<Disk>,
}

impl Computers {
    /// Loads the module; `compiled` is where its machine code is kept.
    ///
    /// # Errors
    /// An image is not what it should be.
    pub fn start(images: &Images, compiled: &Path) -> Result<Self> {
        let options =
            Options { module: images.module.clone(), compiled: compiled.into(), threads: None };
        Ok(Self {
            computers: computer::Computers::start(&options, || {})?,
            kernel: fs::read(&images.kernel)?.into(),
            disk: Disk::open(&images.disk, &images.disk_sha256)?,
        })
    }
}

/// One computer. Its processor time is that of the whole process, in which nothing else may run meanwhile.
pub struct Wasm {
    began: Duration,
    computer: Computer,
    port: Port,
    runtime: Runtime,
}

impl Wasm {
    /// Switches one on.
    ///
    /// # Errors
    /// It has no port.
    pub fn boot(computers: &Computers, memory: usize) -> Result<Self> {
        let began = cpu(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut computer = computers.computers.boot(Config {
            memory,
            kernel: computers.kernel.clone(),
            arguments: kernel_line::arguments(),
            disk: Some(computers.disk.clone()),
            port: PORT.to_owned(),
            shares: Vec::new(),
        });
        let port = computer.take_port().context("the computer has no port")?;
        Ok(Self { began, computer, port, runtime })
    }

    /// What it used, when the turn that answered us is over: the count is renewed after each turn.
    fn used(&self) -> Used {
        /// Longer than the rest of a turn in which the guest begins to wait.
        const REST: Duration = Duration::from_millis(2);
        let mut last = self.computer.used();
        loop {
            thread::sleep(REST);
            let used = self.computer.used();
            if used == last {
                return used;
            }
            last = used;
        }
    }
}

impl Wire for Wasm {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.runtime.block_on(self.port.write_all(bytes))?)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<()> {
        let read = self.port.read_buf(into);
        let read = async { tokio::time::timeout_at(deadline.into(), read).await };
        match self.runtime.block_on(read) {
            Ok(Ok(1..)) => Ok(()),
            Ok(Ok(0)) => bail!("{}", self.computer.state().borrow().clone()),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => bail!("it was not done in time"),
        }
    }

    fn clock(&self) -> Result<Clock> {
        let cpu = cpu(ClockId::CLOCK_PROCESS_CPUTIME_ID)? - self.began;
        let running = *self.computer.state().borrow() == State::Running;
        let instructions = if running { self.used() } else { self.computer.used() }.instructions;
        Ok(Clock { cpu: Some(cpu), instructions: Some(instructions) })
    }

    fn last_words(&self) -> String {
        self.computer.console_text()
    }
}
