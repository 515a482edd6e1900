//! Caps: what happens when they do not suffice.

use e2e::{Answer, Place, Play, Server};
use serde_json::{Value, json};

/// Three dollars for a million tokens in, fifteen out: one request of echo reserves about a quarter
/// of a dollar, because the script's model may write 16,384 tokens.
fn priced() -> Vec<Value> {
    vec![
        json!({"price": {"input": "$3", "output": "$15"}}),
        json!({"text": "Paid for.", "usage": {"input": 10, "output": 100}}),
    ]
}

const COST: u64 = 10 * 3_000 + 100 * 15_000;

#[test]
fn a_spent_budget_stops_and_names_the_cap() {
    for harness in ["echo", "pi"] {
        let place = Place::new();
        let model = place.script(&priced());
        let budget = ["--model", &model, "--budget", "$0.001", "--on-exceeded", "stop"];
        let done = place.run(harness).args(budget).args(["Hello."]).done().exited(4);
        assert_eq!(done.stdout, "");
        assert!(done.stderr.contains("the budget is spent: $0.001 of $0.001"), "{}", done.stderr);
        assert!(done.stderr.contains("the run's own with `--budget`"), "{}", done.stderr);
        assert_eq!(place.spends(), [], "nothing was sent");
    }
}

#[test]
fn a_budget_that_pays_for_less_shortens_the_answer_instead() {
    let place = Place::new();
    let server = Server::start([Play::Stream(Answer::text("Short.").usage(10, 0, 5))]);
    let run = place.run_with("echo", &server, r#"{price: {input: "$3", output: "$15"}}"#);
    // A thousand tokens out are 0.015 dollars.
    let budget = ["--budget", "$0.015", "--on-exceeded", "stop", "--format", "json"];
    let done = run.args(budget).args(["Hello."]).done().succeeded();
    let limit = server.next_request().body["max_tokens"].as_u64().expect("a limit");
    assert!((256..1_000).contains(&limit), "{limit}");
    let reserved = done.event("step_started")["reserved"].as_u64().expect("an amount");
    assert!(reserved <= 15_000_000, "{reserved}");
    assert_eq!(place.spent(), 10 * 3_000 + 5 * 15_000);
}

#[test]
fn a_budget_of_the_agent_holds_over_several_runs() {
    let place = Place::new();
    let model = place.script(&priced());
    let config = place.file(
        "xpressclaw.yaml",
        "agents: [{name: echo, harness: echo, budget: {daily: $0.004, on_exceeded: stop}}]",
    );
    let run = || place.run("echo").args(["--config", &config, "--model", &model, "Hello."]).done();
    run().succeeded();
    // What is left pays for less than 256 tokens.
    let refused = run().exited(4);
    assert!(refused.stderr.contains("daily"), "{}", refused.stderr);
    assert!(refused.stderr.contains("$0.00247 of $0.004"), "{}", refused.stderr);
    assert_eq!(place.spent(), COST);
}

#[test]
fn runs_at_the_same_time_share_a_budget() {
    let place = Place::new();
    let mut script = priced();
    // Long enough that all of them have begun before the first one ends.
    script[1]["delay_ms"] = json!(300);
    let model = place.script(&script);
    // Pays for three answers and not for four.
    let config = place.file(
        "xpressclaw.yaml",
        "agents: [{name: echo, harness: echo, budget: {daily: $0.006, on_exceeded: stop}}]",
    );
    let run = || place.run("echo").args(["--config", &config, "--model", &model, "Hello."]);
    let running: Vec<_> = (0..6).map(|_| run().start()).collect();
    let codes: Vec<_> =
        running.into_iter().map(|running| running.done().status.code().unwrap()).collect();
    assert!(codes.iter().all(|code| [0, 4].contains(code)), "{codes:?}");
    let answered = codes.iter().filter(|code| **code == 0).count() as u64;
    assert!((1..=3).contains(&answered), "{codes:?}");
    assert_eq!(place.spent(), answered * COST);
}

#[test]
fn a_killed_run_is_booked_in_full_by_the_next_command() {
    let place = Place::new();
    let server = Server::start([Play::Hold(Answer::text("The beginning of "))]);
    let run = place.run_with("echo", &server, r#"{price: {input: "$3", output: "$15"}}"#);
    let running = run.args(["--format", "json", "Hello."]).start();
    running.event("message");
    running.kill();
    let done = running.done();
    assert_eq!(done.status.code(), None, "killed");
    let reserved = done.event("step_started")["reserved"].as_u64().expect("an amount");
    let spends = place.spends();
    assert_eq!(spends.len(), 1);
    assert_eq!((spends[0].ending.as_str(), spends[0].cost), ("recovered", reserved));
}

#[test]
fn a_budget_that_pauses_says_so_and_waits() {
    let place = Place::new();
    let model = place.script(&priced());
    let config = place.file(
        "xpressclaw.yaml",
        "agents: [{name: echo, harness: echo, budget: {daily: $0.001, on_exceeded: pause}}]",
    );
    let args = ["--config", &config, "--model", &model, "--format", "json", "Hello."];
    let running = place.run("echo").args(args).start();
    let event = running.event("budget");
    assert_eq!(event["cap"], 1_000_000);
    assert!(event["message"].to_string().contains("waiting"), "{event}");
    running.interrupt();
    let done = running.done().exited(130);
    assert_eq!(done.event("turn_finished")["stop"], "cancelled");
    assert_eq!(place.spends(), []);
}

#[test]
fn a_pause_that_nothing_could_end_is_a_stop() {
    let place = Place::new();
    let model = place.script(&priced());
    let budget = ["--model", &model, "--budget", "$0.001", "--on-exceeded", "pause"];
    let refused = place.run("echo").args(budget).args(["Hello."]).done().exited(4);
    assert!(refused.stderr.contains("a pause would never end"), "{}", refused.stderr);
    assert_eq!(place.spends(), []);
}

#[test]
fn a_budget_that_only_warns_lets_everything_through() {
    let place = Place::new();
    let model = place.script(&priced());
    let budget = ["--model", &model, "--budget", "$0.001", "--on-exceeded", "alert"];
    let done = place.run("echo").args(budget).args(["Hello."]).done().succeeded();
    assert_eq!(done.stdout, "Paid for.\n");
    assert_eq!(place.spent(), COST);
}

#[test]
fn a_spent_budget_degrades_to_the_local_model() {
    let place = Place::new();
    let model = place.script(&priced());
    let run = place.run("echo").local_model().args(["--model", &model, "--budget", "$0.001"]);
    let done = run.args(["--format", "json", "Say hello in one sentence."]).done().succeeded();

    let downgrade = done.event("downgrade");
    assert_eq!(downgrade["from"], "script:script.jsonl");
    assert_eq!(downgrade["to"], "local");
    assert!(downgrade["reason"].to_string().contains("$0.001"), "{downgrade}");
    assert!(!done.answer().trim().is_empty());
    assert!(!done.answer().contains("Paid for."));
    let finished = done.event("turn_finished");
    let served = finished["models"][0].as_str().expect("a model");
    assert!(served.starts_with("local/"), "{served}");
    assert_eq!(finished["cost"], 0);
    let spends = place.spends_settled();
    assert_eq!(spends.len(), 1);
    assert_eq!(spends[0].requested_model, "script:script.jsonl");
    assert_eq!(spends[0].model, "local");
    assert_eq!((spends[0].ending.as_str(), spends[0].cost), ("settled", 0));
}

#[test]
fn without_a_local_model_a_degrade_says_what_is_missing() {
    let place = Place::new();
    let model = place.script(&priced());
    let done = place.run("echo").args(["--model", &model, "--budget", "$0.001", "Hello."]).done();
    assert_ne!(done.status.code(), Some(0));
    assert!(done.stderr.contains("local"), "{}", done.stderr);
    assert_eq!(place.spends(), []);
}

#[test]
fn a_provider_that_charges_more_than_was_reserved_is_booked_in_full_and_reported() {
    let place = Place::new();
    let server = Server::start([Play::Stream(Answer::text("Dear.").usage(10, 0, 50_000))]);
    let run = place.run_with("echo", &server, r#"{price: {input: "$3", output: "$15"}}"#);
    let done = run.args(["--budget", "$0.30", "--format", "json", "Hello."]).done().succeeded();
    let cost = 10 * 3_000 + 50_000 * 15_000;
    let overshoot = done.event("overshoot");
    assert_eq!(overshoot["cost"], cost);
    assert!(overshoot["reserved"].as_u64() < Some(300_000_000), "{overshoot}");
    assert_eq!(place.spent(), cost);
}

#[test]
fn a_paused_run_goes_on_when_its_cap_is_raised() {
    let place = Place::new();
    let model = place.script(&priced());
    let config = place.file(
        "xpressclaw.yaml",
        "agents: [{name: echo, harness: echo, budget: {daily: $0.001, on_exceeded: pause}}]",
    );
    let args = ["--config", &config, "--model", &model, "--format", "json", "Hello."];
    let run = place.run("echo").args(args).start();
    assert!(run.event("budget")["message"].as_str().unwrap().contains("waiting until"));
    assert_eq!(place.spends(), [], "nothing was sent");
    let set = ["budget", "set", "daily", "$2", "--agent", "echo", "--config", config.as_str()];
    // It still pauses: what is not said stays.
    assert!(place.command(set).done().succeeded().stdout.contains("pause"));
    assert_eq!(run.done().succeeded().answer(), "Paid for.");
    assert_eq!(place.spent(), COST);
}

#[test]
fn the_cap_of_a_run_holds_beside_one_that_was_set() {
    let place = Place::new();
    let model = place.script(&priced());
    let set = ["budget", "set", "task", "$100", "--agent", "echo"];
    place.command(set).done().succeeded();
    let run = ["--model", &model, "--budget", "$0.001", "--on-exceeded", "stop", "Hello."];
    let refused = place.run("echo").args(run).done().exited(4);
    assert!(refused.stderr.contains("$0.001 of $0.001"), "{}", refused.stderr);
}
