//! Core modules as harnesses: what Rust cannot express.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::bench::{Host, SHORT, chain};
use crate::model::Model;
use session::{CpuLimits, TurnError};

/// A module of the world `harness-sync`. The functions return pointers to zeroes, which stand for
/// `ok`, no features, and `end-turn`.
#[derive(Default, Clone, Copy)]
struct Module {
    /// Fields of the module.
    fields: &'static str,
    start: &'static str,
    turn: &'static str,
    /// After the result of `turn` was read.
    post_return: &'static str,
    /// When the host asks for room for an argument or an answer.
    realloc: &'static str,
}

impl Module {
    fn component(self) -> Vec<u8> {
        let Self { fields, start, turn, post_return, realloc } = self;
        let (version, contract) = contract();
        let agent = format!("xpressclaw:harness/agent-sync@{version}#");
        let text = format!(
            r#"(module
                (memory (export "memory") 2)
                (global $top (mut i32) (i32.const 65536))
                {fields}
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    {realloc}
                    (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
                    (global.get $top)
                    (global.set $top (i32.add (global.get $top) (local.get 3))))
                (func (export "{agent}start")
                    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
                    {start}
                    (i32.const 1024))
                (func (export "{agent}turn") (param i32 i32) (result i32)
                    {turn}
                    (i32.const 1024))
                (func (export "cabi_post_{agent}turn") (param i32) {post_return}))"#
        );
        let mut module = wat::parse_str(&text).unwrap();
        let mut resolve = Resolve::new();
        let package = resolve.push_source("contract.wit", &contract).unwrap();
        let world = resolve.select_world(&[package], Some("harness-sync")).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }
}

/// The contract as last released, and its version.
fn contract() -> (String, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/released");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.max().unwrap();
    let version = file.file_stem().unwrap().to_str().unwrap().to_owned();
    (version, std::fs::read_to_string(file).unwrap())
}

/// Why it cannot be loaded, or not be instantiated.
async fn refusal(module: Module) -> String {
    let host = Host::new(Model::default());
    let path = host.folder.path().join("made.wasm");
    std::fs::write(&path, module.component()).unwrap();
    match host.try_load(&path) {
        Err(error) => error.to_string(),
        Ok(harness) => {
            let mut hostile = host.open(harness, &crate::bench::Setup::default());
            let error = host.play(&mut hostile, "go").await.unwrap_err();
            assert!(matches!(error, TurnError::Instantiate(_)), "{error:?}");
            chain(&error)
        }
    }
}

/// What becomes of a turn.
async fn play(module: Module) -> Result<domain::event::Stop, TurnError> {
    let host = Host::new(Model::default());
    let harness = host.made(&module.component());
    let hostile = host.open(harness, &crate::bench::Setup::default());
    let mut hostile = hostile.limited(CpuLimits { start: SHORT, turn: SHORT });
    host.play(&mut hostile, "go").await
}

#[tokio::test]
async fn a_module_that_does_nothing_has_its_turn() {
    assert!(play(Module::default()).await.is_ok());
}

#[tokio::test]
async fn a_loop_is_stopped_wherever_it_stands() {
    const LOOP: &str = "(loop br 0)";
    let places = [
        ("the start function", Module { fields: "(func $begin (loop br 0)) (start $begin)", ..Module::default() }),
        ("start", Module { start: LOOP, ..Module::default() }),
        ("turn", Module { turn: LOOP, ..Module::default() }),
        ("after the result", Module { post_return: LOOP, ..Module::default() }),
        ("while the host passes an argument", Module { realloc: LOOP, ..Module::default() }),
        (
            "in calls of itself",
            Module {
                fields: "(func $a (call $b) (call $b)) (func $b (call $c) (call $c)) (func $c (call $d) (call $d))
                    (func $d (call $e) (call $e)) (func $e (call $f) (call $f)) (func $f (call $g) (call $g))
                    (func $g (local i32) (local.set 0 (i32.const 1000000000))
                        (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))",
                turn: "(call $a)",
                ..Module::default()
            },
        ),
    ];
    for (place, module) in places {
        let error = play(module).await.unwrap_err();
        assert!(matches!(&error, TurnError::Cpu(_)), "{place}: {error:?}");
    }
}

#[tokio::test]
async fn an_argument_put_outside_of_the_memory_is_refused() {
    for place in ["(return (i32.const -16))", "(return (i32.const 131071))", "unreachable"] {
        let error = play(Module { realloc: place, ..Module::default() }).await.unwrap_err();
        assert!(matches!(error, TurnError::Trap(_)), "{place}: {error:?}");
    }
}

#[tokio::test]
async fn an_answer_from_outside_of_the_memory_is_refused() {
    for place in
        ["(return (i32.const -4))", "(return (i32.const 131070))", "(return (i32.const 1))"]
    {
        let error = play(Module { turn: place, ..Module::default() }).await.unwrap_err();
        assert!(matches!(error, TurnError::Trap(_)), "{place}: {error:?}");
    }
}

#[tokio::test]
async fn a_stack_without_end_is_a_crash() {
    let module =
        Module { fields: "(func $down (call $down))", turn: "(call $down)", ..Module::default() };
    let error = play(module).await.unwrap_err();
    assert!(matches!(error, TurnError::Trap(_)), "{error:?}");
    assert!(chain(&error).contains("call stack exhausted"), "{}", chain(&error));
}

/// Memory and tables: whatever is asked for, at once or in steps, ends at the limit.
#[tokio::test]
async fn bombs_do_not_go_off() {
    const GROW: &str =
        "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    const TABLE: &str = "(loop (br_if 0 (i32.ne (table.grow $t (ref.null func) (i32.const 64)) (i32.const -1)))) unreachable";
    let error = play(Module { turn: GROW, ..Module::default() }).await.unwrap_err();
    assert!(matches!(error, TurnError::OutOfMemory(_)), "{error:?}");
    let fields = "(table $t 1 funcref)";
    let error = play(Module { fields, turn: TABLE, ..Module::default() }).await.unwrap_err();
    assert!(matches!(error, TurnError::OutOfMemory(_)), "{error:?}");
    for (what, fields) in [
        ("a table", "(table 100000000 funcref)"),
        (
            "tables",
            "(table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref) (table 9 funcref)",
        ),
        ("memories", "(memory 1) (memory 1) (memory 1) (memory 1) (memory 1)"),
        ("a memory", "(memory 65536)"),
    ] {
        let refusal = refusal(Module { fields, ..Module::default() }).await;
        assert!(!refusal.is_empty(), "{what}");
    }
}
