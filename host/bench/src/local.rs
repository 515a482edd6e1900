//! `bench local`: the local model through our provider against a plain loop over llama.cpp, on the
//! same file and with as many threads, in turns; then a session's second turn against its first,
//! and four sessions together against one after another.

use std::env;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use domain::SessionId;
use domain::chat::{AssistantPart, Delta, Message, Request, Usage};
use domain::content::Part;
use domain::provider::{Call, Provider};
use futures::StreamExt as _;
use local_model::{LocalModel, Options};

use crate::local_peer;
use crate::stats::{median, quantile, verdict};

/// Rounds when none are asked for: single pairs spread by a third on a shared machine, the median of
/// fifteen by a few percent.
const ROUNDS: usize = 15;
/// Rounds of the measurements that compare by factors.
const ROUNDS_OF_FACTORS: usize = 5;
const THREADS: NonZeroU32 = NonZeroU32::MIN;
/// Tokens that are written: enough for a rate, and few models end before.
const OUTPUT: u32 = 64;
/// Repeated until the prompt has some 500 tokens.
const SENTENCE: &str = "The lighthouse keeper counted the ships that passed in the night. ";
const SENTENCES: usize = 38;
const CONTEXT: u32 = 4_096;
const TOGETHER: usize = 4;
/// What the specification promises, as a share of the plain loop's speed.
const PROMISED: f64 = 0.95;

/// One answer, measured.
struct Measured {
    usage: Usage,
    text: String,
    reading: Duration,
    writing: Duration,
}

pub fn run(arguments: &[String]) -> Result<()> {
    if let [peer, rest @ ..] = arguments
        && peer == local_peer::ARGUMENT
    {
        return local_peer::run(rest);
    }
    let number = |at: usize| arguments.get(at).map(|text| text.parse::<u32>()).transpose();
    let rounds = number(0).context("the number of rounds")?.map_or(ROUNDS, |n| n as usize);
    let threads = number(1).context("the number of threads")?;
    let threads = threads.and_then(NonZeroU32::new).unwrap_or(THREADS);
    ensure!(rounds > 0, "at least one round is needed");
    let file = model_file()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(all(&file, rounds, threads))
}

fn model_file() -> Result<PathBuf> {
    let folder = env::var_os("XPRESSCLAW_MODEL_PATH")
        .context("XPRESSCLAW_MODEL_PATH is not set: run `cargo xtask bench local`")?;
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "gguf"))
        .collect();
    files.sort();
    files.into_iter().next().context("no .gguf file in XPRESSCLAW_MODEL_PATH")
}

async fn all(file: &Path, rounds: usize, threads: NonZeroU32) -> Result<()> {
    let open = || {
        let context = NonZeroU32::new(CONTEXT).unwrap_or(NonZeroU32::MIN);
        Ok(LocalModel::open(file, Options { threads, context, ..Options::default() })?)
    };
    println!("{}, {threads} thread(s), {rounds} rounds in turns, medians\n", file.display());
    let alone = against_plain(open, file, rounds, threads).await?;
    let model = open()?;
    let rounds = rounds.min(ROUNDS_OF_FACTORS);
    beside_idle(&model, rounds, alone).await?;
    second_turn(&model, rounds).await?;
    together(&model, rounds).await
}

/// One session, as the plain loop is one: with a cache of its own in each round. Returns the tokens
/// that it reads in a second, in thousandths.
///
/// A machine that others share changes its speed by half within minutes; so the two are measured one
/// right after the other, which of them is first changes, and the result is the median of the ratios
/// of such pairs, not the ratio of two medians.
async fn against_plain(
    open: impl Fn() -> Result<LocalModel>,
    file: &Path,
    rounds: usize,
    threads: NonZeroU32,
) -> Result<u64> {
    let (mut reading, mut writing) = (Vec::new(), Vec::new());
    let mut tokens = (u64::from(CONTEXT) / 8, u64::from(OUTPUT));
    for round in 1..=rounds {
        let plain_first = round % 2 == 0;
        let before = plain_first.then(|| plain(file, tokens, threads)).transpose()?;
        let model = open()?;
        // Loads the weights and the file cache, and leaves next to nothing in the model's.
        ask(&model, "warm", vec![Message::User(vec![Part::text("Hi.")])]).await?;
        let ours = ask(&model, "measured", vec![question(round)]).await?;
        drop(model);
        tokens = (ours.usage.input - ours.usage.cached, ours.usage.output);
        let (plain_reading, plain_writing) = match before {
            Some(rates) => rates,
            None => plain(file, tokens, threads)?,
        };
        reading.push([rate(tokens.0, ours.reading), plain_reading]);
        writing.push([rate(tokens.1, ours.writing), plain_writing]);
    }
    println!(
        "{:<12}{:>16}{:>16}{:>8}{:>18}",
        "tokens/s", "our provider", "plain loop", "ratio", "10 to 90 %"
    );
    for (name, pairs) in [("reading", &reading), ("writing", &writing)] {
        let of = |which: usize| median(&column(pairs, which)) as f64 / 1e3;
        let ratios: Vec<_> =
            pairs.iter().map(|[ours, plain]| ours * 1_000 / plain.max(&1)).collect();
        let ratio = median(&ratios) as f64 / 1e3;
        let [low, high] = [0.1, 0.9].map(|share| quantile(&ratios, share) as f64 / 1e3);
        println!(
            "{name:<12}{:>16.1}{:>16.1}{ratio:>8.3}{low:>9.3} to {high:.3}   promised {PROMISED}: {}",
            of(0),
            of(1),
            verdict(ratio >= PROMISED)
        );
    }
    Ok(median(&column(&reading, 0)))
}

