use crate::home::Home;

#[test]
fn a_task_is_created_changed_and_listed() {
    let home = Home::new();
    assert_eq!(home.ok(&["tasks", "create", "write the docs", "--agent", "pi"]), "1\n");
    let created =
        home.json(&["tasks", "create", "ship", "--detail", "then\nrest", "--agent", "pi"]);
    assert_eq!((&created[0]["id"], &created[0]["status"]), (&"2".into(), &"open".into()));
    assert_eq!(created[0]["agent"], "pi");

    let updated = home.ok(&["tasks", "update", "1", "--status", "active", "--agent", "pi"]);
    assert!(updated.contains(" 1  active  20"), "{updated}");
    let updated = home
        .json(&["tasks", "update", "2", "--title", "ship it", "--detail", "now", "--agent", "pi"]);
    assert_eq!((&updated[0]["title"], &updated[0]["detail"]), (&"ship it".into(), &"now".into()));

    let list = home.ok(&["tasks", "list", "--agent", "pi"]);
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("ID  STATUS  UPDATED"), "{list}");
    assert!(!lines[0].contains("PARENT"), "{list}");
    assert!(lines[1].starts_with(" 2  open    20") && lines[1].ends_with("  ship it"), "{list}");
    assert!(lines[2].starts_with("   ") && lines[2].ends_with("  now"), "{list}");
    assert!(lines[3].ends_with("  write the docs"), "{list}");

    let active = home.json(&["tasks", "list", "--status", "active", "--agent", "pi"]);
    assert_eq!(active.len(), 1);
    assert_eq!(active[0]["title"], "write the docs");
    let done = home.run(&["tasks", "list", "--status", "failed", "--agent", "pi"]);
    assert!(done.stderr.contains("agent `pi` has no tasks of status failed"), "{done:?}");
}

#[test]
fn what_cannot_be_done_says_so() {
    let home = Home::new();
    home.ok(&["tasks", "create", "one", "--agent", "pi"]);
    home.refused(
        &["tasks", "update", "9", "--status", "done", "--agent", "pi"],
        1,
        &["error: no task `9`", "hint: `xpressclaw tasks list`"],
    );
    // Another agent's task is the same as an unknown one.
    home.refused(
        &["tasks", "update", "1", "--status", "done", "--agent", "echo"],
        1,
        &["no task `1`"],
    );
    home.refused(
        &["tasks", "update", "1", "--status", "finished", "--agent", "pi"],
        2,
        &[
            "invalid value 'finished'",
            "possible values: open, active, blocked, done, failed, cancelled",
        ],
    );
    home.refused(&["tasks", "list", "--status", "Done"], 2, &["invalid value 'Done'"]);
    home.refused(
        &["tasks", "update", "1", "--agent", "pi"],
        2,
        &["nothing is to be changed", "--status"],
    );
    home.refused(
        &["tasks", "create", "two\nlines", "--agent", "pi"],
        2,
        &["error: `title` must be one line of 1 to 256 bytes"],
    );
    home.refused(&["tasks", "list", "--limit", "0"], 2, &["'--limit <N>'"]);
}
