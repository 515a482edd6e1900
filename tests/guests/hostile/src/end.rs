//! Ways not to end, and ways to end badly.

use std::hint::black_box;

use crate::Words;
use crate::bindings::exports::xpressclaw::harness::agent::Error;
use crate::bindings::xpressclaw::base::wait;
use crate::bindings::xpressclaw::harness::turn;

/// Longer than any test: 49 days.
pub const FOR_EVER_MS: u32 = u32::MAX;

pub fn spin() -> ! {
    let mut turns = 0u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

pub fn trap() -> ! {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_arch = "wasm32"))]
    std::process::abort();
}

pub fn exit(words: Words<'_>) -> ! {
    std::process::exit(i32::from(words.first() != Some(&"0")))
}

/// Waits for what never comes, takes the cancellation, and waits on.
pub fn sulk() -> Result<String, Error> {
    let never = wait::timer(FOR_EVER_MS);
    loop {
        wait::wait(&[&never], None);
        turn::take_input();
    }
}

/// Waits for what never comes, and never looks whether it was cancelled.
pub fn ignore() -> Result<String, Error> {
    let never = wait::timer(FOR_EVER_MS);
    loop {
        wait::wait(&[&never], None);
    }
}
