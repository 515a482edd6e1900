//! Where memory comes from: the guest's memory from fresh pages, everything else from an allocator.
//!
//! Fresh pages of a linear memory are zero, and cost the host nothing until they are touched. An
//! allocator that clears what it hands out would touch all of the guest's memory before it is used.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::memory_grow;

use dlmalloc::GlobalDlmalloc;

/// From here on, memory is taken as fresh pages and never given back: more than all else together that
/// a computer needs (its decoded code is 16 MiB), and less than Linux with its programs can use.
const LARGE: usize = 32 << 20;

/// Bytes of a page of WebAssembly.
const PAGE: usize = 64 << 10;

struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

/// As many fresh pages as hold `size` bytes; null where the memory may not grow that far.
fn pages(size: usize) -> *mut u8 {
    match memory_grow(0, size.div_ceil(PAGE)) {
        usize::MAX => core::ptr::null_mut(),
        first => (first * PAGE) as *mut u8,
    }
}

// SAFETY: sizes below LARGE are dlmalloc's in all four functions, the others never are; what `pages`
// returns is memory that nobody else has, aligned to more than any layout of Rust asks for.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() < LARGE {
            unsafe { GlobalDlmalloc.alloc(layout) }
        } else {
            pages(layout.size())
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() < LARGE {
            unsafe { GlobalDlmalloc.alloc_zeroed(layout) }
        } else {
            pages(layout.size())
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        if layout.size() < LARGE {
            unsafe { GlobalDlmalloc.dealloc(memory, layout) }
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size().max(size) < LARGE {
            return unsafe { GlobalDlmalloc.realloc(memory, layout, size) };
        }
        // SAFETY: `size` is what the caller says is a valid size for this alignment.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both are at least as large as what is copied, and do not overlap.
            unsafe {
                core::ptr::copy_nonoverlapping(memory, new, layout.size().min(size));
                self.dealloc(memory, layout);
            }
        }
        new
    }
}
