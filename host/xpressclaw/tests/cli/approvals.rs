use domain::{ActionKind, SessionId, Verdict};
use store::approval::{Decision, Held};

use crate::home::{Home, NOON, pi};

#[test]
fn what_is_remembered_is_listed_and_forgotten() {
    let home = Home::new();
    let session = SessionId::new("s1").unwrap();
    {
        let store = home.store();
        let approvals = store.approval();
        let remember = |held, kind, subject| {
            approvals.remember(&pi(), held, kind, subject, "terminal", NOON).unwrap();
        };
        remember(Held::ForGood, ActionKind::Tool, "files.read");
        remember(Held::Session(&session), ActionKind::Command, "git push\u{1b}[31m\nls");
    }
    let list = home.ok(&["approvals", "list"]);
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("ID  SINCE"), "{list}");
    assert!(lines[1].contains("session s1  command  terminal  git push"), "{list}");
    assert!(lines[3].starts_with(" 1  2026-11-18 12:00:00  pi     for good"), "{list}");
    assert!(!list.contains('\u{1b}'), "{list:?}");

    let rows = home.json(&["approvals", "list", "--agent", "pi"]);
    assert_eq!((&rows[0]["id"], &rows[0]["session"]), (&"2".into(), &"s1".into()));
    assert_eq!(rows[0]["subject"], "git push\u{1b}[31m\nls");
    assert!(rows[1]["session"].is_null());
    assert_eq!(home.ok(&["approvals", "list", "--agent", "other"]), "");

    assert_eq!(home.ok(&["approvals", "forget", "1"]), "1\n");
    home.refused(
        &["approvals", "forget", "1"],
        1,
        &["error: nothing is remembered under `1`", "hint: `xpressclaw approvals list`"],
    );
    assert_eq!(home.json(&["approvals", "list"]).len(), 1);
}

#[test]
fn the_history_says_who_allowed_what() {
    let home = Home::new();
    let session = SessionId::new("s1").unwrap();
    {
        let store = home.store();
        for (n, (kind, subject, verdict, by)) in [
            (ActionKind::Read, ".env", Verdict::Denied, "rule deny path:**/.env"),
            (ActionKind::Host, "example.com:443", Verdict::Allowed, "terminal"),
        ]
        .into_iter()
        .enumerate()
        {
            let decision = Decision {
                agent: &pi(),
                session: &session,
                turn: None,
                kind,
                subject,
                verdict,
                by,
            };
            store.approval().record(&decision, NOON + n as u64).unwrap();
        }
    }
    let history = home.ok(&["approvals", "history"]);
    let lines: Vec<&str> = history.lines().collect();
    assert!(lines[1].contains("path(read)  denied   rule deny path:**/.env  .env"), "{history}");
    assert!(lines[2].contains("host        allowed  terminal"), "{history}");
    let rows = home.json(&["approvals", "history", "--session", "s1", "-n", "1"]);
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["verdict"], &rows[0]["by"]), (&"allowed".into(), &"terminal".into()));
    assert_eq!(home.ok(&["approvals", "history", "--session", "s2"]), "");
}
