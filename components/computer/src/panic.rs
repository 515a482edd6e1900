//! A bug ends the module with a trap, and says before where it was.

use alloc::string::ToString;
use core::panic::PanicInfo;

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    fn panicked(text: *const u8, size: usize);
}

#[panic_handler]
fn handle(info: &PanicInfo<'_>) -> ! {
    let text = info.to_string();
    // SAFETY: address and size of a text that lives until the call is over.
    unsafe { panicked(text.as_ptr(), text.len()) };
    core::arch::wasm32::unreachable()
}
