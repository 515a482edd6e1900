//! Boots a Linux `Image` natively: `boot IMAGE [INITRD [ARGUMENTS [SECONDS]]]`.
//!
//! A way to try kernels on the machine without WebAssembly. Console output goes to stdout; what the run
//! cost is printed to stderr at the end. `RISCV_DISK` is a file that is the disk; `RISCV_INPUT` is typed
//! when the guest has waited long enough to want it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to its terminal")]

use riscv::{Boot, Config, Host, Machine, ReadFailed, Stop, TICKS_PER_SECOND};
use std::io::Write;
use std::time::{Duration, Instant};

#[derive(Default)]
struct Terminal {
    disk: Vec<u8>,
}

impl Host for Terminal {
    fn console_output(&mut self, port: usize, bytes: &[u8]) {
        if port == 0 {
            let mut out = std::io::stdout();
            let _ = out.write_all(bytes).and_then(|()| out.flush());
        }
    }

    fn disk_read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), ReadFailed> {
        let at = offset as usize;
        into.copy_from_slice(self.disk.get(at..at + into.len()).ok_or(ReadFailed)?);
        Ok(())
    }

    fn random(&mut self, into: &mut [u8]) {
        into.fill(0x5a);
    }
}

/// Instructions per slice.
const SLICE: u64 = 10_000_000;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(kernel) = arguments.first() else {
        eprintln!("usage: boot IMAGE [INITRD [ARGUMENTS [SECONDS]]]");
        return Ok(());
    };
    let kernel = std::fs::read(kernel)?;
    let initrd = arguments.get(1).filter(|path| !path.is_empty()).map(std::fs::read).transpose()?;
    let line = arguments.get(2).map_or("console=hvc0 earlycon=sbi", String::as_str);
    let seconds = arguments.get(3).and_then(|s| s.parse().ok()).unwrap_or(60);
    let disk = std::env::var_os("RISCV_DISK").map(std::fs::read).transpose()?.unwrap_or_default();
    let size = (!disk.is_empty()).then_some(disk.len() as u64);
    let mut terminal = Terminal { disk };
    let config =
        Config { memory: 512 << 20, size: (80, 25), ports: &["agent"], disk: size, shares: &[] };
    let mut machine = Machine::new(&config);
    let boot = Boot { kernel: &kernel, initrd: initrd.as_deref(), arguments: line, seed: &[7; 64] };
    machine.boot(&boot).map_err(std::io::Error::other)?;
    let start = Instant::now();
    let mut input = std::env::var("RISCV_INPUT").ok();
    let mut quiet = 0;
    let stop = loop {
        if start.elapsed() > Duration::from_secs(seconds) {
            break None;
        }
        match machine.run(SLICE, &mut terminal) {
            Stop::Budget => {}
            Stop::Idle { until } => {
                quiet += 1;
                if quiet > 100
                    && let Some(text) = input.take()
                {
                    machine.console_input(0, text.as_bytes());
                    continue;
                }
                match until {
                    Some(until) => machine.advance_to(until),
                    None => break Some(Stop::Idle { until }),
                }
            }
            stop => break Some(stop),
        }
    };
    let hart = &machine.cpu.hart;
    let wall = start.elapsed().as_secs_f64();
    eprintln!(
        "\n{stop:?} after {wall:.2} s, {} instructions, {:.1} MIPS, virtual time {:.2} s, pc {:#x} scause {:#x} stval {:#x}",
        hart.steps,
        hart.steps as f64 / wall / 1e6,
        machine.time() as f64 / TICKS_PER_SECOND as f64,
        hart.pc,
        hart.scause,
        hart.stval,
    );
    Ok(())
}
