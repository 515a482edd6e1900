//! A root that can be written: the image below, memory above, and the first process inside of it.

use std::fs;
use std::io;

use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{chdir, pivot_root};

/// A folder that every image has, for the time until the new root is entered.
const STAGE: &str = "/run";

/// Of the machine's memory: more, and commands would have no room to run in what they wrote.
const MEMORY: &std::ffi::CStr = c"size=75%,mode=0755";

/// Enters it. Does nothing where the root is writable.
pub fn enter() -> io::Result<()> {
    if !statvfs("/")?.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Ok(());
    }
    mount("root", STAGE, "tmpfs", MountFlags::empty(), MEMORY)?;
    for folder in ["upper", "work", "root"] {
        fs::create_dir(format!("{STAGE}/{folder}"))?;
    }
    let root = format!("{STAGE}/root");
    let layers = c"lowerdir=/,upperdir=/run/upper,workdir=/run/work";
    mount("root", &root, "overlay", MountFlags::empty(), layers)?;
    chdir(&root)?;
    // The old root lands upon the new one, and is let go: the overlay holds its layers by itself
    // (`pivot_root(2)`, "pivot_root(".", ".")").
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    Ok(chdir("/")?)
}
