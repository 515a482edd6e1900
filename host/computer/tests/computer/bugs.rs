//! A bug of the module ends its computer and says so, and ends nothing else.

use std::path::Path;

use computer::{Failure, StartError, State};

use crate::bench::{config, end, with_module};

/// A module with all functions, and this as its `run`.
fn module(folder: &Path, run: &str) -> std::path::PathBuf {
    let text = format!(
        r#"(module
            (import "host" "console_output" (func $output (param i32 i32 i32)))
            (import "host" "disk_read" (func $disk (param i64 i32 i32) (result i32)))
            (import "host" "random" (func $random (param i32 i32)))
            (import "host" "share" (func $share (param i32 i32 i32 i32 i32) (result i32)))
            (import "host" "panicked" (func $panicked (param i32 i32)))
            (memory (export "memory") 2)
            (data (i32.const 16) "attempt to add with overflow")
            (func (export "scratch") (param i32) (result i32) (i32.const 65536))
            (func (export "make") (param i32 i32 i32 i64 i32 i32) (result i32) (i32.const 0))
            (func (export "boot") (param i32 i32 i32 i32) (result i32) (i32.const 0))
            (func (export "run") (param i64) (result i32) {run})
            (func (export "detail") (result i64) (i64.const 0))
            (func (export "input") (param i32 i32) (result i32) (local.get 1))
            (func (export "takes_again"))
            (func (export "now") (result i64) (i64.const 0))
            (func (export "advance_to") (param i64))
            (func (export "instructions") (result i64) (i64.const 1)))"#
    );
    let path = folder.join("computer.wasm");
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    path
}

#[tokio::test]
async fn a_bug_of_the_module_is_named() {
    for (run, expected) in [
        ("unreachable", "unreachable"),
        (
            "(call $panicked (i32.const 16) (i32.const 28)) unreachable",
            "attempt to add with overflow",
        ),
        ("(call $random (i32.const -4) (i32.const 8)) (i32.const 0)", "8 bytes at 0xfffffffc"),
        (
            "(call $share (i32.const 0) (i32.const -4) (i32.const 8) (i32.const 0) (i32.const 8))",
            "8 bytes at 0xfffffffc",
        ),
        (
            "(call $output (i32.const 0) (i32.const 0) (i32.const 131073)) (i32.const 0)",
            "131073 bytes",
        ),
        (
            "(memory.grow (i32.const 60000)) (if (i32.eq (i32.const -1)) (then (call $panicked (i32.const 16) (i32.const 7)))) unreachable",
            "attempt",
        ),
        ("(i32.const 77)", "no known reason: 77"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let computers = with_module(1, &module(folder.path(), run), folder.path());
        let computer = computers.boot(config(vec![0; 4]));
        let State::Failed(Failure::Bug(text)) = end(&computer).await else {
            panic!("{run}: {:?}", computer.state().borrow());
        };
        assert!(text.contains(expected), "{run}: {text}");
        // The thread is still there.
        let again = computers.boot(config(vec![0; 4]));
        assert!(matches!(end(&again).await, State::Failed(_)));
    }
}

#[test]
fn a_module_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("computer.wasm");
    let text = r#"(module (import "host" "teleport" (func)))"#;
    std::fs::write(&path, wat::parse_str(text).unwrap()).unwrap();
    let options = computer::Options {
        module: path,
        compiled: folder.path().into(),
        threads: std::num::NonZeroUsize::new(1),
    };
    let error = computer::Computers::start(&options, || {}).err().unwrap();
    assert!(matches!(error, StartError::Fit(_)), "{error}");
}
