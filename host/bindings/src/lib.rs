//! The WIT contract as Rust types and traits: the only `bindgen!` of the host.
//!
//! Capability crates implement the `Host` traits for their own view types; the session crate links
//! them. This crate must never implement a capability: it holds generated code and the
//! conversions between generated and core types.

pub mod convert;

/// World `harness`: async exports.
pub mod harness {
    wasmtime::component::bindgen!({
        path: [
            "../../wit/base",
            "../../wit/llm",
            "../../wit/xclaw",
            "../../wit/tools",
            "../../wit/machine",
            "../../wit/deps/io.wit",
            "../../wit/deps/clocks.wit",
            "../../wit/deps/random.wit",
            "../../wit/deps/filesystem.wit",
            "../../wit/deps/sockets.wit",
            "../../wit/deps/cli.wit",
            "../../wit/deps/http.wit",
            "../../wit/harness",
        ],
        world: "xpressclaw:harness/harness",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "xpressclaw:base/wait.waitable": domain::wait::Waitable,
        },
        require_store_data_send: true,
    });
}

/// World `harness-sync`: the same imports, plain exports.
pub mod harness_sync {
    wasmtime::component::bindgen!({
        path: [
            "../../wit/base",
            "../../wit/llm",
            "../../wit/xclaw",
            "../../wit/tools",
            "../../wit/machine",
            "../../wit/deps/io.wit",
            "../../wit/deps/clocks.wit",
            "../../wit/deps/random.wit",
            "../../wit/deps/filesystem.wit",
            "../../wit/deps/sockets.wit",
            "../../wit/deps/cli.wit",
            "../../wit/deps/http.wit",
            "../../wit/harness",
        ],
        world: "xpressclaw:harness/harness-sync",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "xpressclaw:base": crate::harness::xpressclaw::base,
            "xpressclaw:llm": crate::harness::xpressclaw::llm,
            "xpressclaw:xclaw": crate::harness::xpressclaw::xclaw,
            "xpressclaw:tools": crate::harness::xpressclaw::tools,
            "xpressclaw:machine": crate::harness::xpressclaw::machine,
            "xpressclaw:harness/types": crate::harness::xpressclaw::harness::types,
            "xpressclaw:harness/turn": crate::harness::xpressclaw::harness::turn,
        },
        require_store_data_send: true,
    });
}

pub use harness::xpressclaw::{base, harness as session, llm, machine, tools, xclaw};
