//! What the module asks of its host: the only imports.
//!
//! Each is one method of [`riscv::Host`]. The host may not call the module while one of them runs.

use alloc::vec::Vec;

use riscv::ReadFailed;

/// The longest answer of a share: what `ninep` says a message may be at most, of which Linux asks for
/// 500 KiB.
const REPLY_MAX: usize = 512 << 10;

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
        /// The answer is written to `reply`, at most `room` bytes; its size, or 0 where there is none.
        pub fn share(
            index: u32,
            request: *const u8,
            size: usize,
            reply: *mut u8,
            room: usize,
        ) -> usize;
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

    fn share(&mut self, index: usize, request: &[u8], reply: &mut Vec<u8>) {
        // Room that is not cleared: most answers are a few bytes.
        reply.reserve_exact(REPLY_MAX);
        let room = reply.spare_capacity_mut();
        let (into, size) = (room.as_mut_ptr().cast(), room.len());
        // SAFETY: addresses and sizes are those of a slice and of the room behind what is in `reply`.
        let size = unsafe {
            import::share(index as u32, request.as_ptr(), request.len(), into, size).min(size)
        };
        // SAFETY: the host wrote that many bytes there.
        unsafe { reply.set_len(reply.len() + size) }
    }
}
