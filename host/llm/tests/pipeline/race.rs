//! Many at once under one cap: the sum never passes it, and everything is explained in the end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::chat::{Delta, Finish, Message, Request, Usage};
use domain::provider::ProviderError;
use domain::{Event, NanoDollars, OnExceeded, Part};
use llm::{Context, Item, LlmError, Observer, Steps};
use store::Store;
use store::ledger::{Ending, Filter};
use tokio::task::JoinSet;

use crate::bench::{Bench, agent, cap, rest, used};
use crate::fake::{Incoming, status};

const COMPLETIONS: usize = 200;
const SEEDS: u64 = 8;
/// About a third of what all of them would use.
const CAP: u64 = 60_000;

/// A small generator of numbers (xorshift64), so that a failing seed can be run again.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Checks the invariant at every event of every call.
struct Watch {
    store: Store,
    broken: Arc<Mutex<Vec<String>>>,
}

impl Observer for Watch {
    fn event(&self, event: Event) {
        let (settled, reserved) = used(&self.store);
        if settled.0 + reserved.0 > CAP {
            let what = format!("{settled} + {reserved} at {event:?}");
            self.broken.lock().unwrap().push(what);
        }
    }
}

#[derive(Debug, Default)]
struct Tally {
    finished: u64,
    cancelled: u64,
    failed: u64,
    refused: u64,
    cost: u64,
}

#[tokio::test(start_paused = true)]
async fn the_sum_never_passes_the_cap() {
    let mut all = Tally::default();
    for seed in 1..=SEEDS {
        let tally = run(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)).await;
        all.finished += tally.finished;
        all.cancelled += tally.cancelled;
        all.failed += tally.failed;
        all.refused += tally.refused;
    }
    // Every kind of end was there, or the test shows nothing.
    let Tally { finished, cancelled, failed, refused, .. } = all;
    assert!(finished > 100 && cancelled > 20 && failed > 20 && refused > 20, "{all:?}");
}

async fn run(seed: u64) -> Tally {
    let Bench { store, pipeline, mut calls, caller, turn, .. } =
        Bench::new(vec![cap(CAP, OnExceeded::Stop)]);
    let broken = Arc::<Mutex<Vec<String>>>::default();
    let mut random = Random(seed);

    let provider = tokio::spawn(async move {
        let mut random = Random(seed ^ 0xabcd);
        let mut answers = JoinSet::new();
        while let Some(incoming) = calls.recv().await {
            answers.spawn(answer(incoming, Random(random.below(u64::MAX) | 1)));
        }
        while answers.join_next().await.is_some() {}
    });

    let mut clients = JoinSet::new();
    for _ in 0..COMPLETIONS {
        let mut random = Random(random.below(u64::MAX) | 1);
        let (pipeline, caller) = (pipeline.clone(), caller.clone());
        let context = Context {
            cancellation: turn.cancellation(),
            steps: Arc::<Steps>::default(),
            observer: Arc::new(Watch { store: store.clone(), broken: broken.clone() }),
        };
        clients.spawn(async move {
            let text = "x".repeat(usize::try_from(random.below(500)).unwrap());
            let request = Request {
                messages: vec![Message::User(vec![Part::text(text)])],
                max_output_tokens: (random.below(3) > 0)
                    .then(|| u32::try_from(1 + random.below(2_000)).unwrap()),
                ..Request::default()
            };
            pause(random.below(3_000)).await;
            let completion = match pipeline.complete(&caller, request, &context).await {
                Ok(completion) => completion,
                Err(LlmError::BudgetExhausted { .. }) => return None,
                Err(error) => panic!("{error}"),
            };
            if random.below(4) == 0 {
                let leave = Duration::from_millis(random.below(500));
                match tokio::time::timeout(leave, rest(&completion)).await {
                    Ok(items) => items.into_iter().last(),
                    Err(_) => Some(Item::Failed(LlmError::Cancelled)),
                }
            } else {
                rest(&completion).await.into_iter().last()
            }
        });
    }
    let mut tally = Tally::default();
    let mut finished_cost = 0;
    while let Some(last) = clients.join_next().await {
        match last.unwrap() {
            None => tally.refused += 1,
            Some(Item::Finished(outcome)) => {
                tally.finished += 1;
                finished_cost += outcome.cost.0;
            }
            Some(Item::Failed(LlmError::Cancelled)) => tally.cancelled += 1,
            Some(Item::Failed(_)) => tally.failed += 1,
            Some(Item::Delta(_)) => panic!("a completion without an end"),
        }
    }
    pipeline.drain().await;
    drop(pipeline);
    provider.await.unwrap();

    assert_eq!(*broken.lock().unwrap(), Vec::<String>::new(), "seed {seed}");
    let (settled, reserved) = used(&store);
    assert_eq!(reserved, NanoDollars::ZERO, "seed {seed}");
    assert!(settled.0 <= CAP, "seed {seed}: {settled}");
    let me = agent();
    let filter = Filter { agent: Some(&me), ..Filter::default() };
    let totals = store.ledger().totals(&filter).unwrap();
    assert_eq!(totals.cost, settled, "seed {seed}");
    assert_eq!(totals.overshoot, NanoDollars::ZERO, "seed {seed}");
    assert_eq!(totals.requests + tally.refused, COMPLETIONS as u64, "seed {seed}");
    let history = store.ledger().history(&filter, 1_000).unwrap();
    for spend in &history {
        match spend.ending {
            Ending::Released => assert_eq!(spend.cost, NanoDollars::ZERO),
            Ending::Settled => assert_eq!(spend.price.cost(&spend.usage), spend.cost),
            Ending::Recovered => panic!("nobody died: {spend:?}"),
        }
    }
    tally.cost = settled.0;
    assert!(finished_cost <= tally.cost, "seed {seed}");
    tally
}

/// One answer of a random kind, never above its limit.
async fn answer(incoming: Incoming, mut random: Random) {
    pause(random.below(200)).await;
    let limit = u64::from(incoming.call.max_output_tokens);
    match random.below(10) {
        0 => return incoming.refuse_if_wanted(ProviderError::InvalidRequest("no".into())),
        1 => return incoming.refuse_if_wanted(status(503, None)),
        _ => {}
    }
    let Some(upstream) = incoming.accept_if_wanted() else { return };
    let output = random.below(limit + 1);
    for _ in 0..random.below(8) {
        pause(random.below(100)).await;
        // Four bytes a token, and eight pieces at most.
        let piece = "x".repeat(usize::try_from(output / 8 * 4).unwrap());
        if !upstream.try_send(Delta::Text(piece)).await {
            return;
        }
    }
    if random.below(8) == 0 {
        return;
    }
    let usage = Usage { input: 1, output, ..Usage::default() };
    if random.below(4) > 0 && !upstream.try_send(Delta::Usage(usage)).await {
        return;
    }
    upstream.try_send(Delta::Finished(Finish::Stop)).await;
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
