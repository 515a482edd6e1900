use crate::home::Home;

fn line<'a>(report: &'a str, what: &str) -> &'a str {
    report.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what} in\n{report}"))
}

#[test]
fn a_fresh_machine_is_told_what_is_missing() {
    let home = Home::new();
    let report = home.ok(&["doctor"]);
    for (what, verdict) in [
        ("configuration", "ok"),
        ("data directory", "ok"),
        ("store", "ok"),
        ("compiled code", "ok"),
        ("harnesses", "warn"),
        ("machine  ", "warn"),
        ("local model", "warn"),
    ] {
        assert!(line(&report, what).starts_with(verdict), "{report}");
    }
    assert!(report.contains("WebAssembly runs here"), "{report}");
    assert!(report.contains("hint: put components (NAME.wasm) into"), "{report}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "it changes nothing");
}

#[test]
fn a_used_one_is_well() {
    let home = Home::new();
    home.ok(&["memory", "add", "x", "--agent", "pi"]);
    home.file("data/harnesses/pi.wasm", "");
    home.configure("providers: {openai: {api_key: env:KEY_THAT_IS_NOT_SET}}\n");
    let report = home.ok(&["doctor"]);
    assert!(line(&report, "store").contains("opens, and has this program's version"), "{report}");
    assert!(line(&report, "harnesses").ends_with("  pi"), "{report}");
    let keys = line(&report, "provider keys");
    assert!(keys.starts_with("warn") && keys.contains("no `KEY_THAT_IS_NOT_SET`"), "{report}");
    #[cfg(unix)]
    assert!(line(&report, "data directory").ends_with("mode 700"), "{report}");
}

#[test]
fn what_no_run_survives_fails() {
    let home = Home::new();
    home.configure("machine: on\n");
    let done = home.run(&["doctor"]);
    assert_eq!(done.code, 1, "{}", done.stdout);
    assert!(line(&done.stdout, "machine  ").starts_with("fail"), "{}", done.stdout);
    home.configure("modle: local\n");
    home.file(
        "data/store.db",
        "this is no database, and it is longer than a header of one is: 100",
    );
    home.file("data/models/broken.gguf", "no model");
    let done = home.run(&["doctor"]);
    assert_eq!(done.code, 1, "{done:?}");
    for what in ["configuration", "store", "local model"] {
        assert!(line(&done.stdout, what).starts_with("fail"), "{}", done.stdout);
    }
    assert!(done.stdout.contains("did you mean `model`?"), "{}", done.stdout);
    assert_eq!(done.stderr, "");
}
