//! `bench idle`: what a session costs in memory that has had a turn and waits for the next, against
//! a bare instance of the same bytes on which nothing was called. Memory is the process's
//! proportional set size, so pages that all instances share are counted once.

use std::fs;

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Store;
use wasmtime::component::Linker;

use crate::host::{Bare, Host, Told, turn};
use crate::stats::conditions;

const PROMPT: &str = "Hello.";
const PI: u32 = 1_000;
const RUST: u32 = 10_000;
/// A harness, and the files that a session of it holds: its lock; its workspace and its state, if it
/// has looked at either.
const HARNESSES: [(&str, u64); 2] = [("echo", 1), ("pi", 3)];
/// Files of the process itself.
const OWN_FILES: u64 = 256;

pub fn run(arguments: &[String]) -> Result<()> {
    let count = |at: usize, otherwise| match arguments.get(at) {
        Some(text) => text.parse().context("the number of sessions"),
        None => Ok(otherwise),
    };
    let (pi, rust): (u32, u32) = (count(0, PI)?, count(1, RUST)?);
    println!("memory of one idle session; {}\n", conditions());
    println!(
        "{:<8}{:>10}{:>14}{:>16}{:>14}{:>9}",
        "", "sessions", "ours", "anonymous", "bare", "ratio"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for ((name, files), sessions) in HARNESSES.into_iter().zip([rust, pi]) {
        allow_files(u64::from(sessions) * files + OWN_FILES)?;
        let bare = runtime.block_on(bare(name, sessions))?;
        let ours = runtime.block_on(ours(name, sessions))?;
        let each = |kib: u64| kib as f64 / f64::from(sessions);
        println!(
            "{name:<8}{sessions:>10}{:>10.0} KiB{:>12.0} KiB{:>10.0} KiB{:>8.2}x",
            each(ours.all),
            each(ours.anonymous),
            each(bare.all),
            each(ours.all) / each(bare.all),
        );
    }
    Ok(())
}

async fn ours(name: &str, sessions: u32) -> Result<Pss> {
    let host = Host::new(sessions)?;
    let harness = host.harness(name)?;
    // What the first session brings along for all: code, statements, threads.
    let mut first = host.session(&harness)?;
    turn(&mut first.0, &mut first.1, PROMPT).await?;
    drop(first);
    let before = Pss::now()?;
    let mut alive = Vec::new();
    for _ in 0..sessions {
        let (mut session, mut events) = host.session(&harness)?;
        turn(&mut session, &mut events, PROMPT).await?;
        alive.push((session, events));
    }
    Pss::now()?.since(before)
}

async fn bare(name: &str, sessions: u32) -> Result<Pss> {
    let bare = Bare::new(sessions)?;
    let component = bare.component(name)?;
    let mut linker = Linker::<()>::new(bare.engine.wasmtime());
    linker.define_unknown_imports_as_traps(&component).told()?;
    let pre = linker.instantiate_pre(&component).told()?;
    let before = Pss::now()?;
    let mut alive = Vec::new();
    for _ in 0..sessions {
        let mut store = Store::new(bare.engine.wasmtime(), ());
        store.set_epoch_deadline(u64::MAX / 2);
        let instance = pre.instantiate_async(&mut store).await.told()?;
        alive.push((store, instance));
    }
    Pss::now()?.since(before)
}

/// Proportional set size of this process, in KiB.
#[derive(Clone, Copy)]
struct Pss {
    all: u64,
    anonymous: u64,
}

impl Pss {
    fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/self/smaps_rollup")
            .context("this benchmark needs Linux: no /proc/self/smaps_rollup")?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.with_context(|| format!("no {name} in /proc/self/smaps_rollup"))
        };
        Ok(Self { all: field("Pss:")?, anonymous: field("Pss_Anon:")? })
    }

    fn since(self, before: Self) -> Result<Self> {
        Ok(Self {
            all: self.all.saturating_sub(before.all),
            anonymous: self.anonymous.saturating_sub(before.anonymous),
        })
    }
}

/// Raises the limit of open files as far as is needed.
fn allow_files(wanted: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let maximum = limit.maximum.map(|maximum| maximum.max(wanted));
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).with_context(|| {
        format!("{wanted} open files are needed; raise the limit (`ulimit -n`) or ask for fewer")
    })
}
