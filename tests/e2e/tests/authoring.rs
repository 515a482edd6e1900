//! From nothing to a tested harness, with the program's own commands, in a folder outside of the
//! repository. What the languages' tools need is taken from where `cargo xtask test` put it for the
//! shipped components, so that no test asks a registry.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::{Done, Place, Run};
use serde_json::json;

/// What Rust guests are compiled with where the target is not installed: `NAME=VALUE` lines.
const GUEST_VARIABLES: &str = "XPRESSCLAW_TEST_GUEST_VARIABLES";

/// `xpressclaw harness …` with what tools need of the environment, and without a network.
fn harness<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> Run {
    let inherited = ["PATH", "RUSTUP_HOME", "CARGO_HOME", "RUSTUP_TOOLCHAIN", "PYENV_ROOT"];
    let mut run = place.command(["harness"]).args(args);
    for name in inherited {
        if let Some(value) = std::env::var_os(name) {
            run = run.env(name, value);
        }
    }
    let home = std::env::home_dir().expect("a home folder");
    for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
        if std::env::var_os(name).is_none() {
            run = run.env(name, home.join(folder));
        }
    }
    if let Ok(lines) = std::env::var(GUEST_VARIABLES) {
        for (name, value) in lines.lines().filter_map(|line| line.split_once('=')) {
            run = run.env(name, value);
        }
    }
    // Dependencies are compiled once.
    let target = e2e::cache().join("authoring");
    run.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", target)
}

/// The folder that a variable names; `cargo xtask test` sets it.
fn installed(variable: &str) -> PathBuf {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    folder.filter(|folder| folder.is_dir()).unwrap_or_else(|| {
        panic!("set {variable} to the folder of the installed packages; `cargo xtask test` does")
    })
}

/// A new project of that language.
fn new(place: &Place, language: &str) -> PathBuf {
    harness(place, ["new", "crab", "--lang", language]).done().succeeded();
    place.home().join("crab")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a temporary folder with a readable name")
}

fn report(done: &Done) -> serde_json::Value {
    done.lines_of_kind("report").next().expect("a report")
}

#[test]
fn a_rust_harness_from_nothing_to_conformant() {
    let place = Place::new();
    let project = new(&place, "rust");
    let unbuilt = harness(&place, ["test", path(&project)]).done().exited(2);
    assert!(unbuilt.stderr.contains("harness build"), "{}", unbuilt.stderr);

    let built = harness(&place, ["build", path(&project), "--locked", "--format", "json"]);
    let built = built.build_done().succeeded();
    let component = project.join("dist/crab.wasm");
    let first = fs::read(&component).unwrap();
    assert_eq!(built.events()[0]["size_bytes"], json!(first.len()));

    let checked = harness(&place, ["check", path(&project), "--format", "json"]).done().succeeded();
    assert_eq!(report(&checked)["world"], "harness");
    assert_eq!(report(&checked)["good"], true);
    assert!(checked.lines_of_kind("line").all(|line| line["verdict"] == "good"));

    let tested = harness(&place, ["test", path(&project), "--format", "json"]).build_done();
    let tested = tested.succeeded();
    let report = report(&tested);
    assert_eq!((&report["failed"], &report["not_applicable"]), (&json!(0), &json!(0)), "{report}");

    // Built elsewhere from the same sources: the same bytes.
    let elsewhere = place.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    for entry in ["Cargo.toml", "Cargo.lock", "harness.yaml"] {
        fs::copy(project.join(entry), elsewhere.join(entry)).unwrap();
    }
    fs::create_dir(elsewhere.join("src")).unwrap();
    fs::copy(project.join("src/lib.rs"), elsewhere.join("src/lib.rs")).unwrap();
    let wit = elsewhere.join("wit");
    harness(&place, ["wit", "--out", path(&wit)]).done().succeeded();
    harness(&place, ["build", path(&elsewhere)]).build_done().succeeded();
    assert!(first == fs::read(elsewhere.join("dist/crab.wasm")).unwrap(), "the bytes differ");
}

/// A project in a language whose packages lie in `packages`, built, checked and tested.
fn from_nothing(language: &str, packages: &Path, beside: &str, not_applicable: u64) {
    let place = Place::new();
    let project = new(&place, language);
    std::os::unix::fs::symlink(packages, project.join(beside)).unwrap();
    harness(&place, ["build", path(&project)]).build_done().succeeded();
    let checked = harness(&place, ["check", path(&project), "--format", "json"]).done().succeeded();
    assert_eq!(report(&checked)["good"], true);
    let tested = harness(&place, ["test", path(&project), "--format", "json"]).build_done();
    let report = report(&tested.succeeded());
    assert_eq!(report["failed"], 0, "{report}");
    assert_eq!(report["not_applicable"], not_applicable, "{report}");
}

#[test]
fn a_harness_in_javascript_from_nothing_to_conformant() {
    from_nothing("js", &installed("XPRESSCLAW_TEST_AUTHORING_NPM"), "node_modules", 1);
}

#[test]
fn a_harness_in_python_from_nothing_to_conformant() {
    from_nothing("python", &installed("XPRESSCLAW_TEST_AUTHORING_PYTHON"), "packages", 1);
}

