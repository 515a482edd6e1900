//! Boots a kernel with a folder of this machine as a share: `mount KERNEL DISK FOLDER SCRIPT [SECONDS]`.
//!
//! A way to see what Linux does with the server. The guest mounts the folder by the tag `workspace`
//! (`mount -t 9p -o trans=virtio,version=9p2000.L workspace /workspace`). The script is typed at its
//! console when it has booted; `poweroff -f` at the end of it ends the run.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to its terminal")]

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use ninep::Server;
use riscv::{Boot, Config, Host, Machine, ReadFailed, Stop};

struct Terminal {
    disk: File,
    server: Server,
    messages: u64,
    served: Duration,
}

impl Host for Terminal {
    fn console_output(&mut self, port: usize, bytes: &[u8]) {
        if port == 0 {
            let mut out = std::io::stdout();
            let _ = out.write_all(bytes).and_then(|()| out.flush());
        }
    }

    fn disk_read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), ReadFailed> {
        self.disk.read_exact_at(into, offset).map_err(|_| ReadFailed)
    }

    fn random(&mut self, into: &mut [u8]) {
        into.fill(0x5a);
    }

    fn share(&mut self, _: usize, request: &[u8], reply: &mut Vec<u8>) {
        let start = Instant::now();
        self.server.handle(request, reply);
        self.served += start.elapsed();
        self.messages += 1;
    }
}

/// Instructions per slice.
const SLICE: u64 = 1_000_000;

/// How often the guest must have nothing to do before it is taken to have booted.
const WAITS: u32 = 100;

const LINE: &str =
    "root=/dev/vda rootfstype=erofs ro console=hvc0 quiet init=/usr/lib/xpressclaw/init";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kernel, disk, folder, script, rest @ ..] = arguments.as_slice() else {
        return Err("usage: mount KERNEL DISK FOLDER SCRIPT [SECONDS]".into());
    };
    let limit = Duration::from_secs(rest.first().map_or(Ok(60), |text| text.parse())?);
    let (kernel, script) = (std::fs::read(kernel)?, std::fs::read(script)?);
    let disk = File::open(disk)?;
    let config = Config {
        memory: 512 << 20,
        size: (120, 40),
        ports: &["xpressclaw.agent"],
        disk: Some(disk.metadata()?.len()),
        shares: &["workspace"],
    };
    let server = Server::new(Path::new(folder))?;
    let mut host = Terminal { disk, server, messages: 0, served: Duration::ZERO };
    let mut machine = Machine::new(&config);
    machine.boot(&Boot { kernel: &kernel, initrd: None, arguments: LINE, seed: &[7; 64] })?;
    let (start, mut waits, mut typed) = (Instant::now(), 0, 0);
    let stop = loop {
        if start.elapsed() > limit {
            break None;
        }
        match machine.run(SLICE, &mut host) {
            Stop::Budget => {}
            Stop::Idle { until } => {
                waits += 1;
                if waits > WAITS && typed < script.len() {
                    typed += machine.console_input(0, &script[typed..]);
                } else if let Some(until) = until {
                    machine.advance_to(until);
                }
            }
            stop => break Some(stop),
        }
    };
    eprintln!(
        "\n{stop:?} after {:.2} s; {} messages answered in {:.3} s",
        start.elapsed().as_secs_f64(),
        host.messages,
        host.served.as_secs_f64(),
    );
    Ok(())
}
