#![allow(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

use super::*;
use crate::find::Finder;
use crate::xpressclaw::llm::types::{Finish, Outcome, ToolCallStart, Usage};

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

fn vault() -> Vault {
    let mut vault = Vault::default();
    vault.redact(TOKEN, &Finder::new().unwrap()).unwrap();
    vault
}

fn finished() -> Event {
    let usage = Usage { input: 1, cached: 0, cache_written: 0, output: 1, reasoning: 0 };
    let model = "m".to_owned();
    Event::Finished(Outcome { finish: Finish::Stop, model, downgraded_from: None, usage, cost: 0 })
}

fn text(text: &str) -> Event {
    Event::Text(text.to_owned())
}

fn call(index: u32) -> Event {
    let (id, name) = (format!("c{index}"), "write".to_owned());
    Event::ToolCallStart(ToolCallStart { index, id, name })
}

fn shown(events: &[Event]) -> String {
    let one = |event: &Event| match event {
        Event::Text(text) => format!("t:{text} "),
        Event::Thinking(text) => format!("h:{text} "),
        Event::ToolCallStart(start) => format!("s{} ", start.index),
        Event::ToolCallArguments(a) => format!("a{}:{} ", a.index, a.fragment),
        Event::Finished(_) => "end".to_owned(),
        other => panic!("{other:?}"),
    };
    events.iter().map(one).collect()
}

#[test]
fn streams_do_not_mix_and_keep_their_order() {
    let vault = vault();
    let mut answer = Answer::default();
    let arrived = vec![
        text("Now [redacted:git"),
        text("hub-token:1]. ["),
        call(0),
        arguments(0, r#"{"x": "[redacted:github"#.to_owned()),
        call(1),
        arguments(1, r#"{"y": 1}"#.to_owned()),
        arguments(0, r#"-token:1]"}"#.to_owned()),
        finished(),
    ];
    let events = answer.restore(Ok(arrived), &vault).unwrap();
    assert_eq!(
        shown(&events),
        format!("t:Now  t:{TOKEN}.  t:[ s0 a0:{{\"x\": \" s1 a1:{{\"y\": 1}} a0:{TOKEN}\"}} end")
    );
}

#[test]
fn what_is_held_back_comes_before_the_end() {
    let vault = vault();
    let mut answer = Answer::default();
    assert_eq!(answer.restore(Ok(vec![text("[redacted:")]), &vault).unwrap().len(), 0);
    let events = answer.restore(Ok(vec![finished()]), &vault).unwrap();
    assert_eq!(shown(&events), "t:[redacted: end");

    let mut answer = Answer::default();
    answer.restore(Ok(vec![text("a [redacted:")]), &vault).unwrap();
    let events = answer.restore(Err(Error::Cancelled), &vault).unwrap();
    assert_eq!(shown(&events), "t:[redacted: ");
    assert!(answer.has_failed());
    assert!(matches!(answer.take_failure(), Some(Error::Cancelled)));
    assert!(!answer.has_failed());
    assert!(matches!(answer.restore(Err(Error::Cancelled), &vault), Err(Error::Cancelled)));
}

#[test]
fn thinking_stays_as_the_model_signed_it() {
    let vault = vault();
    let thought = Event::Thinking("about [redacted:github-token:1]".to_owned());
    let events = Answer::default().restore(Ok(vec![thought]), &vault).unwrap();
    assert_eq!(shown(&events), "h:about [redacted:github-token:1] ");
}