/// What cannot be built says why, and leaves the component that was there.
#[test]
fn a_mistake_in_the_sources_leaves_what_was_built() {
    let place = Place::new();
    let project = new(&place, "rust");
    fs::create_dir(project.join("dist")).unwrap();
    fs::write(project.join("dist/crab.wasm"), "before").unwrap();
    fs::write(project.join("src/lib.rs"), "mistake").unwrap();
    let failed = harness(&place, ["build", path(&project)]).build_done().exited(1);
    assert!(failed.stderr.contains("cargo failed"), "{}", failed.stderr);
    assert!(failed.stderr.contains("message above"), "{}", failed.stderr);
    assert_eq!(fs::read(project.join("dist/crab.wasm")).unwrap(), b"before");
}

#[test]
fn a_tool_that_is_missing_is_named_with_where_to_get_it() {
    for (language, tool, hint) in [
        ("rust", "`cargo` is not installed", "rustup.rs"),
        ("js", "`npm` is not installed", "nodejs.org"),
        ("python", "`python3` is not installed", "python.org"),
    ] {
        let place = Place::new();
        let project = new(&place, language);
        let failed = harness(&place, ["build", path(&project)]).env("PATH", "").done().exited(1);
        assert!(failed.stderr.contains(tool), "{}", failed.stderr);
        assert!(failed.stderr.contains(hint), "{}", failed.stderr);
    }
}

#[test]
fn what_is_no_component_has_a_report_and_an_exit_code() {
    let place = Place::new();
    let file = place.file("not.wasm", "#!/bin/sh");
    let checked = harness(&place, ["check", &file]).done().exited(1);
    assert!(checked.stdout.contains("fix: "), "{}", checked.stdout);
    let tested = harness(&place, ["test", &file]).done().exited(1);
    assert!(tested.stderr.contains("harness check"), "{}", tested.stderr);
}

/// A harness that breaks a duty fails its test, with the reason, and so does the command.
#[test]
fn a_harness_that_breaks_a_duty_fails() {
    let place = Place::new();
    let misfit = e2e::guest("misfit");
    let args = ["test", path(&misfit), "--scenario", "cut-off", "--scenario", "streaming"];
    let run = harness(&place, args).args(["--settings", r#"{"misfit": "embellishes"}"#]);
    let failed = run.args(["--tool", r#"remember={"text": "a"}"#]).build_done().exited(1);
    assert!(failed.stdout.contains("1 passed, 1 failed, 0 not applicable"), "{}", failed.stdout);
    assert!(failed.stdout.contains("EndTurn"), "{}", failed.stdout);
}

#[test]
fn the_contract_is_written_as_packages() {
    let place = Place::new();
    let done = harness(&place, ["wit", "--packages", "--out", "packages"]).done().succeeded();
    assert!(done.stdout.contains("packages/xpressclaw-harness@0.1.0.wasm"), "{}", done.stdout);
    let bytes = fs::read(place.home().join("packages/xpressclaw-harness@0.1.0.wasm")).unwrap();
    assert!(bytes.starts_with(b"\0asm"));
}

/// The next turn uses the component that took the place of the one before.
#[test]
fn a_watched_conversation_goes_on_with_what_changed() {
    let place = Place::new();
    let script = place.script(&[json!({"text": "One."}), json!({"text": "Two."})]);
    let component = place.path().join("changing.wasm");
    fs::copy(e2e::harnesses().join("echo.wasm"), &component).unwrap();
    let args = ["run", path(&component), "--watch", "--model", &script];
    let mut terminal = place.command(args).in_terminal();
    terminal.see("> ");
    terminal.line("First?");
    terminal.see("One.");
    terminal.see("> ");
    // Not a component: the turn says so, and runs what there was.
    fs::write(&component, "broken").unwrap();
    terminal.line("Second?");
    terminal.see("changing changed");
    terminal.see("what there was before");
    terminal.see("Two.");
    terminal.see("> ");
    fs::copy(e2e::harnesses().join("builtin.wasm"), &component).unwrap();
    terminal.line("Third?");
    terminal.see("this turn uses what changed");
    terminal.see("add a line to it");
    terminal.see("> ");
    terminal.type_in(e2e::CTRL_D);
    terminal.done();
}

/// Its prompt is run again with what changed.
#[test]
fn a_watched_prompt_is_run_again() {
    let place = Place::new();
    let script = place.script(&[json!({"text": "I hear."})]);
    let component = place.path().join("changing.wasm");
    fs::copy(e2e::harnesses().join("echo.wasm"), &component).unwrap();
    let args = ["run", path(&component), "Hello?", "--watch", "--model", &script];
    let mut terminal = place.command(args).in_terminal();
    terminal.see("I hear.");
    terminal.see("watching for changes");
    fs::copy(e2e::harnesses().join("builtin.wasm"), &component).unwrap();
    terminal.see("I hear.");
    terminal.see("watching for changes");
    terminal.type_in(e2e::CTRL_C);
    let (code, output) = terminal.done();
    assert_eq!(code, 0, "{output}");
}
