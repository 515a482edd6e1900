//! Commands that wait for the user.

use std::sync::Arc;

use approvals::{Action, choices};
use bindings::machine::shell::{Command, HostProcess as _, Signal};
use bindings::machine::types::Error;
use domain::Nobody;
use domain::event::{Call, Kind};
use futures::FutureExt as _;

use crate::bench::{Bench, borrow, rules, script, size, soon};
use crate::person::Person;

fn called(id: &str, text: &str) -> Command {
    Command { call_id: Some(id.into()), ..script(text) }
}

#[tokio::test]
async fn a_command_starts_when_the_user_has_agreed_and_spawning_never_blocks() {
    let person = Person::who_says(choices::ALLOW);
    let mut bench = Bench::with(rules(&["command:*asked*"], &[]), person.clone());
    let text = "cat; touch asked; echo asked";
    let process = bench.spawn(called("call_1", text)).await;
    let question = soon(person.is_asked()).await;
    assert_eq!(question.call.as_deref(), Some("call_1"));
    assert!(question.text.contains(text), "{}", question.text);

    let conditions = bench.conditions(process).await;
    assert!(conditions.iter().all(|condition| !condition.is_ready()), "{conditions:?}");
    assert!(bench.view().read(borrow(process), 1).now_or_never().is_none());
    assert!(bench.view().write(borrow(process), b"x".into()).now_or_never().is_none());
    assert!(bench.view().exit(borrow(process)).now_or_never().is_none());
    for _ in 0..2 {
        bench.close(process).await.unwrap();
    }
    assert!(!bench.workspace.path().join("asked").exists());

    person.answer();
    for condition in conditions {
        soon(condition.clone().ready()).await;
    }
    // Its input was closed before it was there.
    let outcome = bench.finish(process).await;
    assert_eq!((&*outcome.stdout, &*outcome.exit), ("asked\n", "0"));
    assert!(bench.workspace.path().join("asked").exists());

    // What is asked for meanwhile is there from the start.
    let on_terminal = Command { pty: Some(size(80, 24)), ..script("stty size # asked") };
    let process = bench.spawn(on_terminal).await;
    soon(person.is_asked()).await;
    bench.resize(process, size(91, 31)).await.unwrap();
    person.answer();
    assert_eq!(bench.finish(process).await.stdout, "31 91\r\n");

    // The time until an answer is not the command's.
    let limited = Command { timeout_ms: Some(6_000), ..script("echo asked again") };
    let process = bench.spawn(limited).await;
    soon(person.is_asked()).await;
    bench.sh("sleep 6.5").await;
    person.answer();
    let outcome = bench.finish(process).await;
    assert_eq!((&*outcome.stdout, &*outcome.exit), ("asked again\n", "0"));
}

#[tokio::test]
async fn a_denial_comes_from_each_call_that_needs_an_answer() {
    let person = Person::who_says(choices::DENY);
    let deny = rules(&["command:*"], &["command:rm *"]);
    let asked = Bench::with(deny.clone(), person.clone());
    let alone = Bench::with(deny, Arc::new(Nobody));
    person.answer();
    let mut benches = [asked, alone];
    for (at, text, reason) in [
        (0, "touch x", "was denied by the user"),
        (1, "touch x", "no user is there to give it"),
        (1, "rm x", "rm *"),
    ] {
        let bench = &mut benches[at];
        let process = bench.spawn(script(text)).await;
        let conditions = bench.conditions(process).await;
        let told = |error: &Error| matches!(error, Error::Denied(text) if text.contains(reason));
        for _ in 0..2 {
            let error = bench.read(process, 1).await.unwrap_err();
            assert!(told(&error), "{error:?}");
            assert!(told(&bench.exit(process).await.unwrap_err()));
            assert!(told(&bench.write(process, b"x").await.unwrap_err()));
            assert!(told(&bench.close(process).await.unwrap_err()));
            bench.kill(process, Signal::Kill).await.unwrap();
        }
        assert!(conditions.iter().all(domain::wait::Waitable::is_ready), "{conditions:?}");
    }
    assert_eq!(person.asked.lock().unwrap().len(), 1);
    for bench in benches {
        assert_eq!(std::fs::read_dir(bench.workspace.path()).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn an_approval_of_this_very_script_under_this_id_is_not_asked_for_again() {
    let person = Person::who_says(choices::ALLOW);
    let mut bench = Bench::with(rules(&["command:*"], &[]), person.clone());
    let shown = Call {
        id: "call_1".into(),
        tool: "bash".into(),
        kind: Kind::Execute,
        title: "bash".into(),
        input: r#"{"command":"echo shown"}"#.into(),
        locations: Vec::new(),
    };
    person.answer();
    bench.approvals.check(&Action::permit(&shown)).await.unwrap();
    soon(person.is_asked()).await;
    assert_eq!(bench.run(called("call_1", "echo shown")).await.stdout, "shown\n");
    assert_eq!(person.asked.lock().unwrap().len(), 1, "not asked again");

    bench.approvals.check(&Action::permit(&shown)).now_or_never();
    soon(person.is_asked()).await;
    person.answer();
    bench.approvals.check(&Action::permit(&shown)).await.unwrap();
    soon(person.is_asked()).await;
    for command in
        [called("call_2", "echo shown"), called("call_1", "echo other"), script("echo shown")]
    {
        let process = bench.spawn(command).await;
        soon(person.is_asked()).await;
        bench.drop(process).await;
        soon(person.is_not_asked_any_more()).await;
    }
}

#[tokio::test]
async fn a_signal_or_a_drop_before_the_start_withdraws_the_command() {
    let person = Person::who_says(choices::ALLOW);
    let mut bench = Bench::with(rules(&["command:*"], &[]), person.clone());
    for (signal, number) in [(Signal::Interrupt, 2), (Signal::Terminate, 15), (Signal::Kill, 9)] {
        let process = bench.spawn(script("touch x")).await;
        soon(person.is_asked()).await;
        for _ in 0..2 {
            bench.kill(process, signal).await.unwrap();
        }
        soon(person.is_not_asked_any_more()).await;
        assert_eq!(bench.exit(process).await.unwrap(), format!("signal {number}"));
        assert!(bench.read(process, 1).await.unwrap().is_empty());
        assert!(bench.write(process, b"x").await.is_err());
        bench.close(process).await.unwrap();
        bench.kill(process, signal).await.unwrap();
        let conditions = bench.conditions(process).await;
        assert!(conditions.iter().all(domain::wait::Waitable::is_ready), "{conditions:?}");
    }
    // Also before anybody was asked.
    let process = bench.spawn(script("touch x")).await;
    let refused = bench.resize(process, size(80, 24)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "without a terminal: {refused:?}");
    bench.kill(process, Signal::Kill).await.unwrap();
    assert_eq!(bench.exit(process).await.unwrap(), "signal 9");

    let process = bench.spawn(script("touch x")).await;
    soon(person.is_asked()).await;
    bench.drop(process).await;
    soon(person.is_not_asked_any_more()).await;
    assert_eq!(person.asked.lock().unwrap().len(), 4);
}
