//! Processes that spend from one ledger at once, one of which is killed at any moment: a thousand
//! requests of random sizes, cancelled, failed and answered, over a cap that pays for a third.
//!
//! The test starts itself again, twice for each seed, and is then the process that spends. Time is real
//! here. `XPRESSCLAW_RACE_SEEDS` says how many seeds.

use std::env;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::chat::{Delta, Finish, Message, Request, Usage};
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError, Sent};
use domain::{NanoDollars, OnExceeded, Part, Scope, SessionId, Window};
use futures::StreamExt;
use harness::TurnHandle;
use llm::{Caller, Context, Item, LlmError, Pipeline, Router, Steps};
use store::Store;
use store::ledger::{Cap, Ending, Filter, HISTORY_PAGE_MAX, Spend};
use tokio::task::JoinSet;

use crate::bench::{Log, agent};
use crate::fake::{ONE_EACH, status};

const TEST: &str = "killed::whoever_is_killed_leaves_the_ledger_whole";
/// Where the process that spends finds the ledger; the parent has none.
const PLACE: &str = "XPRESSCLAW_RACE_PLACE";
const SEED: &str = "XPRESSCLAW_RACE_SEED";
const SEEDS: &str = "XPRESSCLAW_RACE_SEEDS";
const SEEDS_DEFAULT: u64 = 5;
/// Of each of two processes.
const REQUESTS: u64 = 500;
/// Of a system, an agent and a task; the tightest is about a third of what all would use.
const CAPS: [(Scope, Window, u64); 3] = [
    (Scope::System, Window::Daily, 400_000),
    (Scope::Agent, Window::Total, 300_000),
    (Scope::Task, Window::Task, 350_000),
];
const TASK: &str = "race";

fn caps() -> Vec<Cap> {
    let cap = |(scope, window, amount)| Cap {
        on_exceeded: OnExceeded::Stop,
        ..Cap::new(scope, window, NanoDollars(amount))
    };
    CAPS.map(cap).into()
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

/// A small generator of numbers (xorshift64*), so that a failing seed can be run again.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16) % limit
    }

    fn fork(&mut self) -> Self {
        Self((self.below(u64::MAX >> 16) << 1) | 1)
    }
}

/// A provider with everything that goes wrong; it never charges more than it was allowed.
struct Wild(Mutex<Random>);

#[async_trait]
impl Provider for Wild {
    fn name(&self) -> &str {
        "wild"
    }

    fn model(&self, model: &str) -> Option<ModelInfo> {
        Some(ModelInfo {
            name: model.into(),
            context_window: 100_000,
            max_output_tokens: 4_000,
            images: false,
            reasoning: false,
            price: Some(ONE_EACH),
            tiers: Vec::new(),
        })
    }

    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        let mut random = self.0.lock().unwrap().fork();
        pause(random.below(10)).await;
        match random.below(12) {
            0 => return Err(status(400, None)),
            1 => return Err(status(529, Some(1))),
            2 => {
                let (provider, reason) = ("wild".into(), "reset".into());
                return Err(ProviderError::Connection { provider, reason, sent: Sent::Maybe });
            }
            _ => {}
        }
        let limit = u64::from(call.max_output_tokens);
        let output = random.below(limit + 1);
        let mut deltas: Vec<Result<Delta, ProviderError>> = Vec::new();
        for _ in 0..8 {
            let piece = "x".repeat(usize::try_from(output / 8 * 4).unwrap());
            deltas.push(Ok(Delta::Text(piece)));
        }
        match random.below(6) {
            0 => deltas.push(Err(status(500, None))),
            1 => {}
            n => {
                if n > 2 {
                    deltas.push(Ok(Delta::Usage(Usage { input: 1, output, ..Usage::default() })));
                }
                deltas.push(Ok(Delta::Finished(Finish::Stop)));
            }
        }
        let slow = random.below(8);
        let stream = futures::stream::iter(deltas).then(move |delta| async move {
            pause(slow).await;
            delta
        });
        Ok(stream.boxed())
    }
}

async fn pause(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// The process that spends: ends when all of its requests have ended, or when it is killed.
fn spend_all(place: &Path, seed: u64) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut random = Random(seed);
        let store = Store::open(place, now_ms()).unwrap();
        let mut router = Router::default();
        router.add("wild", Arc::new(Wild(Mutex::new(random.fork()))));
        let pipeline = Pipeline::new(router, store);
        let caller = Caller {
            agent: agent(),
            session: SessionId::new("race").unwrap(),
            turn: None,
            task: TASK.into(),
            model: "wild/m".into(),
            models: Vec::new(),
            caps: caps(),
            fallback: None,
        };
        let mut clients = JoinSet::new();
        for _ in 0..REQUESTS {
            clients.spawn(one(pipeline.clone(), caller.clone(), random.fork()));
        }
        while let Some(done) = clients.join_next().await {
            done.unwrap();
        }
        pipeline.drain().await;
    });
}

