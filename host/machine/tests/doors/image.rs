//! Where tests find the machine's image, and keep what is compiled of it.

use std::path::{Path, PathBuf};

const IMAGE: &str = "XPRESSCLAW_MACHINE_PATH";

pub fn image() -> PathBuf {
    let set = std::env::var_os(IMAGE);
    let set = set.unwrap_or_else(|| {
        panic!("set {IMAGE} to the folder of the machine's image; `cargo xtask test` does")
    });
    set.into()
}

/// Shared by all tests: compiling takes longer than any of them.
pub fn compiled() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}
