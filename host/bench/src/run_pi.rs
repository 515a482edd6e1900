//! `bench run-pi`: from process start to the first model request, warm: ours against native pi of
//! the same version on Node.js, both asking the same server on loopback, in turns.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::process::{Memory, memory};
use crate::server::Server;
use crate::stats::{median, millis, quantile};

/// Rounds when none are asked for: medians of fifteen settle within a few percent.
const ROUNDS: usize = 15;
/// A start that takes longer than this is stuck.
const LIMIT: Duration = Duration::from_secs(60);
const PROMPT: &str = "Say hello in one sentence.";
/// What the specification promises.
const FASTER: f64 = 5.0;
const SMALLER: f64 = 4.0;

#[derive(Default)]
struct Samples {
    times: Vec<Duration>,
    peaks: Vec<u64>,
    anonymous: Vec<u64>,
}

impl Samples {
    fn add(&mut self, (time, memory): (Duration, Memory)) {
        self.times.push(time);
        self.peaks.push(memory.peak);
        self.anonymous.push(memory.anonymous);
    }
}

pub fn run(arguments: &[String]) -> Result<()> {
    let rounds = match arguments.first() {
        Some(text) => text.parse().context("the number of rounds")?,
        None => ROUNDS,
    };
    ensure!(rounds > 0, "at least one round is needed");
    let (ours, pi, node) =
        (binary()?, variable("XPRESSCLAW_PEER_PI")?, variable("XPRESSCLAW_PEER_NODE")?);
    let server = Server::start()?;
    let folder = tempfile::tempdir()?;
    prepare(folder.path(), &server)?;
    let ours = || our_command(&ours, &OsString::from("pi"), folder.path());
    let native = || native_command(&node, &pi, folder.path());

    // Warm: compiled code, page cache, Node's compile cache.
    measure(&server, ours()).context("xpressclaw run pi")?;
    measure(&server, native()).context("native pi")?;
    let (mut a, mut b) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        a.add(measure(&server, ours())?);
        b.add(measure(&server, native())?);
    }
    print(rounds, &a, &b);
    Ok(())
}

fn variable(name: &str) -> Result<OsString> {
    env::var_os(name).with_context(|| format!("{name} is not set: run `cargo xtask bench run-pi`"))
}

/// Our program.
pub fn binary() -> Result<OsString> {
    variable("XPRESSCLAW_BINARY")
}

/// Configures both, in a folder, for the server.
pub fn prepare(folder: &Path, server: &Server) -> Result<()> {
    let url = format!("http://{}/v1", server.address);
    fs::create_dir_all(folder.join("workspace"))?;
    fs::create_dir_all(folder.join("agent"))?;
    fs::write(
        folder.join("xpressclaw.yaml"),
        format!(
            "providers: {{bench: {{base_url: '{url}', models: {{m: {{price: {{input: $1, output: $2}}}}}}}}}}\n"
        ),
    )?;
    let models = serde_json::json!({"providers": {"bench": {
        "baseUrl": url, "api": "openai-completions", "apiKey": "none",
        "models": [{"id": "m", "contextWindow": 128_000, "maxTokens": 16_384,
            "cost": {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 0}}],
    }}});
    fs::write(folder.join("agent/models.json"), models.to_string())?;
    Ok(())
}

/// Ours, with pi by a name, a path or a reference.
pub fn our_command(binary: &OsString, harness: &OsString, folder: &Path) -> Command {
    let mut command = Command::new(binary);
    command
        .arg("run")
        .arg(harness)
        .args([PROMPT, "--model", "bench/m", "--workspace"])
        .arg(folder.join("workspace"))
        .arg("--config")
        .arg(folder.join("xpressclaw.yaml"))
        .arg("--data-dir")
        .arg(folder.join("data"))
        .env("XPRESSCLAW_CACHE_DIR", folder.join("cache"));
    command
}

fn native_command(node: &OsString, pi: &OsString, folder: &Path) -> Command {
    let mut command = Command::new(node);
    command
        .arg(pi)
        .args(["-p", PROMPT, "--provider", "bench", "--model", "m"])
        .current_dir(folder.join("workspace"))
        .env("PI_OFFLINE", "1")
        .env("PI_TELEMETRY", "0")
        .env("PI_SKIP_VERSION_CHECK", "1")
        .env("PI_CODING_AGENT_DIR", folder.join("agent"));
    command
}

/// Runs a command to its end; the time and memory are those at its first request.
pub fn measure(server: &Server, mut command: Command) -> Result<(Duration, Memory)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let began = Instant::now();
    let child = command.spawn()?;
    let pid = child.id();
    let arrival = server.arrival(LIMIT, || memory(pid));
    let output = child.wait_with_output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let (at, memory) = arrival.with_context(|| errors.clone().into_owned())?;
    ensure!(output.status.success(), "it ended with {}: {errors}", output.status);
    let answer = String::from_utf8_lossy(&output.stdout);
    ensure!(answer.contains("Hello."), "it did not print the answer: {answer}{errors}");
    Ok((at.duration_since(began), memory))
}

fn print(rounds: usize, ours: &Samples, native: &Samples) {
    println!("process start to first model request, warm, {rounds} rounds in turns\n");
    println!(
        "{:<22}{:>12}{:>20}{:>14}{:>16}",
        "", "median", "10 % to 90 %", "peak RSS", "anonymous"
    );
    for (name, samples) in [("xpressclaw run pi", ours), ("native pi 0.87.1", native)] {
        println!(
            "{name:<22}{:>9.1} ms{:>20}{:>11.1} MB{:>13.1} MB",
            millis(median(&samples.times)),
            format!(
                "{:.1} to {:.1} ms",
                millis(quantile(&samples.times, 0.1)),
                millis(quantile(&samples.times, 0.9))
            ),
            megabytes(median(&samples.peaks)),
            megabytes(median(&samples.anonymous)),
        );
    }
    let ratio = |a: f64, b: f64| if a > 0.0 { b / a } else { f64::NAN };
    let time = ratio(millis(median(&ours.times)), millis(median(&native.times)));
    let peak = ratio(megabytes(median(&ours.peaks)), megabytes(median(&native.peaks)));
    let anonymous = ratio(megabytes(median(&ours.anonymous)), megabytes(median(&native.anonymous)));
    println!();
    verdict("faster", time, FASTER);
    verdict("smaller, peak RSS", peak, SMALLER);
    verdict("smaller, anonymous", anonymous, SMALLER);
}

fn verdict(what: &str, ratio: f64, promised: f64) {
    let word = if ratio >= promised { "held" } else { "MISSED" };
    println!("{what:<22}{ratio:>9.1}x   promised {promised:.0}x: {word}");
}

/// From KiB to megabytes of a million bytes.
fn megabytes(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}
