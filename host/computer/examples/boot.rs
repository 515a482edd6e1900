//! Boots a Linux `Image` in WebAssembly: `boot MODULE IMAGE [DISK [ARGUMENTS [SECONDS [FOLDER]]]]`.
//!
//! The folder is one of this machine, which the guest mounts by the tag `workspace`.
//! A way to try kernels and disks as the product runs them. The console is printed at the end, with
//! what the run has cost.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks to its terminal")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use computer::{Computers, Config, Disk, Options, Share, State};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, kernel, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: boot MODULE IMAGE [DISK [ARGUMENTS [SECONDS [FOLDER]]]]");
        return Ok(());
    };
    let disk = match rest.first().filter(|path| !path.is_empty()) {
        Some(path) => {
            let sum = Command::new("sha256sum").arg(path).output()?.stdout;
            Some(Disk::open(Path::new(path), &String::from_utf8(sum)?[..64])?)
        }
        None => None,
    };
    let line = rest.get(1).map_or("console=hvc0 root=/dev/vda ro", String::as_str);
    let seconds = rest.get(2).and_then(|s| s.parse().ok()).unwrap_or(60);
    let shares = match rest.get(3) {
        Some(folder) => {
            let mut server = ninep::Server::new(Path::new(folder))?;
            vec![Share::new("workspace", move |request, reply| server.handle(request, reply))]
        }
        None => Vec::new(),
    };
    let options = Options {
        module: PathBuf::from(module),
        compiled: PathBuf::from("/tmp/computer-compiled"),
        threads: None,
    };
    let began = Instant::now();
    let computers = Computers::start(&options, || eprintln!("compiling"))?;
    eprintln!("module ready after {:?}", began.elapsed());
    let computer = computers.boot(Config {
        memory: 512 << 20,
        kernel: std::fs::read(kernel)?.into(),
        arguments: line.to_owned(),
        disk,
        port: "xpressclaw.agent".to_owned(),
        shares,
    });
    let mut state = computer.state();
    let ended = state.wait_for(|state| *state != State::Running);
    let end = tokio::time::timeout(Duration::from_secs(seconds), ended).await;
    let end = end.map(|end| end.map(|state| state.to_string()));
    let (used, wall) = (computer.used(), began.elapsed());
    println!("{}", computer.console_text());
    eprintln!(
        "{end:?} after {wall:?}, {} instructions in {:?}, {:.1} MIPS",
        used.instructions,
        used.busy,
        used.instructions as f64 / used.busy.as_secs_f64() / 1e6
    );
    let status = std::fs::read_to_string("/proc/self/status")?;
    eprintln!("{}", status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default());
    Ok(())
}
