//! What is wrong before any command begins.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};

use crate::home::Home;

#[test]
fn a_misspelt_key_names_the_nearest() {
    let home = Home::new();
    home.configure("agents:\n  - {name: pi, harness: pi, budgets: {daily: 1}}\n");
    home.refused(
        &["memory", "list"],
        2,
        &[
            "error: the configuration cannot be used",
            "xpressclaw.yaml:2:",
            "did you mean `budget`?",
        ],
    );
    let other = home.file("other.yaml", "colour: red\n");
    home.refused(
        &["--config", other.to_str().unwrap(), "tasks", "list"],
        2,
        &["other.yaml:1:1: unknown key `colour`", "hint: the keys of the file are `version`"],
    );
    home.refused(
        &["budget", "--config", "none.yaml"],
        2,
        &["there is no configuration at none.yaml"],
    );
}

#[test]
fn a_newer_data_directory_is_refused_and_left_alone() {
    let home = Home::new();
    home.ok(&["memory", "add", "x", "--agent", "pi"]);
    // The user version in the header of SQLite's file format: four bytes at 60, big-endian.
    let path = home.data().join("store.db");
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(60)).unwrap();
    file.write_all(&99_u32.to_be_bytes()).unwrap();
    drop(file);
    let before = std::fs::read(&path).unwrap();
    let why =
        ["error: cannot open the data directory", "version 99", "update xpressclaw", "hint: "];
    home.refused(&["memory", "list", "--agent", "pi"], 1, &why);
    home.refused(&["tasks", "create", "x", "--agent", "pi"], 1, &why);
    let done = home.run(&["doctor"]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.stdout.contains("version 99"), "{done:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    // Another data directory works, and the flag goes before the variable.
    let other = home.path().join("other");
    let other = other.to_str().unwrap();
    home.ok(&["--data-dir", other, "memory", "add", "x", "--agent", "pi"]);
    assert!(home.path().join("other/store.db").exists());
}

#[test]
fn usage_is_explained_by_the_program() {
    let home = Home::new();
    home.refused(&["memories"], 2, &["unrecognized subcommand 'memories'", "memory"]);
    home.refused(&["memory"], 2, &["Usage: xpressclaw memory"]);
    home.refused(&["logs", "--format", "xml"], 2, &["possible values: text, json"]);
    let help = home.ok(&["--help"]);
    for part in ["Environment:", "XPRESSCLAW_DATA_DIR", "doctor"] {
        assert!(help.contains(part), "{part} in {help}");
    }
    assert!(home.ok(&["--version"]).starts_with("xpressclaw "));
}
