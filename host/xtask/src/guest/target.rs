//! What is compiled for what. Pure.

/// A target that the toolchain of most machines has no std for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// Harnesses and middleware. With rustc's own linker driver the output is a component.
    Component,
    /// Programs inside the machine: its Linux runs them as they are, without libraries of its own.
    Machine,
}

impl Target {
    pub const fn triple(self) -> &'static str {
        match self {
            Self::Component => "wasm32-wasip2",
            Self::Machine => "riscv64gc-unknown-linux-gnu",
        }
    }

    /// Cargo's variable for this target, e.g. with `what` = `LINKER`.
    pub fn variable(self, what: &str) -> String {
        let triple = self.triple().to_uppercase().replace('-', "_");
        format!("CARGO_TARGET_{triple}_{what}")
    }

    /// The linker, where it is a program of the system.
    pub fn system_linker(self) -> Option<&'static str> {
        match self {
            Self::Component => None,
            Self::Machine => Some("riscv64-linux-gnu-gcc"),
        }
    }

    /// How std and all that is built upon it is compiled.
    pub fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Component => &[],
            // Everything inside, and nothing that differs from one build to the next.
            Self::Machine => &["-Ctarget-feature=+crt-static", "-Clink-arg=-Wl,--build-id=none"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_as_cargo_does() {
        assert_eq!(Target::Component.variable("LINKER"), "CARGO_TARGET_WASM32_WASIP2_LINKER");
        assert_eq!(
            Target::Machine.variable("RUSTFLAGS"),
            "CARGO_TARGET_RISCV64GC_UNKNOWN_LINUX_GNU_RUSTFLAGS"
        );
    }
}
