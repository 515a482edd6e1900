//! `bench hostcall`: what a call of the host costs a guest, against a host function of the same
//! signature that does nothing, under bare wasmtime. The same guest calls both, in a loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bindings::base::content::Part;
use bindings::harness::Harness as Agent;
use bindings::llm::types as llm;
use bindings::session::types::Config;
use bindings::xclaw::{log, memory, types as xclaw};
use wasmtime::Store;
use wasmtime::component::{Linker, Resource, ResourceType};

use crate::host::{Bare, Host, Told, turn as play};
use crate::stats::{conditions, median, verdict};

const ROUNDS: usize = 15;
/// Calls in one turn: the turn around them does not show.
const CALLS: u32 = 20_000;
/// The same where each is two transactions.
const COMPLETIONS: u32 = 1_000;

struct Kind {
    name: &'static str,
    what: &'static str,
    calls: u32,
    promise: Promise,
}

enum Promise {
    /// A call that only looks into memory may cost so much more than one that does nothing.
    Ratio(f64),
    /// What the host's own work may take, in nanoseconds.
    Added(f64),
    /// The store's own work: it is measured, not bounded.
    Nothing,
}

/// Writing a log line ends in the store a thousand times a minute and in a counter otherwise.
const KINDS: [Kind; 5] = [
    Kind {
        name: "ready",
        what: "base/wait waitable.ready",
        calls: CALLS,
        promise: Promise::Ratio(1.5),
    },
    Kind {
        name: "next",
        what: "llm/chat completion.next, at its end",
        calls: CALLS,
        promise: Promise::Ratio(1.5),
    },
    Kind {
        name: "log",
        what: "xclaw/log write, over the rate",
        calls: CALLS,
        promise: Promise::Ratio(1.5),
    },
    Kind {
        name: "memory",
        what: "xclaw/memory list-notes, of none",
        calls: CALLS,
        promise: Promise::Nothing,
    },
    Kind {
        name: "complete",
        what: "llm/chat complete to its end, with the ledger",
        calls: COMPLETIONS,
        promise: Promise::Added(100_000.0),
    },
];

pub fn run(arguments: &[String]) -> Result<()> {
    let rounds = match arguments.first() {
        Some(text) => text.parse().context("the number of rounds")?,
        None => ROUNDS,
    };
    println!("one call, in turns of {CALLS} or {COMPLETIONS}, {rounds} rounds; {}\n", conditions());
    println!("{:<46}{:>11}{:>11}{:>9}", "", "ours", "bare", "ratio");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for kind in KINDS {
            let (ours, bare) = measure(&kind, rounds).await?;
            let (ours, bare) = (kind.per_call(&ours), kind.per_call(&bare));
            let promise = match kind.promise {
                Promise::Nothing => String::new(),
                Promise::Ratio(most) => {
                    format!("   promised ≤ {most}x: {}", verdict(ours / bare <= most))
                }
                Promise::Added(most) => {
                    let held = verdict(ours - bare <= most);
                    format!("   promised ≤ {:.1} ms more: {held}", most / 1e6)
                }
            };
            println!("{:<46}{ours:>8.0} ns{bare:>8.0} ns{:>8.2}x{promise}", kind.what, ours / bare);
        }
        Ok(())
    })
}

impl Kind {
    /// Nanoseconds.
    fn per_call(&self, samples: &[Duration]) -> f64 {
        median(samples).as_secs_f64() * 1e9 / f64::from(self.calls)
    }
}

async fn measure(kind: &Kind, rounds: usize) -> Result<(Vec<Duration>, Vec<Duration>)> {
    let host = Host::new(1)?;
    let (mut session, mut events) = host.session(&host.harness("tests/hostile")?)?;
    let mut bare = Peer::new().await?;
    let prompt = |calls: u32| format!("loop {} {calls}", kind.name);
    // Warm, and past the log's rate.
    play(&mut session, &mut events, &prompt(kind.calls)).await?;
    bare.turn(&prompt(kind.calls)).await?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let began = Instant::now();
        play(&mut session, &mut events, &prompt(0)).await?;
        let empty = began.elapsed();
        let began = Instant::now();
        play(&mut session, &mut events, &prompt(kind.calls)).await?;
        ours.push(began.elapsed().saturating_sub(empty));
        let began = Instant::now();
        bare.turn(&prompt(0)).await?;
        let empty = began.elapsed();
        let began = Instant::now();
        bare.turn(&prompt(kind.calls)).await?;
        peers.push(began.elapsed().saturating_sub(empty));
    }
    Ok((ours, peers))
}

