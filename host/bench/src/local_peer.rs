//! The peer of `bench local`: the shortest loop that llama.cpp allows. No template, no grammar, no
//! stream; the most likely token each time, and no end of an answer.
//!
//! In a process of its own, because llama.cpp's backend can be started only once in a process.

use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::{LogOptions, send_logs_to_tracing};

/// What makes the program the peer.
pub const ARGUMENT: &str = "--peer";
/// llama.cpp's own default; larger than ours, so that it has no handicap.
const BATCH: usize = 512;

pub struct Times {
    pub reading: Duration,
    pub writing: Duration,
}

/// Runs the loop in a process of its own.
pub fn measure(file: &Path, read: u64, write: u64, threads: NonZeroU32) -> Result<Times> {
    let output = Command::new(std::env::current_exe()?)
        .args(["local", ARGUMENT])
        .arg(file)
        .args([read.to_string(), write.to_string(), threads.to_string()])
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the plain loop ended with {}: {errors}", output.status);
    let text = String::from_utf8(output.stdout)?;
    let mut nanos = text.split_whitespace().map(|text| text.parse().map(Duration::from_nanos));
    let mut next = || nanos.next().context("a time")?.context("a number");
    Ok(Times { reading: next()?, writing: next()? })
}

/// `arguments`: file, tokens to read, tokens to write, threads. Prints two times in nanoseconds.
pub fn run(arguments: &[String]) -> Result<()> {
    let [file, read, write, threads] = arguments else {
        anyhow::bail!("a file and three numbers are needed");
    };
    let (read, write): (usize, usize) = (read.parse()?, write.parse()?);
    send_logs_to_tracing(LogOptions::default().with_logs_enabled(false));
    let backend = LlamaBackend::init()?;
    let model = LlamaModel::load_from_file(&backend, file, &LlamaModelParams::default())?;
    let window = u32::try_from(read + write + 1)?;
    let threads = threads.parse()?;
    let batch_size = u32::try_from(BATCH)?;
    let parameters = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(window))
        .with_n_batch(batch_size)
        .with_n_ubatch(batch_size)
        .with_n_threads(threads)
        .with_n_threads_batch(threads)
        .with_no_perf(true);
    let mut context = model.new_context(&backend, parameters)?;
    let mut tokens = model.vocab().tokenize(
        "All the ships in the night. ".repeat(read).as_bytes(),
        false,
        false,
    );
    tokens.truncate(read);
    ensure!(tokens.len() == read, "the text is too short");
    let mut batch = LlamaBatch::new(BATCH, 1);

    let began = Instant::now();
    let mut position = 0;
    for chunk in tokens.chunks(BATCH) {
        batch.clear();
        for token in chunk {
            position += 1;
            batch.add(*token, position - 1, &[0], position as usize == read)?;
        }
        context.decode(&mut batch)?;
    }
    let mut sampler = LlamaSampler::greedy();
    let mut token = sampler.sample(&context, -1);
    let reading = began.elapsed();

    let began = Instant::now();
    for _ in 0..write {
        batch.clear();
        batch.add(token, position, &[0], true)?;
        position += 1;
        context.decode(&mut batch)?;
        token = sampler.sample(&context, -1);
    }
    println!("{} {}", reading.as_nanos(), began.elapsed().as_nanos());
    Ok(())
}
