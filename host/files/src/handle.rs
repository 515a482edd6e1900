//! Where an open file or directory is now, as the operating system says.

use std::fs::File;
use std::io;
use std::path::PathBuf;

/// The path of an open handle, without links in it.
#[cfg(target_os = "linux")]
pub(crate) fn path(file: &File) -> io::Result<PathBuf> {
    use std::os::fd::AsRawFd as _;
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// The path of an open handle, without links in it.
#[cfg(target_vendor = "apple")]
pub(crate) fn path(file: &File) -> io::Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = rustix::fs::getpath(file)?;
    Ok(std::ffi::OsString::from_vec(path.into_bytes()).into())
}

/// There is no way that is known here; so no rule on a path can be kept.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) fn path(_: &File) -> io::Result<PathBuf> {
    Err(io::ErrorKind::Unsupported.into())
}
