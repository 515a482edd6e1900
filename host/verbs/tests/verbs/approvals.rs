use std::sync::Arc;

use approvals::Rules;
use async_trait::async_trait;
use bindings::xclaw::ask::Host as _;
use bindings::xclaw::memory::Host as _;
use bindings::xclaw::task::{Change, Host as _};
use domain::{Answer, Nobody, Question, User};

use crate::bench::{Bench, refused, store};

fn rules(ask: &[&str], deny: &[&str]) -> Rules {
    let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Rules { ask: parse(ask), deny: parse(deny), ..Rules::default() }
}

#[tokio::test]
async fn every_verb_that_can_be_refused_is() {
    for verb in approvals::VERBS {
        let rules = rules(&[], &[&format!("verb:{verb}")]);
        let mut pi = Bench::ruled(&store(), "pi", Arc::new(Nobody), rules);
        let says = format!("the rule `verb:{verb}`");
        let id = || "1".to_owned();
        match verb {
            "ask" => refused(pi.view().ask(id(), Vec::new()).await, "denied", &says),
            "memory.add" => refused(pi.view().add(id(), Vec::new()).await, "denied", &says),
            "memory.delete" => refused(pi.view().delete(id()).await, "denied", &says),
            "memory.list" => refused(pi.view().list_notes(None, 1).await, "denied", &says),
            "memory.search" => refused(pi.view().search(id(), 1).await, "denied", &says),
            "task.create" => refused(pi.view().create(id(), id(), None).await, "denied", &says),
            "task.get" => {
                use bindings::xclaw::task::Host;
                refused(Host::get(&mut pi.view(), id()).await, "denied", &says);
            }
            "task.list" => refused(pi.view().list_tasks(None, 1).await, "denied", &says),
            "task.update" => {
                let change = Change { title: None, detail: None, status: None };
                refused(pi.view().update(id(), change).await, "denied", &says);
            }
            other => panic!("no test for {other}"),
        }
        assert_eq!(pi.told(), [format!("verb {verb} denied: rule deny verb:{verb}")]);
        let other = if verb == "memory.list" { "memory.add" } else { "memory.list" };
        if other == "memory.list" {
            assert!(pi.view().list_notes(None, 1).await.unwrap().is_ok());
        } else {
            assert!(pi.view().add(id(), Vec::new()).await.unwrap().is_ok());
        }
    }
}

struct Yes;

#[async_trait]
impl User for Yes {
    async fn ask(&self, _question: &Question) -> Option<Answer> {
        Some(Answer { text: "allow".into(), by: "test".into() })
    }
}

#[tokio::test]
async fn a_verb_waits_for_the_users_word() {
    let store = store();
    let mut pi = Bench::ruled(&store, "pi", Arc::new(Yes), rules(&["verb:memory.*"], &[]));
    assert!(pi.view().add("a note".into(), Vec::new()).await.unwrap().is_ok());
    let told = pi.told();
    assert!(told[0].starts_with("ask: use `memory.add`? a note"), "{told:?}");
    assert_eq!(
        told[1..],
        ["answered: allow by test", "verb memory.add allowed: test", "memory.add: a note"]
    );

    let mut pi = Bench::ruled(&store, "pi", Arc::new(Nobody), rules(&["verb:memory.*"], &[]));
    let says = "add `approvals: {allow: [\"verb:memory.delete\"]}`";
    refused(pi.view().delete("1".into()).await, "denied", says);
    assert_eq!(store.memory().list(&pi.ctx.agent, None, 10).unwrap().len(), 1);
}
