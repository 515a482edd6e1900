//! The machine's computer as a core WebAssembly module: `host/riscv` behind plain functions.
//!
//! Why it exists: the host runs computers in a sandbox, and a copy of this module's linear memory is a
//! copy of the computer. Called by `host/computer`, which holds the other side of each function here. It
//! must never keep anything outside of its linear memory, import anything but [`host`], or run while no
//! call is under way.
//!
//! A module holds one computer. Numbers are little-endian and unsigned; an address and a size name bytes
//! of the linear memory. What the host hands in, it writes to the [`scratch`](exports::scratch) first.
//!
//! | export | what it does |
//! |---|---|
//! | `scratch(size) -> address` | room for what the host hands in, until the next call of it |
//! | `make(memory, columns, rows, disk, ports, shares) -> code` | the computer; sizes of the names of its ports and the tags of its shares, which are in the scratch |
//! | `boot(kernel, initrd, arguments, seed) -> code` | sizes of what is in the scratch, in this order |
//! | `run(budget) -> code` | runs; why it ended is the code, with [`detail`](exports::detail) |
//! | `detail() -> number` | when an idle computer wakes, or where a stuck one hangs |
//! | `input(port, size) -> taken` | input from the scratch for a port of the console |
//! | `takes_again()` | the host takes output that it refused before |
//! | `resize(columns, rows)` | the console has another size |
//! | `is_open(port) -> 0 or 1` | whether a program of the guest has the port open |
//! | `now() -> ticks` | virtual time |
//! | `advance_to(ticks)` | time passes while the guest is idle |
//! | `instructions() -> number` | started since the computer was made |

#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

pub mod exports;
#[cfg(target_family = "wasm")]
mod heap;
pub mod host;
#[cfg(target_family = "wasm")]
mod panic;
mod state;

// `memcmp` and its like, which the compiler calls, come with the target's C library. Nothing else of it
// is used: none of its parts that import a system.
#[cfg(target_family = "wasm")]
#[link(name = "c")]
unsafe extern "C" {}
