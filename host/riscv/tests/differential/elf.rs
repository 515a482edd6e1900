//! The smallest ELF file that QEMU's user mode runs: one segment, readable, writable and executable.
//!
//! System V ABI, "Object Files" and "Program Loading".

use super::program::Program;
use std::io::{Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const HEADERS: u64 = 64 + 56;
const RISCV: u16 = 243;
/// Compressed instructions, doubles in registers.
const FLAGS: u32 = 5;

pub fn write(path: &Path, program: &Program) -> Result<()> {
    let mut file = Vec::new();
    file.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    for half in [2, RISCV] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    file.extend_from_slice(&1u32.to_le_bytes());
    for word in [program.entry, 64, 0] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    file.extend_from_slice(&FLAGS.to_le_bytes());
    for half in [64u16, 56, 1, 0, 0, 0] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    // The segment starts at a page of the file.
    for word in [1u32, 7] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    let size = program.bytes.len() as u64;
    for word in [4096, program.base, program.base, size, size, 4096] {
        file.extend_from_slice(&u64::to_le_bytes(word));
    }
    assert_eq!(file.len() as u64, HEADERS);
    file.resize(4096, 0);
    file.extend_from_slice(&program.bytes);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o700).open(path)?.write_all(&file)
}