/// The guest with host functions that do nothing.
struct Peer {
    store: Store<()>,
    agent: Agent,
    _bare: Bare,
}

impl Peer {
    async fn new() -> Result<Self> {
        let bare = Bare::new(1)?;
        let component = bare.component("tests/hostile")?;
        let mut linker = Linker::<()>::new(bare.engine.wasmtime());
        link(&mut linker).told()?;
        linker.define_unknown_imports_as_traps(&component).told()?;
        let mut store = Store::new(bare.engine.wasmtime(), ());
        store.set_epoch_deadline(u64::MAX / 2);
        let agent = Agent::instantiate_async(&mut store, &component, &linker).await.told()?;
        let config = Config {
            session: "s".into(),
            resumed: false,
            model: "m".into(),
            role: None,
            workspace: "/".into(),
            history: Vec::new(),
            settings: "{}".into(),
        };
        let exports = agent.xpressclaw_harness_agent();
        store
            .run_concurrent(async |accessor| exports.call_start(accessor, config).await)
            .await
            .told()?
            .told()?
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(Self { store, agent, _bare: bare })
    }

    async fn turn(&mut self, prompt: &str) -> Result<()> {
        let exports = self.agent.xpressclaw_harness_agent();
        let prompt = vec![Part::Text(prompt.into())];
        self.store
            .run_concurrent(async |accessor| exports.call_turn(accessor, prompt).await)
            .await
            .told()?
            .told()?
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(())
    }
}

/// What the linker takes for a resource that nobody defined: the interfaces that are left to trap
/// share `waitable` and `completion` with those below, so all have to be this one.
type Anything = ();

/// Asynchronous host functions of the contract's signatures that return at once.
fn link(linker: &mut Linker<()>) -> wasmtime::Result<()> {
    let mut wait = linker.instance("xpressclaw:base/wait@0.1.0")?;
    wait.resource("waitable", ResourceType::host::<Anything>(), |_, _| Ok(()))?;
    wait.func_wrap_async("[method]waitable.ready", |_, (_,): (Resource<Anything>,)| {
        Box::new(async { Ok((false,)) })
    })?;
    let mut input = linker.instance("xpressclaw:harness/turn@0.1.0")?;
    input.func_wrap_async("input-ready", |_, (): ()| {
        Box::new(async { Ok((Resource::<Anything>::new_own(0),)) })
    })?;
    input.func_wrap_async("emit", |_, (_,): (bindings::session::types::Event,)| {
        Box::new(async { Ok(()) })
    })?;
    let mut logs = linker.instance("xpressclaw:xclaw/log@0.1.0")?;
    logs.func_wrap_async("write", |_, (_, _): (log::Level, String)| Box::new(async { Ok(()) }))?;
    let mut notes = linker.instance("xpressclaw:xclaw/memory@0.1.0")?;
    notes.func_wrap_async("list-notes", |_, (_, _): (Option<String>, u32)| {
        Box::new(async { Ok((Ok::<Vec<memory::Note>, xclaw::Error>(Vec::new()),)) })
    })?;
    let mut chats = linker.instance("xpressclaw:llm/chat@0.1.0")?;
    chats.resource("completion", ResourceType::host::<Anything>(), |_, _| Ok(()))?;
    let ended = Arc::new(AtomicBool::new(false));
    let began = ended.clone();
    chats.func_wrap_async("complete", move |_, (_,): (llm::Request,)| {
        began.store(false, Ordering::Relaxed);
        Box::new(async { Ok((Ok::<_, llm::Error>(Resource::<Anything>::new_own(0)),)) })
    })?;
    chats.func_wrap_async("[method]completion.next", move |_, (_,): (Resource<Anything>,)| {
        let last = !ended.swap(true, Ordering::Relaxed);
        Box::new(async move { Ok((Ok::<_, llm::Error>(answer(last)),)) })
    })?;
    Ok(())
}

/// The end of an answer, or what follows it.
fn answer(last: bool) -> Vec<llm::Event> {
    if !last {
        return Vec::new();
    }
    vec![llm::Event::Finished(llm::Outcome {
        finish: llm::Finish::Stop,
        model: String::new(),
        downgraded_from: None,
        usage: llm::Usage { input: 0, cached: 0, cache_written: 0, output: 0, reasoning: 0 },
        cost: 0,
    })]
}
