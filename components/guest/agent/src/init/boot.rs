//! From what the kernel leaves to what programs expect: file systems, a writable root, the workspace, a
//! name, a loopback network, limits.

use std::ffi::CStr;
use std::fs;
use std::path::Path;

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::system::sethostname;

use super::{loopback, overlay};
use crate::report::say;

const HOSTNAME: &[u8] = b"machine";

/// Open files of a process; as other distributions have it. Linux's 1,024 are too few for watchers of
/// file trees.
const FILES_MAX: u64 = 65_536;

const WORKSPACE: &str = "/workspace";

struct Mount {
    source: &'static str,
    target: &'static str,
    kind: &'static str,
    flags: MountFlags,
    data: Option<&'static CStr>,
}

const SYSTEM: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);
const TEMPORARY: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);

/// What every program expects, in order.
const MOUNTS: [Mount; 9] = [
    Mount { source: "proc", target: "/proc", kind: "proc", flags: SYSTEM, data: None },
    Mount { source: "sysfs", target: "/sys", kind: "sysfs", flags: SYSTEM, data: None },
    Mount {
        source: "dev",
        target: "/dev",
        kind: "devtmpfs",
        flags: MountFlags::NOSUID,
        data: Some(c"mode=0755"),
    },
    Mount {
        source: "devpts",
        target: "/dev/pts",
        kind: "devpts",
        flags: MountFlags::NOSUID.union(MountFlags::NOEXEC),
        data: Some(c"mode=0620,gid=5,ptmxmode=0666"),
    },
    Mount {
        source: "shm",
        target: "/dev/shm",
        kind: "tmpfs",
        flags: TEMPORARY,
        data: Some(c"mode=1777"),
    },
    Mount {
        source: "run",
        target: "/run",
        kind: "tmpfs",
        flags: TEMPORARY,
        data: Some(c"mode=0755"),
    },
    Mount {
        source: "tmp",
        target: "/tmp",
        kind: "tmpfs",
        flags: TEMPORARY,
        data: Some(c"mode=1777"),
    },
    // Commands and their children are kept together by these (`crate::tree`).
    Mount {
        source: "cgroup2",
        target: "/sys/fs/cgroup",
        kind: "cgroup2",
        flags: SYSTEM,
        data: None,
    },
    // `mmap`: files may be mapped and written, and nothing else is kept of them, since the host's side
    // changes under us. The tag is the host's name for the share; 128 KiB is what one message carries.
    Mount {
        source: "workspace",
        target: WORKSPACE,
        kind: "9p",
        flags: TEMPORARY,
        data: Some(c"trans=virtio,version=9p2000.L,msize=131072,cache=mmap,access=any"),
    },
];

/// Links that programs expect in `/dev`.
const LINKS: [(&str, &str); 4] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
];

/// Does all of it; what fails is said and left out.
pub fn boot() {
    // Files have the modes that programs ask for, as under a shell of root.
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    check("a writable root", overlay::enter());
    for entry in &MOUNTS {
        check(entry.target, entry.mount());
    }
    for (target, link) in LINKS {
        // The kernel may have made it.
        let _ = std::os::unix::fs::symlink(target, link);
    }
    check("/root", fs::create_dir_all("/root"));
    check("the host's name", sethostname(HOSTNAME).map_err(Into::into));
    check("the loopback network", loopback::up());
    let files = Rlimit { current: Some(FILES_MAX), maximum: Some(FILES_MAX) };
    check("the limit of open files", setrlimit(Resource::Nofile, files).map_err(Into::into));
    // Cores of crashed commands would fill memory, which the root is in.
    let none = Rlimit { current: Some(0), maximum: None };
    check("no cores", setrlimit(Resource::Core, none).map_err(Into::into));
}

impl Mount {
    fn mount(&self) -> std::io::Result<()> {
        // In a root that is still read-only, the image has these.
        if !Path::new(self.target).is_dir() {
            fs::create_dir_all(self.target)?;
        }
        match mount(self.source, self.target, self.kind, self.flags, self.data) {
            // The kernel mounts `/dev` by itself where it is told to.
            Err(Errno::BUSY) => Ok(()),
            other => Ok(other?),
        }
    }
}

fn check(what: &str, done: std::io::Result<()>) {
    if let Err(error) = done {
        say(format_args!("no {what}: {error}"));
    }
}