async fn one(pipeline: Pipeline, caller: Caller, mut random: Random) {
    let turn = TurnHandle::default();
    let context = Context {
        cancellation: turn.begin(),
        steps: Arc::<Steps>::default(),
        observer: Arc::<Log>::default(),
    };
    let text = "x".repeat(usize::try_from(random.below(2_000)).unwrap());
    let request = Request {
        messages: vec![Message::User(vec![Part::text(text)])],
        max_output_tokens: Some(u32::try_from(1 + random.below(4_000)).unwrap()),
        ..Request::default()
    };
    pause(random.below(1_500)).await;
    let completion = match pipeline.complete(&caller, request, &context).await {
        Ok(completion) => completion,
        Err(LlmError::BudgetExhausted { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    let reading = async {
        while let Some(item) = completion.next().await {
            if let Item::Failed(LlmError::Other(text)) = item {
                panic!("{text}");
            }
        }
    };
    match random.below(4) {
        0 => {
            let _ = tokio::time::timeout(Duration::from_millis(random.below(60)), reading).await;
        }
        1 => {
            let cancelling = async {
                pause(random.below(60)).await;
                turn.cancel();
            };
            tokio::join!(reading, cancelling);
        }
        _ => reading.await,
    }
}

fn start(place: &Path, seed: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(PLACE, place)
        .env(SEED, seed.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a second connection sees: never more than any cap.
fn look(store: &Store, seed: u64) {
    for line in store.ledger().lines(&agent(), Some(TASK), &caps(), now_ms()).unwrap() {
        let used = line.settled.0 + line.reserved.0;
        assert!(used <= line.cap.0, "seed {seed}: {used} of {line:?}");
    }
}

fn history(store: &Store) -> Vec<Spend> {
    let mut all: Vec<Spend> = Vec::new();
    loop {
        let filter = Filter { before: all.last().map(|spend| spend.id), ..Filter::default() };
        let page = store.ledger().history(&filter, HISTORY_PAGE_MAX).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[derive(Debug, Default)]
struct Seen {
    looks: u64,
    requests: u64,
    settled: u64,
    released: u64,
    recovered: u64,
}

fn run(seed: u64, seen: &mut Seen) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), now_ms()).unwrap();
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut children = [1, 2].map(|n| start(directory.path(), (random.below(1 << 40) * 2 + n) | 1));
    // Not before it has begun, and mostly before it is done.
    let begun = Instant::now();
    while store.ledger().totals(&Filter::default()).unwrap().requests == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "seed {seed}: nothing was spent");
        look(&store, seed);
    }
    let moment = Instant::now() + Duration::from_millis(random.below(1_200));
    while Instant::now() < moment {
        look(&store, seed);
        seen.looks += 1;
    }
    let [killed, other] = &mut children;
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Whoever comes next settles for the dead and for nobody else, also while others spend.
    let recovered = store.ledger().recover(now_ms()).unwrap().len();
    while other.try_wait().unwrap().is_none() {
        look(&store, seed);
        seen.looks += 1;
        assert!(begun.elapsed() < Duration::from_secs(120), "seed {seed}: it does not end");
    }
    assert!(other.wait().unwrap().success(), "seed {seed}: the one that was not killed");

    assert!(store.ledger().recover(now_ms()).unwrap().is_empty(), "seed {seed}: once");
    look(&store, seed);
    let lines = store.ledger().lines(&agent(), Some(TASK), &caps(), now_ms()).unwrap();
    let history = history(&store);
    let cost: u64 = history.iter().map(|spend| spend.cost.0).sum();
    for line in &lines {
        assert_eq!(line.reserved.0, 0, "seed {seed}: left by the dead: {line:?}");
        assert_eq!(line.settled.0, cost, "seed {seed}: {line:?}");
    }
    // Ids are given once and in order: a gap would be a request that nothing explains.
    let ids: Vec<u64> = history.iter().map(|s| s.id.to_string().parse().unwrap()).collect();
    let all: Vec<u64> = (1..=ids.len() as u64).rev().collect();
    assert_eq!(ids, all, "seed {seed}");
    for spend in &history {
        assert_eq!(spend.overshoot, NanoDollars::ZERO, "seed {seed}: {spend:?}");
        match spend.ending {
            Ending::Released => assert_eq!(spend.cost.0, 0, "seed {seed}"),
            Ending::Recovered => assert_eq!(spend.cost, spend.reserved, "seed {seed}"),
            Ending::Settled => {
                assert_eq!(spend.price.cost(&spend.usage), spend.cost, "seed {seed}");
            }
        }
        match spend.ending {
            Ending::Released => seen.released += 1,
            Ending::Recovered => seen.recovered += 1,
            Ending::Settled => seen.settled += 1,
        }
    }
    let of_dead = history.iter().filter(|spend| spend.ending == Ending::Recovered).count();
    assert_eq!(of_dead, recovered, "seed {seed}: the living were not taken for dead");
    seen.requests += 2 * REQUESTS;
}

#[test]
fn whoever_is_killed_leaves_the_ledger_whole() {
    if let (Some(place), Ok(seed)) = (env::var_os(PLACE), env::var(SEED)) {
        return spend_all(Path::new(&place), seed.parse().unwrap());
    }
    let seeds = env::var(SEEDS).map_or(SEEDS_DEFAULT, |text| text.parse().unwrap());
    let mut seen = Seen::default();
    for seed in 1..=seeds {
        run(seed, &mut seen);
    }
    println!("{seeds} seeds, {seen:?}");
    // Every kind of end was there, or the test shows nothing.
    let Seen { looks, settled, released, recovered, .. } = seen;
    assert!(looks > 100 && settled > 50 && released > 0 && recovered > 0, "{seen:?}");
}
