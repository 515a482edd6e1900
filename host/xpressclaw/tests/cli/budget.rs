use domain::chat::Usage;
use domain::{AgentName, NanoDollars, Price, SessionId, TurnId};
use serde_json::{Value, json};
use store::Store;
use store::ledger::{ReserveRequest, Settlement};
use store::session::Opening;

use crate::home::{Home, pi};

const PRICE: Price = Price {
    input: 250_000_000,
    cached: 25_000_000,
    cache_write: 250_000_000,
    output: 2_000_000_000,
};

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// One request of a session, from its reservation to its settlement; unsettled without a cost.
fn spend(store: &Store, agent: &AgentName, session: &str, cost: Option<u64>) {
    let session = SessionId::new(session).unwrap();
    let opening = Opening {
        id: &session,
        agent,
        harness: "pi",
        digest: None,
        middleware: "",
        model: "openai/gpt-5-mini",
    };
    store.session().open(&opening, now()).unwrap();
    let reserved = store
        .ledger()
        .reserve(
            &ReserveRequest {
                agent,
                session: Some(&session),
                turn: Some(&TurnId::mint()),
                task: "run-1",
                requested_model: "openai/gpt-5-mini",
                model: "openai/gpt-5-mini",
                price: PRICE,
                amount: NanoDollars(1_000),
                caps: &[],
            },
            now(),
        )
        .unwrap();
    let Some(cost) = cost else { return };
    let settlement = Settlement {
        usage: Usage { input: 1_234, cached: 1_000, output: 56, ..Usage::default() },
        cost: NanoDollars(cost),
        served_model: "gpt-5-mini-2025\u{1b}[31m",
    };
    store.ledger().settle(reserved.id, &settlement, now()).unwrap();
}

pub fn seeded() -> Home {
    let home = Home::new();
    let store = home.store();
    spend(&store, &pi(), "work", Some(123));
    spend(&store, &pi(), "work", Some(877));
    spend(&store, &pi(), "play", Some(5));
    spend(&store, &AgentName::new("echo").unwrap(), "talk", Some(1_500));
    home
}

fn money(nanos: u64) -> Value {
    json!({"nano_dollars": nanos, "text": NanoDollars(nanos).to_string()})
}

#[test]
fn totals_are_exact_per_session_agent_and_all() {
    let home = seeded();
    let done = home.run(&["budget"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stderr.contains("no cap is set"), "{done:?}");
    let rows: Vec<Vec<&str>> =
        done.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let row = |agent: &str, session: &str| {
        let of = |row: &&Vec<&str>| row[..2] == [agent, session];
        let found = rows.iter().find(of).unwrap_or_else(|| panic!("{}", done.stdout));
        (found[2].to_owned(), found.last().unwrap().to_string())
    };
    let expected = |requests: &str, cost: &str| (requests.to_owned(), cost.to_owned());
    assert_eq!(row("pi", "work"), expected("2", "$0.000001"));
    assert_eq!(row("pi", "play"), expected("1", "$0.000000005"));
    assert_eq!(row("pi", "all"), expected("3", "$0.000001005"));
    assert_eq!(row("echo", "all"), expected("1", "$0.0000015"));
    assert_eq!(row("all", "all"), expected("4", "$0.000002505"));

    let rows = home.json(&["budget", "--session", "work"]);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["kind"], "total");
    assert_eq!(rows[0]["cost"], money(1_000));
    assert_eq!((&rows[0]["requests"], &rows[0]["usage"]["cached"]), (&json!(2), &json!(2_000)));
    // The overshoot of what was reserved is told.
    let rows = home.json(&["budget", "--agent", "echo"]);
    assert_eq!(rows.last().unwrap()["overshoot"], money(500));
}

