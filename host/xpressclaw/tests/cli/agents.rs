//! Whose rows, when nobody says.

use store::session::Opening;

use crate::home::{Home, NOON};

fn had_a_session(home: &Home, agent: &str) {
    let agent = domain::AgentName::new(agent).unwrap();
    let id = domain::SessionId::mint();
    let opening = Opening {
        id: &id,
        agent: &agent,
        harness: "h",
        digest: None,
        middleware: "",
        model: "local",
    };
    home.store().session().open(&opening, NOON).unwrap();
}

#[test]
fn the_only_agent_needs_no_name() {
    let home = Home::new();
    home.refused(&["memory", "add", "x"], 2, &["no agent is configured", "--agent pi"]);
    assert!(!home.data().exists());
    had_a_session(&home, "pi");
    home.ok(&["memory", "add", "mine"]);
    home.ok(&["tasks", "create", "mine"]);
    assert_eq!(home.json(&["memory", "list"])[0]["agent"], "pi");
    assert_eq!(home.json(&["tasks", "list"])[0]["agent"], "pi");
    assert_eq!(home.json(&["memory", "delete", "1"])[0]["agent"], "pi");
}

#[test]
fn of_several_agents_one_must_be_named() {
    let home = Home::new();
    had_a_session(&home, "pi");
    home.configure("agents:\n  - {name: reviewer, harness: pi}\n");
    for args in [&["memory", "list"][..], &["memory", "add", "x"], &["tasks", "create", "x"]] {
        home.refused(args, 2, &["there are several agents: pi, reviewer", "hint: name one"]);
    }
    home.ok(&["memory", "list", "--agent", "reviewer"]);
}

#[test]
fn a_configured_agent_may_be_prepared_before_it_runs() {
    let home = Home::new();
    home.configure("agents:\n  - {name: reviewer, harness: pi}\n");
    home.ok(&["memory", "add", "be kind"]);
    assert_eq!(home.json(&["memory", "list"])[0]["agent"], "reviewer");
}
