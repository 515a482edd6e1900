//! Reports on components made here: one that fits, and one for each thing that can be wrong.

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi};

use super::*;
use crate::wit;

/// A component with every import and export of a world that is written here.
fn component(world: &str) -> Vec<u8> {
    let (mut resolve, _) = wit::resolve().unwrap();
    let text = format!("package checks:dummies@1.0.0;\n{world}");
    let id = match resolve.push_source("dummy.wit", &text) {
        Ok(id) => id,
        Err(error) => panic!("{}", resolve.render_error(&error)),
    };
    let world = *resolve.packages[id].worlds.values().next_back().unwrap();
    let abi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
    let mut module = dummy_module(&resolve, world, abi);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

fn wrongs(report: &Report) -> Vec<&Line> {
    report.lines.iter().filter(|line| line.verdict == Verdict::Wrong).collect()
}

/// The one wrong line; every wrong line has a fix.
fn wrong_line(bytes: &[u8]) -> Line {
    let report = check(bytes).unwrap();
    let wrongs = wrongs(&report);
    assert_eq!(wrongs.len(), 1, "{report:#?}");
    assert!(!report.is_good());
    assert!(wrongs[0].fix.is_some() && wrongs[0].problem.is_some(), "{report:#?}");
    wrongs[0].clone()
}

#[test]
fn a_component_of_each_world_is_good() {
    for world in WORLDS {
        let bytes = component(&format!("world w {{ include xpressclaw:harness/{world}@0.1.0; }}"));
        let report = check(&bytes).unwrap();
        assert_eq!(report.world, Some(world));
        assert!(report.is_good(), "{:?}", wrongs(&report));
        let section = report.lines.iter().find(|line| line.what == "section").unwrap();
        assert_eq!(section.verdict, Verdict::Note, "nobody wrote a manifest");
    }
}

#[test]
fn an_import_that_nobody_offers_is_wrong() {
    let bytes = component(
        "interface stranger { meet: func(); }
         world w { include xpressclaw:harness/harness@0.1.0; import stranger; }",
    );
    let line = wrong_line(&bytes);
    assert_eq!((line.what, line.subject.as_str()), ("import", "checks:dummies/stranger@1.0.0"));
}

#[test]
fn a_component_that_exports_no_agent_is_wrong() {
    let line = wrong_line(&component("world w { import xpressclaw:llm/models@0.1.0; }"));
    assert_eq!((line.what, line.subject.as_str()), ("export", "xpressclaw:harness/agent@0.1.0"));
    assert!(line.fix.unwrap().contains("harness-sync"));
}

#[test]
fn what_is_no_component_says_what_it_is() {
    let module = wat::parse_str("(module)").unwrap();
    assert!(wrong_line(&module).problem.unwrap().contains("core module"));
    assert!(wrong_line(b"#!/bin/sh").fix.unwrap().contains(".wasm"));
    assert!(wrong_line(b"").fix.is_some());
}

/// The same interface with another type in it.
#[test]
fn other_types_under_the_same_name_are_wrong() {
    let wat = r#"(component
        (import "xpressclaw:xclaw/version@0.1.0" (instance
            (export "get" (func (param "more" u32)))))
        (import "xpressclaw:llm/chat@0.0.9" (instance))
        (import "xpressclaw:llm/models@0.3.0" (instance)))"#;
    let report = check(&wat::parse_str(wat).unwrap()).unwrap();
    let problem = |name: &str| {
        let line = report.lines.iter().find(|line| line.subject.starts_with(name)).unwrap();
        assert_eq!(line.verdict, Verdict::Wrong, "{line:?}");
        line.problem.clone().unwrap()
    };
    assert!(problem("xpressclaw:xclaw/version").contains("other types"));
    assert!(problem("xpressclaw:llm/chat").contains("older contract; this host offers 0.1.0"));
    assert!(problem("xpressclaw:llm/models").contains("newer contract; this host offers 0.1.0"));
}