#[test]
fn every_cap_that_binds_is_shown() {
    let home = seeded();
    home.configure(
        "budget: {monthly: $1, on_exceeded: stop}\n\
         agents:\n\
         \x20 - {name: pi, harness: pi, budget: {total: $0.00001, task: $0.25}}\n\
         \x20 - {name: new, harness: pi, budget: {daily: 0, on_exceeded: degrade}}\n",
    );
    let store = home.store();
    spend(&store, &pi(), "work", None);
    let caps: Vec<Value> =
        home.json(&["budget"]).into_iter().filter(|row| row["kind"] == "cap").collect();
    drop(store);
    let named = |scope: &str, agent: Value, window: &str| {
        let key = (&json!(scope), &agent, &json!(window));
        let found = caps.iter().filter(|cap| (&cap["scope"], &cap["agent"], &cap["window"]) == key);
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{key:?} in {caps:?}");
        found[0].clone()
    };
    assert_eq!(caps.len(), 4, "{caps:?}");
    let system = named("system", Value::Null, "monthly");
    assert_eq!((&system["cap"], &system["settled"]), (&money(1_000_000_000), &money(2_505)));
    assert_eq!((&system["reserved"], &system["on_exceeded"]), (&money(1_000), &json!("stop")));
    assert_eq!(system["available"], money(1_000_000_000 - 3_505));
    assert!(system["resets_at"].as_u64().unwrap() > now());
    let total = named("agent", json!("pi"), "total");
    assert_eq!((&total["settled"], &total["resets_at"]), (&money(1_005), &Value::Null));
    let task = named("task", json!("pi"), "task");
    assert_eq!((&task["cap"], &task["settled"]), (&money(250_000_000), &Value::Null));
    assert_eq!(named("agent", json!("new"), "daily")["on_exceeded"], "degrade");

    let text = home.ok(&["budget", "--agent", "pi"]);
    let line = |start: &str| {
        let found = text.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in\n{text}")).to_owned()
    };
    // The store of the dead reservation was dropped, so it was booked in full.
    for part in ["  total  ", "  $0.00001  $0.000002005  ", "  $0.000007995  20 %"] {
        assert!(line("agent pi").contains(part), "{part:?} in\n{text}");
    }
    assert!(line("each run of pi").contains("$0.25"), "{text}");
    assert!(line("all agents").contains("monthly"), "{text}");
    assert!(!text.contains("new"), "{text}");
}

