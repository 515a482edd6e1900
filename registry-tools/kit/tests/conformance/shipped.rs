//! What is shipped keeps the suite.

use crate::{conform, failed, not_applicable};

const NO_TOOLS: [&str; 6] =
    ["approval-denied", "budget-mid-turn", "steer", "tool-broken", "tool-loop", "tool-unknown"];

fn keeps(component: &str, tool: &str, without: &[&str]) {
    let report = conform(component, tool, "", &[]);
    assert_eq!(failed(&report), [""; 0], "{component}: {report:#?}");
    assert_eq!(not_applicable(&report), without, "{component}: {report:#?}");
    assert!(report.is_conformant());
}

#[test]
fn pi() {
    keeps("pi", r#"write={"path": "a.txt", "content": "crabs"}"#, &[]);
}

#[test]
fn builtin() {
    keeps("builtin", r#"write={"path": "a.txt", "content": "crabs"}"#, &[]);
}

#[test]
fn echo() {
    keeps("echo", "", &NO_TOOLS);
}

#[test]
fn echo_js() {
    keeps("echo-js", r#"remember={"text": "crabs"}"#, &["steer"]);
}

#[test]
fn echo_python() {
    keeps("echo-python", r#"remember={"text": "crabs"}"#, &["steer"]);
}

/// A tool that runs commands does so in a machine, where one can be had.
#[test]
fn commands_run_in_a_machine() {
    let tool = r#"bash={"command": "[ $(uname -m) = riscv64 ] && echo crabs >a.txt"}"#;
    for harness in ["builtin", "pi"] {
        let report = conform(harness, tool, "", &["tool-loop", "approval-denied"]);
        assert_eq!(failed(&report), [""; 0], "{harness}: {report:#?}");
        assert_eq!(not_applicable(&report), [""; 0], "{harness}: {report:#?}");
    }
}

/// Without a call by its author the suite makes one up; a tool that only reads cannot be denied.
#[test]
fn a_call_is_made_up_from_what_is_offered() {
    let report = conform("builtin", "", "", &["tool-loop", "approval-denied"]);
    assert_eq!(failed(&report), [""; 0], "{report:#?}");
    assert_eq!(not_applicable(&report), ["approval-denied"], "{report:#?}");
}
