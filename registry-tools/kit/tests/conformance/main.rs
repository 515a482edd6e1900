//! The conformance suite with real components: every shipped harness keeps it, and a guest that
//! breaks one duty is found out by the scenarios of that duty, and by no other.
//!
//! `cargo xtask test` builds the components and sets the variable that names their folder.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failure here fails the test")]

mod misfits;
mod shipped;

use std::path::PathBuf;
use std::sync::Arc;

use kit::manifest::ToolCall;
use kit::suite::{self, Options, Report, Verdict};
use machine::{Folder, Machines};
use serde_json::Value;
use session::MachineConfig;

/// The folder of the built components; the host's own variable.
const FOLDERS: &str = "XPRESSCLAW_HARNESS_PATH";

/// The folder of the machine's image; the host's own variable.
const IMAGE: &str = "XPRESSCLAW_MACHINE_PATH";
/// Bytes of a machine's memory: little, so that many tests fit beside each other.
const MEMORY: usize = 256 << 20;

/// Runs the suite with a built component; `tool` and `settings` are JSON, or empty.
fn conform(component: &str, tool: &str, settings: &str, only: &[&str]) -> Report {
    let options = Options {
        compiled: compiled(),
        tool: (!tool.is_empty()).then(|| {
            let (name, arguments) = tool.split_once('=').expect("a name and arguments");
            ToolCall { name: name.into(), arguments: object(arguments) }
        }),
        machine: Some(MachineConfig { machines: machines(), memory: MEMORY }),
        settings: (!settings.is_empty()).then(|| object(settings)),
        only: only.iter().map(|name| (*name).to_owned()).collect(),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(suite::run(&built(component), &options, &mut |_| {})).unwrap()
}

fn object(text: &str) -> serde_json::Map<String, Value> {
    serde_json::from_str(text).expect("a JSON object")
}

/// Names of the scenarios that failed, and of those that were not applicable.
fn failed(report: &Report) -> Vec<&str> {
    names(report, |verdict| matches!(verdict, Verdict::Failed { .. }))
}

fn not_applicable(report: &Report) -> Vec<&str> {
    names(report, |verdict| matches!(verdict, Verdict::NotApplicable { .. }))
}

fn names(report: &Report, is: fn(&Verdict) -> bool) -> Vec<&str> {
    let outcomes = report.outcomes.iter().filter(|outcome| is(&outcome.verdict));
    outcomes.map(|outcome| outcome.scenario.as_str()).collect()
}

/// A built component, by its path below the folder.
fn built(name: &str) -> PathBuf {
    let folders = std::env::var_os(FOLDERS).expect("`cargo xtask test` sets the variable");
    let file = format!("{name}.wasm");
    std::env::split_paths(&folders)
        .map(|folder| folder.join(&file))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no {file} in {FOLDERS}; `cargo xtask test` builds it"))
}

/// Nothing is read or started before a command needs it.
fn machines() -> Arc<Machines> {
    let image = std::env::var_os(IMAGE).expect("`cargo xtask test` sets the variable");
    Machines::new(Folder::new(image.into()), compiled())
}

/// Compiled code outlives a run of the tests.
fn compiled() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    this.ancestors().nth(2).unwrap().join("session-test-cache")
}