fn column(pairs: &[[u64; 2]], which: usize) -> Vec<u64> {
    pairs.iter().map(|pair| pair[which]).collect()
}

/// What the plain loop reads and writes in a second, in thousandths of tokens.
fn plain(file: &Path, (read, write): (u64, u64), threads: NonZeroU32) -> Result<(u64, u64)> {
    let times = local_peer::measure(file, read, write, threads)?;
    Ok((rate(read, times.reading), rate(write, times.writing)))
}

/// What it costs that other sessions are kept for their next turn: llama.cpp looks over their part of
/// the cache too.
async fn beside_idle(model: &LocalModel, rounds: usize, alone: u64) -> Result<()> {
    let mut kept = 0;
    for number in 0.. {
        let idle = ask(model, &format!("idle-{number}"), vec![question(1_000 + number)]).await?;
        kept += idle.usage.input + idle.usage.output;
        // One more, which is measured, has room.
        if kept + 2 * (idle.usage.input + idle.usage.output) > u64::from(CONTEXT) {
            break;
        }
    }
    let mut reading = Vec::new();
    for round in 1..=rounds {
        let ours = ask(model, "measured", vec![question(round)]).await?;
        reading.push(rate(ours.usage.input - ours.usage.cached, ours.reading));
    }
    let share = median(&reading) as f64 / alone as f64;
    println!("reading beside {kept} tokens of idle sessions: {share:.2} of the speed without");
    Ok(())
}

/// Time until the prompt is read.
async fn second_turn(model: &LocalModel, rounds: usize) -> Result<()> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut shares = Vec::new();
    for round in 1..=rounds {
        let session = format!("turns-{round}");
        let mut messages = vec![question(100 + round)];
        let one = ask(model, &session, messages.clone()).await?;
        messages.push(Message::Assistant(vec![AssistantPart::Text(one.text)]));
        messages.push(Message::User(vec![Part::text("And what did he do then?")]));
        let two = ask(model, &session, messages).await?;
        shares.push(two.usage.cached * 1_000 / two.usage.input.max(1));
        first.push(one.reading);
        second.push(two.reading);
    }
    let (first, second) = (median(&first), median(&second));
    println!(
        "\nuntil the first word: first turn {first:.0?}, second {second:.0?}, {:.1} times faster; \
         {:.1} % of its prompt was read before",
        first.as_secs_f64() / second.as_secs_f64(),
        median(&shares) as f64 / 10.0,
    );
    Ok(())
}

async fn together(model: &LocalModel, rounds: usize) -> Result<()> {
    let (mut one_by_one, mut at_once) = (Vec::new(), Vec::new());
    let mut tokens = 0;
    for round in 1..=rounds {
        let short = |i: usize| {
            let text = format!("Tell me story number {} about a ship.", round * 100 + i);
            vec![Message::User(vec![Part::text(text)])]
        };
        let began = Instant::now();
        let mut written = 0;
        for i in 0..TOGETHER {
            written += ask(model, &format!("alone-{round}-{i}"), short(i)).await?.usage.output;
        }
        one_by_one.push(rate(written, began.elapsed()));
        tokens = written;
        let began = Instant::now();
        let asked = (0..TOGETHER).map(|i| {
            let session = format!("together-{round}-{i}");
            // Other words, so that nothing of the prompt was read before.
            let messages = short(i + 10);
            async move { ask(model, &session, messages).await }
        });
        let answers = futures::future::try_join_all(asked).await?;
        let written = answers.iter().map(|answer| answer.usage.output).sum();
        at_once.push(rate(written, began.elapsed()));
    }
    let (alone, together) = (median(&one_by_one) as f64 / 1e3, median(&at_once) as f64 / 1e3);
    println!(
        "\n{TOGETHER} sessions, {tokens} tokens: together {together:.1} tokens/s, one after another \
         {alone:.1} tokens/s, ratio {:.2}",
        together / alone
    );
    Ok(())
}

fn question(number: usize) -> Message {
    let story = SENTENCE.repeat(SENTENCES);
    Message::User(vec![Part::text(format!("Story {number}. {story}Go on with this story."))])
}

async fn ask(model: &LocalModel, session: &str, messages: Vec<Message>) -> Result<Measured> {
    let call = Call {
        request: Request { messages, temperature: Some(0.0), ..Request::default() },
        model: "local".to_owned(),
        max_output_tokens: OUTPUT,
        session: SessionId::new(session)?,
    };
    let began = Instant::now();
    let mut deltas = model.call(call).await?;
    let mut read = None;
    let mut measured = Measured {
        usage: Usage::default(),
        text: String::new(),
        reading: Duration::ZERO,
        writing: Duration::ZERO,
    };
    while let Some(delta) = deltas.next().await {
        match delta? {
            // The first is sent when the prompt is read, the last at the end.
            Delta::Usage(usage) => {
                let now = *read.get_or_insert_with(Instant::now);
                measured.usage = usage;
                measured.reading = now - began;
            }
            Delta::Text(text) => measured.text.push_str(&text),
            Delta::Finished(_) => {
                measured.writing = read.map(|read| read.elapsed()).unwrap_or_default();
                return Ok(measured);
            }
            _ => {}
        }
    }
    bail!("the answer broke off")
}

/// Thousandths of tokens a second.
fn rate(tokens: u64, time: Duration) -> u64 {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1);
    tokens.saturating_mul(1_000_000_000_000) / nanos
}
