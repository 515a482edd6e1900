//! What is remembered of approvals, and the audit log.
#![allow(clippy::unwrap_used)]

use domain::{ActionKind, AgentName, SessionId, TurnId, Verdict};
use store::Store;
use store::approval::{AUDIT_SUBJECT_MAX_BYTES, ApprovalError, Decision, Held, SUBJECT_MAX_BYTES};

fn agent(name: &str) -> AgentName {
    AgentName::new(name).unwrap()
}

fn session(name: &str) -> SessionId {
    SessionId::new(name).unwrap()
}

#[test]
fn an_approval_holds_for_its_subject_kind_agent_and_session() {
    let store = Store::in_memory().unwrap();
    let approvals = store.approval();
    let (pi, spy, s1, s2) = (agent("pi"), agent("spy"), session("s1"), session("s2"));
    let held = Held::Session(&s1);
    approvals.remember(&pi, held, ActionKind::Command, "git push", "terminal", 1).unwrap();
    approvals.remember(&pi, Held::ForGood, ActionKind::Read, ".env", "terminal", 2).unwrap();
    for (agent, session, kind, subject, found) in [
        (&pi, &s1, ActionKind::Command, "git push", true),
        (&pi, &s2, ActionKind::Command, "git push", false),
        (&spy, &s1, ActionKind::Command, "git push", false),
        (&pi, &s1, ActionKind::Tool, "git push", false),
        (&pi, &s1, ActionKind::Command, "git push ", false),
        (&pi, &s1, ActionKind::Command, "git", false),
        (&pi, &s1, ActionKind::Read, ".env", true),
        (&pi, &s2, ActionKind::Read, ".env", true),
        (&pi, &s2, ActionKind::Write, ".env", false),
        (&spy, &s1, ActionKind::Read, ".env", false),
    ] {
        let result = approvals.find(agent, session, kind, subject).unwrap();
        assert_eq!(result.is_some(), found, "{agent} {session} {kind} {subject}");
    }
    // Remembered twice is remembered once, and what holds for longer counts.
    approvals.remember(&pi, held, ActionKind::Command, "git push", "other", 9).unwrap();
    let rows = approvals.list(Some(&pi), 10).unwrap();
    assert_eq!(rows.iter().map(|row| row.at).collect::<Vec<_>>(), [2, 1]);
    approvals.remember(&pi, Held::ForGood, ActionKind::Command, "git push", "x", 3).unwrap();
    let found = approvals.find(&pi, &s1, ActionKind::Command, "git push").unwrap().unwrap();
    assert_eq!((found.session, found.by.as_str()), (None, "x"));
}

#[test]
fn what_is_forgotten_is_asked_for_again() {
    let store = Store::in_memory().unwrap();
    let approvals = store.approval();
    let (pi, s1) = (agent("pi"), session("s1"));
    approvals.remember(&pi, Held::ForGood, ActionKind::Tool, "a", "terminal", 1).unwrap();
    let id = approvals.list(None, 10).unwrap()[0].id.to_string();
    assert_eq!(approvals.forget(&id).unwrap().subject, "a");
    assert!(approvals.find(&pi, &s1, ActionKind::Tool, "a").unwrap().is_none());
    for id in [id.as_str(), "", "x", "-1"] {
        let error = approvals.forget(id).unwrap_err();
        assert!(matches!(error, ApprovalError::NotFound { .. }), "{error}");
    }
    approvals.remember(&pi, Held::ForGood, ActionKind::Tool, "a", "terminal", 2).unwrap();
    assert_ne!(approvals.list(None, 10).unwrap()[0].id.to_string(), id, "an id never comes back");
}

#[test]
fn the_audit_log_keeps_every_decision_and_cuts_long_subjects() {
    let store = Store::in_memory().unwrap();
    let approvals = store.approval();
    let (pi, s1, turn) = (agent("pi"), session("s1"), TurnId::mint());
    let long = "ä".repeat(AUDIT_SUBJECT_MAX_BYTES);
    for (n, subject) in [(1, "a"), (2, long.as_str()), (3, "a")] {
        let decision = Decision {
            agent: &pi,
            session: &s1,
            turn: Some(&turn),
            kind: ActionKind::Command,
            subject,
            verdict: Verdict::Allowed,
            by: "terminal",
        };
        approvals.record(&decision, n).unwrap();
    }
    let rows = approvals.history(Some(&pi), Some(&s1), 10).unwrap();
    assert_eq!(rows.iter().map(|row| row.at).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(rows[0].turn.as_ref(), Some(&turn));
    assert!(rows[1].subject.len() <= AUDIT_SUBJECT_MAX_BYTES);
    assert!(rows[1].subject.ends_with("ä… [cut]"));
    assert_eq!(approvals.history(None, None, 1).unwrap()[0].at, 3);
    assert!(approvals.history(Some(&agent("spy")), None, 10).unwrap().is_empty());
}

#[test]
fn subjects_have_limits() {
    let store = Store::in_memory().unwrap();
    let remember = |subject: &str| {
        let pi = agent("pi");
        store.approval().remember(&pi, Held::ForGood, ActionKind::Command, subject, "x", 1)
    };
    remember(&"x".repeat(SUBJECT_MAX_BYTES)).unwrap();
    for subject in [String::new(), "x".repeat(SUBJECT_MAX_BYTES + 1)] {
        let error = remember(&subject).unwrap_err();
        assert_eq!(error.to_string(), "`subject` must be 1 to 131072 bytes");
    }
}
