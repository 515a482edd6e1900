use crate::home::Home;

#[test]
fn a_note_is_added_listed_found_and_deleted() {
    let home = Home::new();
    let id = home.ok(&[
        "memory",
        "add",
        "the parser is in src/parse.rs",
        "--tag",
        "code",
        "--agent",
        "pi",
    ]);
    assert_eq!(id, "1\n");
    home.ok(&["memory", "add", "two\nlines", "--tag", "a", "--tag", "b", "--agent", "pi"]);

    let list = home.ok(&["memory", "list", "--agent", "pi"]);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 4, "{list}");
    assert!(lines[0].starts_with("ID  ADDED"), "{list}");
    assert!(lines[1].starts_with(" 2  20") && lines[1].ends_with("  a, b  two"), "{list}");
    assert_eq!(lines[2].find("lines"), lines[1].find("two"), "{list}");
    assert!(lines[3].ends_with("  code  the parser is in src/parse.rs"), "{list}");

    let rows = home.json(&["memory", "list", "--agent", "pi", "--limit", "1"]);
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["id"], &rows[0]["agent"]), (&"2".into(), &"pi".into()));
    assert_eq!((&rows[0]["text"], &rows[0]["tags"][1]), (&"two\nlines".into(), &"b".into()));
    assert!(rows[0]["created"].as_u64().unwrap() > 1_700_000_000_000);
    assert!(rows[0].get("score").is_none());

    let hits = home.json(&["memory", "search", "pars", "unknownword", "--agent", "pi"]);
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0]["id"], "1");
    assert!(hits[0]["score"].as_f64().unwrap() > 0.0);

    assert_eq!(home.ok(&["memory", "delete", "1", "--agent", "pi"]), "1\n");
    home.refused(
        &["memory", "delete", "1", "--agent", "pi"],
        1,
        &["error: no note `1`", "hint: `xpressclaw memory list`"],
    );
    let deleted = home.json(&["memory", "delete", "2", "--agent", "pi"]);
    assert_eq!(deleted[0]["change"], "deleted");
    let done = home.run(&["memory", "list", "--agent", "pi"]);
    assert_eq!((done.code, done.stdout.as_str()), (0, ""));
    assert!(done.stderr.contains("agent `pi` has no notes"), "{done:?}");
}

#[test]
fn limits_are_refused_before_anything_happens() {
    let home = Home::new();
    let add = |text: &str| ["memory", "add", text, "--agent", "pi"].map(str::to_owned);
    for limit in ["0", "101", "many"] {
        home.refused(
            &["memory", "list", "--limit", limit, "--agent", "pi"],
            2,
            &[&format!("invalid value '{limit}' for '--limit <N>'")],
        );
    }
    home.refused(&["memory", "list", "--agent", "a b"], 2, &["`a b` holds ` `"]);
    home.refused(&["memory", "search", "--agent", "pi"], 2, &["<QUERY>..."]);
    let long = "x".repeat(65_537);
    for text in ["", long.as_str()] {
        let args = add(text);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        home.refused(&args, 2, &["error: `text` must be 1 to 65536 bytes"]);
    }
}

#[test]
fn what_a_guest_wrote_cannot_touch_the_terminal() {
    let home = Home::new();
    home.ok(&[
        "memory",
        "add",
        "\u{1b}]0;owned\u{7}title\u{202e}",
        "--tag",
        "\u{1b}[31m",
        "--agent",
        "pi",
    ]);
    let list = home.ok(&["memory", "list", "--agent", "pi"]);
    assert!(list.ends_with("  title\n"), "{list:?}");
    assert!(!list.contains('\u{1b}') && !list.contains('\u{202e}'), "{list:?}");
}

#[test]
fn a_listing_makes_nothing() {
    let home = Home::new();
    for args in [
        &["memory", "list"][..],
        &["memory", "search", "x", "--agent", "pi"],
        &["tasks", "list"],
        &["budget"],
        &["budget", "history"],
        &["logs"],
        &["approvals", "list"],
        &["approvals", "history"],
        &["harness", "list"],
        &["model", "list"],
    ] {
        let done = home.run(args);
        assert_eq!(done.code, 0, "{args:?}: {done:?}");
        // What can be pulled is listed where nothing is, too.
        assert!(done.stdout.is_empty() || args[0] == "model", "{args:?}: {done:?}");
        assert!(!done.stderr.is_empty(), "{args:?}");
    }
    home.refused(&["memory", "delete", "1"], 1, &["no note `1`"]);
    home.refused(&["tasks", "update", "1", "--status", "done"], 1, &["no task `1`"]);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);

    // Nor in a folder that is there for something else.
    std::fs::create_dir(home.data()).unwrap();
    home.ok(&["memory", "list"]);
    assert_eq!(std::fs::read_dir(home.data()).unwrap().count(), 0);
}
