//! QEMU's whole system, with the devices that our computer has.

use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use nix::time::ClockId;

use crate::images::Images;
use crate::kernel_line::{self, PORT};
use crate::piped::Piped;
use crate::wire::{Clock, Wire, cpu};

const PROGRAM: &str = "qemu-system-riscv64";

/// A system that is switched on.
pub struct Qemu(Piped);

impl Qemu {
    /// Switches one on.
    ///
    /// # Errors
    /// QEMU cannot be started.
    pub fn boot(images: &Images, memory: usize) -> Result<Self> {
        let mut command = Command::new(PROGRAM);
        command
            .args(["-machine", "virt", "-m", &format!("{}M", memory >> 20), "-smp", "1"])
            .args(["-nodefaults", "-display", "none", "-no-reboot"])
            .arg("-kernel")
            .arg(&images.kernel)
            .args(["-append", &kernel_line::arguments()])
            .arg("-drive")
            .arg(format!("if=none,id=root,format=raw,readonly=on,file={}", images.disk.display()))
            .args(["-device", "virtio-blk-device,drive=root", "-device", "virtio-rng-device"])
            .args(["-device", "virtio-serial-device"])
            .args(["-chardev", "file,id=console,path=/dev/stderr"])
            .args(["-device", "virtconsole,chardev=console"])
            .args(["-chardev", "stdio,id=line,signal=off"])
            .args(["-device", &format!("virtserialport,chardev=line,name={PORT}")]);
        Ok(Self(Piped::start(&mut command)?))
    }
}

impl Wire for Qemu {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.send(bytes)
    }

    fn receive(&mut self, into: &mut Vec<u8>, deadline: Instant) -> Result<()> {
        self.0.receive(into, deadline)
    }

    fn clock(&self) -> Result<Clock> {
        let cpu = cpu(ClockId::pid_cpu_clock_id(self.0.id())?)?;
        Ok(Clock { cpu: Some(cpu), instructions: None })
    }

    fn last_words(&self) -> String {
        self.0.last_words()
    }
}
