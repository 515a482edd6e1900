//! Arguments for the linker of a release: a map of the functions, and the order in which they are to
//! lie. See `host/xtask/src/layout.rs`, which sets the variable; without it this does nothing.

use std::path::Path;

/// A folder with `order`, if there is one yet; `map` is written there.
const LAYOUT: &str = "XPRESSCLAW_LAYOUT";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={LAYOUT}");
    let Ok(folder) = std::env::var(LAYOUT) else { return };
    let (map, order) = (Path::new(&folder).join("map"), Path::new(&folder).join("order"));
    println!("cargo:rerun-if-changed={}", order.display());
    println!("cargo:rustc-link-arg-bins=-Wl,-Map={}", map.display());
    // The order is of names as they are in the objects, and so must the map be.
    println!("cargo:rustc-link-arg-bins=-Wl,--no-demangle");
    if order.exists() {
        println!("cargo:rustc-link-arg-bins=-Wl,--symbol-ordering-file={}", order.display());
        // Inlined since the order was made.
        println!("cargo:rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
    }
}