#[test]
fn the_history_explains_each_request() {
    let home = seeded();
    let rows = home.json(&["budget", "history", "--limit", "2", "--agent", "pi"]);
    assert_eq!(rows.len(), 2);
    assert_eq!((&rows[0]["session"], &rows[1]["session"]), (&json!("play"), &json!("work")));
    let request = &rows[1];
    assert_eq!((&request["kind"], &request["ending"]), (&json!("request"), &json!("settled")));
    assert_eq!((&request["cost"], &request["reserved"]), (&money(877), &money(1_000)));
    assert_eq!(request["price"]["cached"], money(25_000_000));
    assert_eq!(request["requested_model"], "openai/gpt-5-mini");
    assert_eq!(request["served_model"], "gpt-5-mini-2025\u{1b}[31m");
    assert_eq!(request["usage"]["output"], 56);

    let text = home.ok(&["budget", "history", "--session", "play"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    // No request wrote to a cache, so there is no such column; guests' text is filtered.
    assert!(!lines[0].contains("WRITTEN") && lines[0].contains("CACHED"), "{text}");
    for part in [
        "gpt-5-mini-2025 ",
        "1234",
        "1000",
        "$0.25 in, $0.025 cached, $2.00 out",
        "$0.000000005",
        "settled",
    ] {
        assert!(lines[1].contains(part), "{part} in {text}");
    }
}

#[test]
fn unknown_sessions_and_rows_are_refused() {
    let home = seeded();
    home.refused(&["budget", "--session", "none"], 1, &["no session `none`", "hint: "]);
    home.refused(
        &["budget", "--session", "work", "--agent", "echo"],
        2,
        &["session `work` is of agent `pi`, not of `echo`"],
    );
    home.refused(&["budget", "history", "--limit", "0"], 2, &["is not in 1..=1000"]);
}

#[test]
fn an_explanation_adds_up_to_the_cost() {
    let home = seeded();
    let rows = home.json(&["budget", "explain", "--session", "work"]);
    assert_eq!(rows.len(), 2, "{rows:?}");
    let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids[0].parse::<u64>().unwrap() < ids[1].parse::<u64>().unwrap(), "the oldest first");
    let items = rows[0]["items"].as_array().unwrap();
    let item = |of: &str, tokens: u64, price: u64, amount: &str| json!({"tokens_of": of, "tokens": tokens, "price": money(price), "amount": amount});
    assert_eq!(
        items,
        &[
            item("input", 234, 250_000_000, "$0.0000585"),
            item("cached", 1_000, 25_000_000, "$0.000025"),
            item("output", 56, 2_000_000_000, "$0.000112"),
        ]
    );
    let text = home.ok(&["budget", "explain", &ids[0]]);
    for part in ["request ", "session work", "cached", "at $0.025", "$0.000112", "given back"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
    home.refused(&["budget", "explain", "4711"], 1, &["no request `4711`", "hint: "]);
    home.refused(&["budget", "explain", "x"], 2, &["not the id of a request"]);
}

#[test]
fn a_cap_that_is_set_takes_the_place_of_the_configured_one() {
    let home = seeded();
    home.configure(
        "time_zone: Europe/Berlin\nbudget: {monthly: $1, on_exceeded: stop, warn_at: [50]}\n",
    );
    let caps = || -> Vec<Value> {
        home.json(&["budget"]).into_iter().filter(|row| row["kind"] == "cap").collect()
    };
    assert_eq!(caps()[0]["source"], "configuration");
    let set = home.json(&["budget", "set", "monthly", "$3"]);
    assert_eq!((set.len(), &set[0]["cap"]), (1, &money(3_000_000_000)));
    // What is not said stays.
    assert_eq!((&set[0]["source"], &set[0]["on_exceeded"]), (&json!("command"), &json!("stop")));
    let text =
        home.ok(&["budget", "set", "daily", "0.5", "--agent", "pi", "--on-exceeded", "pause"]);
    assert!(text.contains("agent pi") && text.contains("pause"), "{text}");
    let both = caps();
    assert_eq!(both.len(), 2, "{both:?}");
    assert_eq!(both[1]["agent"], "pi");
    // Midnight in Berlin, in winter or summer.
    let hour = both[1]["resets_at"].as_u64().unwrap() / 3_600_000 % 24;
    assert!(hour == 22 || hour == 23, "{hour}");

    let cleared = home.run(&["budget", "clear", "monthly"]);
    assert!(cleared.code == 0 && cleared.stderr.contains("$1.00 holds again"), "{cleared:?}");
    let again = home.run(&["budget", "clear", "monthly"]);
    assert!(again.code == 0 && again.stderr.contains("nothing changed"), "{again:?}");
    let gone = home.run(&["budget", "clear", "daily", "--agent", "pi"]);
    assert!(gone.code == 0 && gone.stderr.contains("does not bound"), "{gone:?}");
    assert_eq!(caps().len(), 1);
}

#[test]
fn prices_say_who_says_so_and_whether_they_hold() {
    let home = seeded();
    let of = |rows: &[Value], model: &str| -> Vec<Value> {
        rows.iter().filter(|row| row["model"] == model).cloned().collect()
    };
    let without = home.json(&["budget", "prices"]);
    let listed = &of(&without, "openai/gpt-5-mini")[0];
    assert_eq!((&listed["source"], &listed["in_force"]), (&json!("table"), &json!(false)));
    assert_eq!(listed["price"]["output"], money(2_000_000_000));
    assert_eq!(listed["as_of"].as_str().unwrap().len(), 10);
    assert!(listed["url"].as_str().unwrap().starts_with("https://"));
    assert_eq!(of(&without, "local")[0]["price"]["input"], money(0));

    home.configure(
        "providers: {openai: {models: {gpt-5-mini: {price: {input: 1, output: 9, \
           tiers: [{above: 1000, input: 2, output: 18}]}}}}, \
         house: {base_url: \"http://127.0.0.1:1/v1\", models: {m: {price: free}}}}",
    );
    let with = home.json(&["budget", "prices"]);
    let own = of(&with, "openai/gpt-5-mini");
    assert_eq!(own.len(), 2, "the price and its tier: {own:?}");
    assert_eq!((&own[0]["above"], &own[1]["above"]), (&json!(0), &json!(1_000)));
    assert_eq!(own[1]["price"]["output"], money(18_000_000_000));
    assert!(own.iter().all(|row| row["source"] == "configuration" && row["in_force"] == true));
    assert_eq!(of(&with, "openai/gpt-5-nano")[0]["in_force"], true);
    assert_eq!(of(&with, "house/m")[0]["source"], "configuration");

    let dated = home.json(&["budget", "prices", "openai/gpt-5-nano-2025-08-07"]);
    assert_eq!(dated[0]["price"], of(&with, "openai/gpt-5-nano")[0]["price"]);
    let text = home.ok(&["budget", "prices", "claude-haiku-4-5"]);
    assert!(text.contains("anthropic/claude-haiku-4-5") && text.contains("no provider"), "{text}");
    home.refused(
        &["budget", "prices", "house/other"],
        1,
        &["not known", "providers: {house: {models: {other: {price: {input:"],
    );
}

#[test]
fn a_cap_that_would_bound_nobody_is_refused() {
    let home = seeded();
    for (args, because) in [
        (
            &["budget", "set", "daily", "$1", "--agent", "pu"][..],
            "no agent `pu`; there are: echo, pi",
        ),
        (&["budget", "set", "task", "$1"], "is of one agent"),
        (&["budget", "set", "yearly", "$1"], "yearly"),
        (&["budget", "set", "daily", "1e3"], "not an amount"),
        (&["budget", "set", "daily", "$1", "--warn-at", "0"], "0"),
        (&["budget", "clear", "task"], "is of one agent"),
    ] {
        home.refused(args, 2, &[because]);
    }
    assert!(home.json(&["budget"]).iter().all(|row| row["kind"] == "total"));
}
