use domain::SessionId;
use store::log::Level;

use crate::home::{Home, NOON, pi};

fn seeded() -> Home {
    let home = Home::new();
    let store = home.store();
    let work = SessionId::new("work").unwrap();
    let lines = [
        (None, Level::Debug, "starting"),
        (Some(&work), Level::Info, "hello \u{1b}[2Jthere\nsecond line"),
        (Some(&work), Level::Error, "it broke"),
    ];
    for (at, (session, level, message)) in (NOON..).zip(lines) {
        store.log().append(&pi(), session, level, message, at).unwrap();
    }
    let echo = domain::AgentName::new("echo").unwrap();
    store.log().append(&echo, None, Level::Warn, "from echo", NOON + 9_000).unwrap();
    home
}

#[test]
fn lines_are_aligned_filtered_and_oldest_first() {
    assert_eq!(
        seeded().ok(&["logs"]),
        "2026-11-18 12:00:00  debug  pi          starting\n\
         2026-11-18 12:00:00  info   pi    work  hello there\n\
         \x20                                       second line\n\
         2026-11-18 12:00:00  error  pi    work  it broke\n\
         2026-11-18 12:00:09  warn   echo        from echo\n"
    );
}

#[test]
fn filters_narrow_the_log() {
    let home = seeded();
    let messages = |args: &[&str]| -> Vec<String> {
        let lines = home.json(&[&["logs"], args].concat());
        lines.iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(messages(&["--level", "warn"]), ["it broke", "from echo"]);
    assert_eq!(messages(&["--agent", "echo"]), ["from echo"]);
    assert_eq!(messages(&["--session", "work", "--level", "error"]), ["it broke"]);
    assert_eq!(messages(&["-n", "1"]), ["from echo"]);
    let line = &home.json(&["logs", "--session", "work", "-n", "2"])[0];
    assert_eq!((&line["level"], &line["session"]), (&"info".into(), &"work".into()));
    assert_eq!(line["at"], NOON + 1);

    let done = home.run(&["logs", "--agent", "nobody"]);
    assert_eq!((done.code, done.stdout.as_str()), (0, ""));
    assert!(done.stderr.contains("no line of the log matches"), "{done:?}");
}

#[test]
fn wrong_filters_are_refused() {
    let home = seeded();
    home.refused(
        &["logs", "--level", "loud"],
        2,
        &["possible values: trace, debug, info, warn, error"],
    );
    home.refused(&["logs", "-n", "0"], 2, &["is not in 1..=20000"]);
    home.refused(&["logs", "--session", "../up"], 2, &["invalid value '../up'"]);
}
