//! A pause that ends by itself: the window resets, wherever midnight is and whatever the clock does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::chat::{Delta, Finish, Usage};
use domain::{NanoDollars, OnExceeded, Scope, Window};
use llm::{LlmError, Options};
use store::ledger::{Cap, Source, Zone};
use tokio::time::{Instant, timeout};

use crate::bench::{Bench, request, rest};

const AMOUNT: u64 = 5_000;

/// The test's time of day: it goes on with the test's clock, and jumps where the test says.
fn options(begin: u64) -> (Options, Arc<AtomicI64>) {
    let jump = Arc::new(AtomicI64::new(0));
    let (jumped, start) = (jump.clone(), Instant::now());
    let clock = Arc::new(move || {
        let since = u64::try_from(start.elapsed().as_millis()).unwrap();
        (begin + since).saturating_add_signed(jumped.load(Ordering::Relaxed))
    });
    (Options { clock, ..Options::default() }, jump)
}

fn pausing(window: Window, zone: &str) -> Cap {
    Cap {
        on_exceeded: OnExceeded::Pause,
        zone: Zone::parse(zone).unwrap(),
        ..Cap::new(Scope::Agent, window, NanoDollars(AMOUNT))
    }
}

async fn spend_all(bench: &mut Bench) {
    let (completion, upstream) = bench.streaming(request()).await;
    let usage = Usage { input: AMOUNT, ..Usage::default() };
    upstream.send(Delta::Usage(usage)).await;
    upstream.send(Delta::Finished(Finish::Stop)).await;
    rest(&completion).await;
}

/// Seconds until the request of a spent window starts.
async fn paused(bench: &mut Bench) -> u64 {
    let began = Instant::now();
    let _completion = timeout(Duration::from_secs(900), bench.complete(request()))
        .await
        .expect("it still waits")
        .unwrap();
    let told = bench.log.types().iter().filter(|name| *name == "budget").count();
    assert_eq!(told, 1, "the user is told once");
    began.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_when_the_window_resets() {
    // (window, zone, half a minute before it resets)
    for (window, zone, before) in [
        (Window::Daily, "UTC", 1_795_046_370_000), // 2026-11-18T23:59:30Z
        (Window::Daily, "America/New_York", 1_795_064_370_000), // 2026-11-19T04:59:30Z
        (Window::Daily, "Asia/Kathmandu", 1_795_025_670_000), // 2026-11-18T18:14:30Z
        (Window::Weekly, "UTC", 1_795_391_970_000), // 2026-11-22T23:59:30Z, a Sunday
        (Window::Monthly, "UTC", 1_772_323_170_000), // 2026-02-28T23:59:30Z
        (Window::Monthly, "UTC", 1_835_481_570_000), // 2028-02-29T23:59:30Z
        (Window::Monthly, "Europe/Berlin", 1_798_757_970_000), // 2026-12-31T22:59:30Z
        // Days of 23 and of 25 hours.
        (Window::Daily, "Europe/Berlin", 1_774_821_570_000), // 2026-03-29T21:59:30Z
        (Window::Daily, "Europe/Berlin", 1_792_969_170_000), // 2026-10-25T22:59:30Z
    ] {
        let (options, _) = options(before);
        let mut bench = Bench::with(vec![pausing(window, zone)], options);
        spend_all(&mut bench).await;
        let waited = paused(&mut bench).await;
        assert!((29..=32).contains(&waited), "{window} {zone} {before}: {waited} s");
    }
}

#[tokio::test(start_paused = true)]
async fn it_does_not_end_before() {
    // The hour that is there twice in Berlin is no new day.
    for (zone, begin) in [
        ("UTC", 1_795_003_200_000),           // 2026-11-18T12:00:00Z
        ("Europe/Berlin", 1_792_889_940_000), // 2026-10-25T00:59:00Z
    ] {
        let (options, _) = options(begin);
        let mut bench = Bench::with(vec![pausing(Window::Daily, zone)], options);
        spend_all(&mut bench).await;
        let mut waiting = Box::pin(bench.complete(request()));
        let patience = Duration::from_secs(2 * 3_600);
        assert!(timeout(patience, &mut waiting).await.is_err(), "{zone}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_moves_no_money_and_ends_the_pause() {
    const HOUR: i64 = 3_600_000;
    let (options, jump) = options(1_795_046_370_000); // 2026-11-18T23:59:30Z
    let mut bench = Bench::with(vec![pausing(Window::Daily, "UTC")], options);
    spend_all(&mut bench).await;
    // Back by two hours: still the same day, and as spent as before.
    jump.store(-2 * HOUR, Ordering::Relaxed);
    {
        let mut waiting = Box::pin(bench.complete(request()));
        assert!(timeout(Duration::from_secs(60), &mut waiting).await.is_err());
        // Forward over midnight.
        jump.store(HOUR, Ordering::Relaxed);
        assert!(timeout(Duration::from_secs(3), waiting).await.expect("it waits").is_ok());
    }
    // And back into the day that is spent.
    jump.store(-HOUR, Ordering::Relaxed);
    let mut waiting = Box::pin(bench.complete(request()));
    assert!(timeout(Duration::from_secs(60), &mut waiting).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_nothing_could_end_is_a_stop() {
    let of_run = Cap {
        on_exceeded: OnExceeded::Pause,
        source: Source::Run,
        ..Cap::new(Scope::Task, Window::Task, NanoDollars(10))
    };
    let bench = Bench::new(vec![of_run.clone()]);
    let Err(error) = bench.complete(request()).await else { panic!("it was let through") };
    let LlmError::BudgetExhausted { message, .. } = &error else { panic!("{error}") };
    assert!(message.contains("a pause would never end"), "{message}");
    // One that a command can raise waits, and says that nothing else will help.
    let configured = Cap { source: Source::Configuration, ..of_run };
    let bench = Bench::new(vec![configured]);
    let waiting = timeout(Duration::from_secs(60), bench.complete(request())).await;
    assert!(waiting.is_err());
    let events = format!("{:?}", bench.log.events());
    assert!(events.contains("never resets; waiting until it is raised"), "{events}");
}
