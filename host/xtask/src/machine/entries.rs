//! Links and modes, which only Unix has: elsewhere the image is not built, but xtask must compile.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

/// A link at `path`, in place of whatever was there. It may lead nowhere on this system.
pub fn link(target: &str, path: &Path) -> Result<()> {
    clear(path)?;
    make_link(target, path).with_context(|| format!("cannot make {}", path.display()))
}

/// `bytes` as a file at `path`, in place of whatever was there. A link there is replaced, never followed:
/// in the root it may lead to a file of this system.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    clear(path)?;
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    set_mode(path, mode)
}

pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    change_mode(path, mode).with_context(|| format!("cannot set the mode of {}", path.display()))
}

fn clear(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))
}

#[cfg(unix)]
fn make_link(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(unix)]
fn change_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn make_link(_: &str, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(unix))]
fn change_mode(_: &Path, _: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_link_out_of_the_root_is_replaced_not_followed() {
        let dir = std::env::temp_dir().join(format!("xtask-entries-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (outside, inside) = (dir.join("outside"), dir.join("inside"));
        write(&outside, b"the host's", 0o644).unwrap();
        link(outside.to_str().unwrap(), &inside).unwrap();
        write(&inside, b"the machine's", 0o600).unwrap();
        assert_eq!(fs::read(&outside).unwrap(), b"the host's");
        assert!(!inside.is_symlink());
        fs::remove_dir_all(&dir).unwrap();
    }
}
