//! The same riscv64 programs on several systems: our computer in WebAssembly, as the product runs it; our
//! computer natively; QEMU's whole system; QEMU's user mode over the host's kernel.
//!
//! Why it exists: the benchmark of the machine and the comparison of its behaviour both need a shell on
//! each of them, under the same names and with the same answers. Called by `bench` and `behaviour` only. It
//! must never be part of the product, and knows nothing of its agent: a runner of a few lines of bash is
//! all that a system has to carry.
//!
//! | module | what |
//! |---|---|
//! | `images` | kernel, disks and folders, as `cargo xtask machine-image` made them |
//! | `wire` | what a system is: bytes in both directions, and what it has cost |
//! | `shell` | the runner's side of the conversation |
//! | `kernel_line` | how bash becomes the first process |
//! | `wasm`, `native`, `qemu`, `user` | the four systems |
//! | `piped` | a system that is a process |

mod images;
mod kernel_line;
mod native;
mod piped;
mod qemu;
mod shell;
mod user;
mod wasm;
mod wire;

pub use images::{Images, Root};
pub use native::Native;
pub use qemu::Qemu;
pub use shell::{Outcome, Shell};
pub use user::User;
pub use wasm::{Computers, Wasm};
pub use wire::{Clock, Wire};
