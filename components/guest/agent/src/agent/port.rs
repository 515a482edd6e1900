//! The way to the host: the console port of the machine, or a stream that was given.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use machine_protocol::PORT;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use super::AgentError;
use super::settings::Stream;

/// Where the kernel lists the console's ports.
const PORTS: &str = "/sys/class/virtio-ports";
/// Where programs look for one by its name; elsewhere udev makes these.
const NAMES: &str = "/dev/virtio-ports";
/// How often is looked for a port that the kernel has not found yet, or whose host is not there yet. The
/// kernel tells nobody of either, but for udev.
const LOOK: Duration = Duration::from_millis(20);
/// How often a port is looked for in all. It is found while the kernel starts, before any process runs.
const LOOKS: u32 = 500;

/// Opens the stream, which then never blocks.
pub fn open(stream: Stream) -> Result<OwnedFd, AgentError> {
    let stream = match stream {
        Stream::Stdin => io::stdin().as_fd().try_clone_to_owned(),
        Stream::Port => open_port(),
    };
    let stream = stream.map_err(AgentError::NoStream)?;
    rustix::io::ioctl_fionbio(&stream, true).map_err(|error| AgentError::NoStream(error.into()))?;
    Ok(stream)
}

fn open_port() -> io::Result<OwnedFd> {
    let device = find_port()?;
    // For people and their tools; the agent itself does not need it.
    let _ = fs::create_dir_all(NAMES);
    let _ = symlink(&device, Path::new(NAMES).join(PORT));
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let port = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&device)?;
    // Until the host opened its end, the port is hung up, and what is written to it is lost.
    let wait = Timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        let mut fds = [PollFd::new(&port, PollFlags::OUT)];
        poll(&mut fds, Some(&wait))?;
        if !fds[0].revents().contains(PollFlags::HUP) {
            return Ok(port.into());
        }
        thread::sleep(LOOK);
    }
}

fn find_port() -> io::Result<PathBuf> {
    for _ in 0..LOOKS {
        for entry in fs::read_dir(PORTS).into_iter().flatten().flatten() {
            let name = fs::read_to_string(entry.path().join("name")).unwrap_or_default();
            if name.trim_end() == PORT {
                return Ok(Path::new("/dev").join(entry.file_name()));
            }
        }
        thread::sleep(LOOK);
    }
    Err(io::Error::new(io::ErrorKind::NotFound, format!("no port {PORT} in {PORTS}")))
}
