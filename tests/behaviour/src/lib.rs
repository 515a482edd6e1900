//! The machine's own programs on our computer, in WebAssembly as the product runs it, and under QEMU's user
//! mode: standard output, standard error and exit status must be the same to the byte.
//!
//! Why it exists: instructions that agree one by one (`host/riscv/tests`) do not say that a kernel, a C
//! library and a program agree; a wrong result of any of them shows here as a different byte. Called by
//! `cargo xtask compare machine`, and by its own test with the cases that are quick. It must never accept
//! a difference without a reason: the reason stands above the case.
//!
//! | module | what |
//! |---|---|
//! | `case` | the cases, from `cases/` |
//! | `pair` | one case on both systems |
//! | `verdict` | what came out |

mod case;
mod pair;
mod verdict;

pub use case::{Case, Group};
pub use pair::Pair;
pub use verdict::{Summary, Verdict};
