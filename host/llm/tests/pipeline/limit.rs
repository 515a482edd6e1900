//! Rate limits: what waits, what is refused, who is next.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use domain::chat::{Delta, Finish, Usage};
use domain::{AgentName, NanoDollars, OnExceeded};
use llm::{Caller, Completion, Limits, LlmError, Options, RateLimits};
use store::ledger::Cap;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::bench::{Bench, agent, bounded, cap, request, rest};
use crate::fake::Upstream;

fn limited(limits: Limits) -> Bench {
    let limits = RateLimits { default: limits, ..RateLimits::default() };
    Bench::with(Vec::new(), Options { limits, ..Options::default() })
}

fn some(n: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(n)
}

async fn finish(upstream: &Upstream, tokens: u64) {
    let usage = Usage { input: tokens, ..Usage::default() };
    upstream.send(Delta::Usage(usage)).await;
    upstream.send(Delta::Finished(Finish::Stop)).await;
}

/// One request from its admission to its end; returns when it was admitted.
async fn whole(bench: &mut Bench, tokens: u64) -> Instant {
    let (completion, upstream) = bench.streaming(request()).await;
    let admitted = Instant::now();
    finish(&upstream, tokens).await;
    rest(&completion).await;
    admitted
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_start_in_any_minute() {
    let mut bench = limited(Limits { requests_per_minute: some(5), ..Limits::default() });
    let began = Instant::now();
    let mut starts = Vec::new();
    for _ in 0..17 {
        starts.push(whole(&mut bench, 1).await.duration_since(began).as_secs());
    }
    assert_eq!(starts[..6], [0, 0, 0, 0, 0, 60]);
    for minute in starts.windows(6) {
        assert!(minute[5] - minute[0] >= 60, "{starts:?}");
    }
    assert_eq!(starts.last(), Some(&180));
}

#[tokio::test(start_paused = true)]
async fn tokens_of_a_minute_are_what_was_really_used() {
    let mut bench =
        limited(Limits { tokens_per_minute: NonZeroU64::new(1_000), ..Limits::default() });
    let began = Instant::now();
    // The last one of a minute may pass it, and is paid for with the time of the next.
    let mut starts = Vec::new();
    for tokens in [400, 400, 5_000, 100, 100] {
        starts.push(whole(&mut bench, tokens).await.duration_since(began).as_secs());
    }
    assert_eq!(starts, [0, 0, 0, 60, 60]);
}

#[tokio::test(start_paused = true)]
async fn no_more_run_at_the_same_time_and_the_next_starts_when_one_ends() {
    let mut bench = limited(Limits { concurrent: some(2), ..Limits::default() });
    let (first, upstream) = bench.streaming(request()).await;
    let (_second, _open) = bench.streaming(request()).await;
    let third = {
        let mut third = Box::pin(bench.complete(request()));
        assert!(timeout(Duration::from_secs(10), &mut third).await.is_err());
        finish(&upstream, 1).await;
        rest(&first).await;
        timeout(Duration::from_secs(1), third).await.unwrap().unwrap()
    };
    // A completion that is dropped makes room as well.
    drop(third);
    let dropped = timeout(Duration::from_secs(1), bench.complete(request())).await;
    assert!(dropped.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_or_behind_too_many_is_told_when_to_come_again() {
    let bench = limited(Limits { concurrent: some(1), ..Limits::default() });
    let _first = bench.complete(request()).await.unwrap();
    let began = Instant::now();
    let Err(error) = bench.complete(request()).await else { panic!("it was let through") };
    assert_eq!(began.elapsed().as_secs(), 60);
    assert_eq!(error, LlmError::RateLimited { after_ms: 1_000 });

    let mut waiting = JoinSet::new();
    for _ in 0..64 {
        let (pipeline, caller, context) =
            (bench.pipeline.clone(), bench.caller.clone(), bench.context.clone());
        waiting.spawn(async move { pipeline.complete(&caller, request(), &context).await.is_ok() });
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let began = Instant::now();
    let Err(error) = bench.complete(request()).await else { panic!("it was let through") };
    assert!(matches!(error, LlmError::RateLimited { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_millis(1), "at once");
    assert_eq!(bench.history().len(), 0, "nothing that only waited is in the ledger");
}

#[tokio::test(start_paused = true)]
async fn a_minute_s_limit_says_when_it_ends() {
    let mut bench = limited(Limits { requests_per_minute: some(1), ..Limits::default() });
    whole(&mut bench, 1).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    // Sixty-five at once: one more than may wait.
    let mut waiting = JoinSet::new();
    for _ in 0..65 {
        let (pipeline, caller, context) =
            (bench.pipeline.clone(), bench.caller.clone(), bench.context.clone());
        waiting.spawn(async move { pipeline.complete(&caller, request(), &context).await.err() });
    }
    let refused = bounded(waiting.join_next()).await.unwrap().unwrap();
    assert_eq!(refused, Some(LlmError::RateLimited { after_ms: 40_000 }));
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_given_up_is_free() {
    let mut bench = limited(Limits { concurrent: some(1), ..Limits::default() });
    let (first, upstream) = bench.streaming(request()).await;
    for _ in 0..200 {
        let waiting = timeout(Duration::from_millis(5), bench.complete(request())).await;
        assert!(waiting.is_err());
    }
    finish(&upstream, 1).await;
    rest(&first).await;
    assert!(timeout(Duration::from_secs(1), bench.complete(request())).await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_refused_for_money_counts_for_nothing() {
    let limits = RateLimits {
        default: Limits { requests_per_minute: some(1), concurrent: some(1), ..Limits::default() },
        ..RateLimits::default()
    };
    let mut bench =
        Bench::with(vec![cap(0, OnExceeded::Stop)], Options { limits, ..Options::default() });
    for _ in 0..5 {
        let Err(error) = bench.complete(request()).await else { panic!("it was let through") };
        assert!(matches!(error, LlmError::BudgetExhausted { .. }), "{error}");
    }
    bench.caller.caps.clear();
    assert!(timeout(Duration::from_secs(1), bench.complete(request())).await.unwrap().is_ok());
}

fn of(bench: &Bench, agent: &str) -> Caller {
    Caller { agent: AgentName::new(agent).unwrap(), ..bench.caller.clone() }
}

#[tokio::test(start_paused = true)]
async fn agents_take_turns_whoever_asks_more() {
    let limits = RateLimits { together: some(1), ..RateLimits::default() };
    let mut bench = Bench::with(Vec::new(), Options { limits, ..Options::default() });
    let mut waiting: JoinSet<(String, Completion)> = JoinSet::new();
    let mut ask = |agent: &str, bench: &Bench, count: usize| {
        for _ in 0..count {
            let (pipeline, caller, context) =
                (bench.pipeline.clone(), of(bench, agent), bench.context.clone());
            let name = agent.to_owned();
            waiting.spawn(async move {
                (name, pipeline.complete(&caller, request(), &context).await.unwrap())
            });
        }
    };
    ask("greedy", &bench, 20);
    tokio::time::sleep(Duration::from_millis(1)).await;
    ask("modest", &bench, 2);
    ask("other", &bench, 1);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut order = Vec::new();
    for _ in 0..23 {
        let upstream = bench.next_call().await.accept();
        let (agent, completion) = bounded(waiting.join_next()).await.unwrap().unwrap();
        order.push(agent);
        finish(&upstream, 1).await;
        rest(&completion).await;
    }
    // After what was running, each in turn.
    assert_eq!(order[..6], ["greedy", "greedy", "modest", "other", "greedy", "modest"]);
    assert!(order[6..].iter().all(|agent| agent == "greedy"), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_money_is_in_nobody_s_way_and_takes_its_turn_afterwards() {
    let limits = RateLimits { together: some(1), ..RateLimits::default() };
    let capped = cap(0, OnExceeded::Pause);
    let mut bench = Bench::with(vec![capped.clone()], Options { limits, ..Options::default() });
    let other = Caller { caps: Vec::new(), ..of(&bench, "other") };
    let pipeline = bench.pipeline.clone();
    let (caller, context) = (bench.caller.clone(), bench.context.clone());
    let waiting =
        tokio::spawn(
            async move { pipeline.complete(&caller, request(), &context).await.map(|_| ()) },
        );
    tokio::time::sleep(Duration::from_secs(5)).await;
    let pipeline = bench.pipeline.clone();
    let context = bench.context.clone();
    let open = timeout(Duration::from_millis(1), pipeline.complete(&other, request(), &context));
    let open = open.await.expect("a paused agent holds its place").unwrap();
    let _upstream = bench.next_call().await.accept();
    // Its money comes, and somebody else runs: it waits for its turn.
    let raised = Cap { amount: NanoDollars(1_000_000), ..capped };
    bench.store.ledger().set_cap(Some(&agent()), &raised, 0).unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!waiting.is_finished());
    drop(open);
    let started = timeout(Duration::from_secs(2), waiting).await.expect("its turn never came");
    assert!(started.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_agent_s_own_limits_go_before_the_default_and_bind_nobody_else() {
    let slow = Limits { concurrent: some(1), ..Limits::default() };
    let limits = RateLimits {
        agents: BTreeMap::from([(AgentName::new("slow").unwrap(), slow)]),
        ..RateLimits::default()
    };
    let bench = Bench::with(Vec::new(), Options { limits, ..Options::default() });
    let slow = of(&bench, "slow");
    let _open = bench.pipeline.complete(&slow, request(), &bench.context).await.unwrap();
    let second = bench.pipeline.complete(&slow, request(), &bench.context);
    assert!(timeout(Duration::from_secs(5), second).await.is_err());
    for _ in 0..10 {
        let quick = timeout(Duration::from_millis(1), bench.complete(request())).await;
        assert!(quick.is_ok(), "another agent");
    }
}
