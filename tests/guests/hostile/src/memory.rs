//! More memory and more stack than there is.

use std::hint::black_box;

use crate::{Words, number};

const STEP: usize = 1 << 20;

/// Takes memory until it is refused, and gives it back to its own allocator.
pub fn all_of_it() -> String {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut block = Vec::new();
        if block.try_reserve_exact(STEP).is_err() {
            return format!("refused after {} MiB", blocks.len());
        }
        block.resize(STEP, 1);
        blocks.push(block);
    }
}

/// The same, as most programs do it: what cannot be had aborts.
pub fn until_it_breaks() -> ! {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    loop {
        blocks.push(black_box(vec![1; STEP]));
    }
}

/// Calls itself so deep.
pub fn recurse(words: Words<'_>) -> String {
    format!("came back from {}", deeper(number(words, 0, u64::MAX)))
}

#[inline(never)]
fn deeper(left: u64) -> u64 {
    if black_box(left) == 0 {
        return 0;
    }
    let frame = black_box([left; 4]);
    deeper(left - 1) + u64::from(frame[0] == left)
}
