//! Money: what is refused, shrunk, waited for, served by another model, or let through.

use std::time::Duration;

use domain::chat::{Delta, Finish, Message, Request, Usage};
use domain::{Event, NanoDollars, OnExceeded, Part, Scope, Window};
use llm::{Item, LlmError};
use store::ledger::{Cap, Filter};
use tokio::time::{Instant, timeout};

use crate::bench::{Bench, agent, cap, request, rest};
use crate::fake::{MAX_OUTPUT, Upstream};

/// Of `request()` without its output.
const INPUT: u64 = 34;
const WORST_CASE: u64 = INPUT + MAX_OUTPUT as u64;

async fn finish(upstream: &Upstream, usage: Usage) {
    upstream.send(Delta::Usage(usage)).await;
    upstream.send(Delta::Finished(Finish::Stop)).await;
}

fn usage(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

fn limited(max_output_tokens: u32) -> Request {
    Request { max_output_tokens: Some(max_output_tokens), ..request() }
}

/// Spends exactly so much.
async fn spend(bench: &mut Bench, tokens: u64) {
    let (completion, upstream) = bench.streaming(request()).await;
    finish(&upstream, usage(tokens, 0)).await;
    rest(&completion).await;
}

async fn refused(bench: &Bench, request: Request) -> LlmError {
    match bench.complete(request).await {
        Ok(_) => panic!("it was let through"),
        Err(error) => error,
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_price_is_refused_with_the_line_that_fixes_it() {
    let mut bench = Bench::new(Vec::new());
    bench.caller.model = "fake/unpriced".into();
    let error = refused(&bench, request()).await;
    let text = error.to_string();
    assert!(matches!(error, LlmError::UnknownPrice { .. }), "{text}");
    assert!(text.contains("providers: {fake: {models: {unpriced: {price: {input:"), "{text}");
    assert!(bench.calls.try_recv().is_err());
    assert_eq!(bench.used(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn only_models_of_the_agent_are_served() {
    let mut bench = Bench::new(Vec::new());
    bench.caller.models.clear();
    for model in ["fake/small", "fake/free", "fake/none", "none", ""] {
        let request = Request { model: Some(model.into()), ..request() };
        let error = refused(&bench, request).await;
        assert!(matches!(error, LlmError::UnknownModel { .. }), "{model}: {error}");
    }
    bench.caller.model = "fake/none".into();
    let error = refused(&bench, request()).await;
    assert!(matches!(error, LlmError::UnknownModel { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_output_is_cut_to_what_is_affordable() {
    // (caps, asked for, granted)
    for (caps, asked, granted) in [
        (vec![WORST_CASE], None, Some(MAX_OUTPUT)),
        (vec![INPUT + 1_001], None, Some(1_000)),
        (vec![INPUT + 2_001, INPUT + 301], None, Some(300)),
        (vec![INPUT + 257], None, Some(256)),
        (vec![INPUT + 256], None, None),
        (vec![INPUT + 256], Some(256), Some(256)),
        (vec![INPUT + 101], Some(100), Some(100)),
        (vec![INPUT + 99], Some(100), None),
        (vec![INPUT - 1], None, None),
        (vec![0], Some(1), None),
        (vec![u64::MAX >> 1], Some(u32::MAX), Some(MAX_OUTPUT)),
    ] {
        let case = format!("{caps:?} {asked:?}");
        let windows = [Window::Total, Window::Daily];
        let caps = caps
            .into_iter()
            .zip(windows)
            .map(|(amount, window)| Cap { window, ..cap(amount, OnExceeded::Stop) });
        let mut bench = Bench::new(caps.collect());
        let request = Request { max_output_tokens: asked, ..request() };
        let Some(granted) = granted else {
            let error = refused(&bench, request).await;
            assert!(matches!(error, LlmError::BudgetExhausted { .. }), "{case}: {error}");
            assert_eq!(bench.used(), (0, 0), "{case}");
            continue;
        };
        let (_completion, incoming) = bench.called(request).await;
        assert_eq!(incoming.call.max_output_tokens, granted, "{case}");
        assert_eq!(incoming.reserved.0, INPUT + u64::from(granted), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_open_reservations_that_are_settled_for_less() {
    let mut bench = Bench::new(vec![cap(WORST_CASE + 100, OnExceeded::Stop)]);
    let (first, upstream) = bench.streaming(request()).await;
    let began = Instant::now();
    let second = {
        let mut second = Box::pin(bench.complete(request()));
        assert!(timeout(Duration::from_secs(5), &mut second).await.is_err());
        finish(&upstream, usage(10, 10)).await;
        rest(&first).await;
        timeout(Duration::from_secs(1), second).await.unwrap()
    };
    assert!(second.is_ok());
    assert!(began.elapsed() < Duration::from_secs(7));
    let incoming = bench.next_call().await;
    assert_eq!(incoming.call.max_output_tokens, MAX_OUTPUT, "all of it, not what was left before");
}

#[tokio::test(start_paused = true)]
async fn after_ten_seconds_it_takes_what_is_there() {
    let mut bench = Bench::new(vec![cap(WORST_CASE + INPUT + 301, OnExceeded::Stop)]);
    let (_first, _upstream) = bench.streaming(request()).await;
    let began = Instant::now();
    let (_second, incoming) = bench.called(request()).await;
    assert!(began.elapsed() >= Duration::from_secs(10));
    assert!(began.elapsed() < Duration::from_secs(11));
    assert_eq!(incoming.call.max_output_tokens, 300);
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_where_no_reservation_could_free_enough() {
    let mut bench = Bench::new(vec![cap(2 * WORST_CASE, OnExceeded::Stop)]);
    spend(&mut bench, 2 * WORST_CASE - 280).await;
    let (_open, _upstream) = bench.streaming(limited(100)).await;
    let began = Instant::now();
    let error = refused(&bench, request()).await;
    assert!(matches!(error, LlmError::BudgetExhausted { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_millis(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn degrade_serves_the_fallback_and_says_so() {
    for (caps_own, callers) in [(Some("fake/free"), None), (None, Some("fake/free"))] {
        let capped =
            Cap { fallback: caps_own.map(str::to_owned), ..cap(WORST_CASE, OnExceeded::Degrade) };
        let mut bench = Bench::new(vec![capped]);
        bench.caller.fallback = callers.map(str::to_owned);
        spend(&mut bench, WORST_CASE).await;
        let (completion, incoming) = bench.called(request()).await;
        assert_eq!(incoming.call.model, "free");
        let upstream = incoming.accept();
        finish(&upstream, usage(1_000, 1_000)).await;
        let items = rest(&completion).await;
        let [Item::Finished(outcome)] = items.as_slice() else { panic!("{items:?}") };
        assert_eq!(outcome.model, "fake/free");
        assert_eq!(outcome.downgraded_from.as_deref(), Some("fake/big"));
        assert_eq!(outcome.cost, NanoDollars::ZERO);
        assert_eq!(bench.used(), (WORST_CASE, 0));
        let events = bench.log.events();
        let Event::Downgrade { from, to, reason, .. } = &events[2] else { panic!("{events:?}") };
        assert_eq!((from.as_str(), to.as_str()), ("fake/big", "fake/free"));
        assert!(reason.contains("$0.00 of"), "{reason}");
        assert!(matches!(&events[3], Event::StepStarted { model, .. } if model == "fake/free"));
        let spend = &bench.history()[0];
        assert_eq!(
            (spend.requested_model.as_str(), spend.model.as_str()),
            ("fake/big", "fake/free")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_costs_is_checked_as_well_and_may_fall_back_further() {
    let first =
        Cap { fallback: Some("fake/small".into()), ..cap(WORST_CASE / 2, OnExceeded::Degrade) };
    let second = Cap {
        fallback: Some("fake/free".into()),
        window: Window::Daily,
        ..cap(WORST_CASE, OnExceeded::Degrade)
    };
    let mut bench = Bench::new(vec![first, second]);
    spend(&mut bench, WORST_CASE / 2).await;
    // The tighter cap leads to a model that costs the same, and that one nowhere new.
    let error = refused(&bench, request()).await;
    assert!(matches!(error, LlmError::BudgetExhausted { .. }), "{error}");
    assert!(!bench.log.types().contains(&"downgrade".to_owned()), "nothing was served");
    // When the other cap is the tighter one, it ends at the free model.
    bench.caller.caps[0].amount = NanoDollars(WORST_CASE * 10);
    bench.caller.model = "fake/small".into();
    spend(&mut bench, WORST_CASE).await;
    let (_completion, incoming) = bench.called(request()).await;
    assert_eq!(incoming.call.model, "free");
}

#[tokio::test(start_paused = true)]
async fn fallbacks_in_a_circle_end_as_a_spent_budget() {
    let to = |model: &str, window| Cap {
        fallback: Some(model.into()),
        window,
        ..cap(0, OnExceeded::Degrade)
    };
    let mut bench = Bench::new(vec![to("fake/small", Window::Total)]);
    bench.caller.fallback = Some("fake/big".into());
    let error = refused(&bench, request()).await;
    let LlmError::BudgetExhausted { message, .. } = &error else { panic!("{error}") };
    assert!(message.contains("no other model"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_cannot_answer_is_named() {
    for (fallback, says) in [("fake/none", "fake/none"), ("fake/unpriced", "price")] {
        let capped = Cap { fallback: Some(fallback.into()), ..cap(0, OnExceeded::Degrade) };
        let bench = Bench::new(vec![capped]);
        let error = refused(&bench, request()).await;
        let LlmError::BudgetExhausted { message, .. } = &error else { panic!("{error}") };
        assert!(message.contains(says), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn stop_says_which_budget_and_when_it_resets() {
    let daily = Cap { window: Window::Daily, ..cap(0, OnExceeded::Stop) };
    let system = Cap {
        on_exceeded: OnExceeded::Stop,
        ..Cap::new(Scope::System, Window::Total, NanoDollars(0))
    };
    for (capped, scope, resets) in [(daily, Scope::Agent, true), (system, Scope::System, false)] {
        let bench = Bench::new(vec![capped]);
        let error = refused(&bench, request()).await;
        let LlmError::BudgetExhausted { scope: found, resets_at, message } = error else {
            panic!("{error}");
        };
        assert_eq!((found, resets_at.is_some()), (scope, resets), "{message}");
        assert!(message.contains("$0.00 of $0.00"), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn pause_goes_on_when_the_cap_is_raised() {
    let paused = cap(100, OnExceeded::Pause);
    let mut bench = Bench::new(vec![paused.clone()]);
    let completion = {
        let mut waiting = Box::pin(bench.complete(request()));
        assert!(timeout(Duration::from_secs(3_600), &mut waiting).await.is_err());
        let budgets = bench.log.types().iter().filter(|name| *name == "budget").count();
        assert_eq!(budgets, 1, "the user is told once");
        let raised = Cap { amount: NanoDollars(WORST_CASE), ..paused };
        bench.store.ledger().set_cap(Some(&agent()), &raised, 0).unwrap();
        timeout(Duration::from_secs(2), waiting).await.unwrap()
    };
    assert!(completion.is_ok());
    assert_eq!(bench.next_call().await.call.model, "big");
}

#[tokio::test(start_paused = true)]
async fn a_free_model_is_never_blocked() {
    for action in [OnExceeded::Stop, OnExceeded::Pause, OnExceeded::Degrade] {
        let mut bench = Bench::new(vec![cap(0, action)]);
        bench.caller.model = "fake/free".into();
        let (completion, upstream) = bench.streaming(request()).await;
        finish(&upstream, usage(1_000, 1_000)).await;
        let items = rest(&completion).await;
        assert!(
            matches!(items.as_slice(), [Item::Finished(outcome)] if outcome.downgraded_from.is_none()),
            "{items:?}"
        );
        assert_eq!(bench.history()[0].usage, usage(1_000, 1_000));
    }
}

#[tokio::test(start_paused = true)]
async fn an_overshoot_is_booked_in_full_and_reported() {
    let mut bench = Bench::new(vec![cap(WORST_CASE, OnExceeded::Stop)]);
    let (completion, upstream) = bench.streaming(request()).await;
    finish(&upstream, usage(WORST_CASE, 1_000)).await;
    let items = rest(&completion).await;
    let [Item::Finished(outcome)] = items.as_slice() else { panic!("{items:?}") };
    let cost = NanoDollars(WORST_CASE + 1_000);
    assert_eq!(outcome.cost, cost);
    assert_eq!(bench.used(), (cost.0, 0));
    let reserved = NanoDollars(WORST_CASE);
    let expected = Event::Overshoot { model: "fake/big".into(), reserved, cost };
    assert!(bench.log.events().contains(&expected), "{:?}", bench.log.events());
    let error = refused(&bench, limited(1)).await;
    assert!(matches!(error, LlmError::BudgetExhausted { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn alert_lets_through_and_says_so_once() {
    let mut bench = Bench::new(vec![cap(10, OnExceeded::Alert)]);
    for _ in 0..3 {
        spend(&mut bench, 100).await;
    }
    let told: Vec<_> = bench
        .log
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Budget { message, .. } => Some(message),
            _ => None,
        })
        .collect();
    let [message] = told.as_slice() else { panic!("{told:?}") };
    assert!(message.contains("agent total budget of $0.00000001 is passed"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn each_warning_comes_once_a_turn() {
    let warned = Cap { warn_percent: vec![50, 80], ..cap(100_000, OnExceeded::Stop) };
    let mut bench = Bench::new(vec![warned]);
    let mut told = Vec::new();
    for tokens in [50_000, 10_000, 20_000, 1_000] {
        spend(&mut bench, tokens).await;
        told.push(bench.log.types().iter().filter(|name| *name == "budget").count());
    }
    // A step sees what the ones before it spent.
    assert_eq!(told, [0, 1, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_tiered_price_is_reserved_at_its_dearest_and_paid_as_it_was() {
    let long = Request {
        messages: vec![Message::User(vec![Part::text("x".repeat(2_000))])],
        ..limited(100)
    };
    // (request, reserved, what the provider counts, cost)
    for (request, reserved, input, cost) in [
        (limited(100), INPUT + 100, 5, 5 + 100),
        (long.clone(), 20 * (2_000 + 32) + 10 * 100, 1_500, 20 * 1_500 + 10 * 100),
        // Its bytes might have been as many tokens, and were not.
        (long, 20 * (2_000 + 32) + 10 * 100, 500, 500 + 100),
    ] {
        let mut bench = Bench::new(vec![cap(100_000, OnExceeded::Stop)]);
        bench.caller.model = "fake/tiered".into();
        let (completion, upstream) = bench.streaming(request).await;
        assert_eq!(bench.used(), (0, reserved));
        finish(&upstream, usage(input, 100)).await;
        rest(&completion).await;
        assert_eq!(bench.used(), (cost, 0));
        let spend = &bench.history()[0];
        assert_eq!(spend.price.cost(&spend.usage), spend.cost, "explained");
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_have_caps_of_their_own() {
    let per_task = Cap { window: Window::Task, ..cap(WORST_CASE, OnExceeded::Stop) };
    let mut bench = Bench::new(vec![per_task]);
    spend(&mut bench, WORST_CASE).await;
    assert!(matches!(refused(&bench, request()).await, LlmError::BudgetExhausted { .. }));
    bench.caller.task = "another".into();
    spend(&mut bench, WORST_CASE).await;
    let ledger = bench.store.ledger();
    let spent = ledger.totals(&Filter { task: Some("another"), ..Filter::default() }).unwrap();
    assert_eq!(spent.cost, NanoDollars(WORST_CASE));
}

#[tokio::test(start_paused = true)]
async fn nothing_unsound_reaches_a_provider() {
    let mut bench = Bench::new(Vec::new());
    let mut extra = request();
    extra.extra.insert("n".into(), 2.into());
    let empty = Request { messages: Vec::<Message>::new(), ..request() };
    let parts = vec![Part::text("x"); 3];
    let stops =
        Request { messages: vec![Message::User(parts)], stop: vec!["a".into(); 5], ..request() };
    for request in [extra, empty, stops] {
        let error = refused(&bench, request).await;
        assert!(matches!(error, LlmError::InvalidRequest(_)), "{error}");
    }
    assert!(bench.calls.try_recv().is_err());
    assert!(bench.history().is_empty());
}
