//! What the module asks of its host: the only imports.
//!
//! Each is one method of [`riscv::Host`]. The host may not call the module while one of them runs.

use riscv::ReadFailed;

/// The imports. Addresses and sizes name bytes of the linear memory that the host may touch only
/// during the call.
mod import {
    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        pub fn console_output(port: u32, bytes: *const u8, size: usize);
        /// Whether output of the port is taken now: 0 or 1.
        pub fn console_takes(port: u32) -> u32;
        /// 0, or another number where the content cannot be read.
        pub fn disk_read(offset: u64, into: *mut u8, size: usize) -> u32;
        pub fn random(into: *mut u8, size: usize);
    }
}

/// The host behind the imports.
pub struct Imported;

impl riscv::Host for Imported {
    fn console_output(&mut self, port: usize, bytes: &[u8]) {
        // SAFETY: address and size are those of a slice; so below.
        unsafe { import::console_output(port as u32, bytes.as_ptr(), bytes.len()) }
    }

    fn console_takes(&mut self, port: usize) -> bool {
        unsafe { import::console_takes(port as u32) != 0 }
    }

    fn disk_read(&mut self, offset: u64, into: &mut [u8]) -> Result<(), ReadFailed> {
        match unsafe { import::disk_read(offset, into.as_mut_ptr(), into.len()) } {
            0 => Ok(()),
            _ => Err(ReadFailed),
        }
    }

    fn random(&mut self, into: &mut [u8]) {
        unsafe { import::random(into.as_mut_ptr(), into.len()) }
    }
}
