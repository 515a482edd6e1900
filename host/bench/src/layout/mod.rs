//! `bench layout MAP ORDER`: which functions of the binary the main job runs, in the order in which it
//! comes to them. Called by xtask between two links of a release.
//!
//! Why: the kernel maps sixteen pages around each that is touched, and a start of pi touches a sixth
//! of the binary, a little of it everywhere. With what runs side by side, a run maps that and no more.
//! The linker is told by a file of symbols (`--symbol-ordering-file` of LLD); it is made anew from each
//! build, because names of symbols change with every version of what they come from.

mod map;
mod trace;

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::run_pi;
use crate::server::Server;

/// A new order is worth another link when so many of its functions, in a hundred, are not in the last.
/// Threads take turns as they like, so that two traces of one binary differ by a few.
const NEWS_PERCENT: usize = 2;
/// A start of pi runs some five thousand; with less than this something went wrong.
const FUNCTIONS_MIN: usize = 1_000;
/// Longer than compiling pi takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// `arguments`: the linker's map of the binary in `XPRESSCLAW_BINARY`, and the file to write. Writes
/// nothing when what is there is as good.
pub fn run(arguments: &[String]) -> Result<()> {
    let [map, order] = arguments else { anyhow::bail!("a map and a file to write are needed") };
    let functions = map::functions(Path::new(map)).with_context(|| map.clone())?;
    let server = Server::start()?;
    let folder = tempfile::tempdir()?;
    let binary = run_pi::binary()?;
    run_pi::prepare(folder.path(), &server)?;
    // Every request is let go on at once.
    std::thread::spawn(move || while server.arrival(LIMIT, || ()).is_ok() {});
    let command = || run_pi::our_command(&binary, &"pi".into(), folder.path());
    // Compiles pi, which is no part of the job.
    let compiled = succeed(&mut command())?;
    ensure!(compiled.contains("Hello."), "pi did not answer: {compiled}");
    let ran = trace::functions(&command(), &functions)?;
    ensure!(ran.len() >= FUNCTIONS_MIN, "only {} functions were seen", ran.len());
    let before = fs::read_to_string(order).unwrap_or_default();
    let known: HashSet<&str> = before.lines().collect();
    let news = ran.iter().filter(|name| !known.contains(name.as_str())).count();
    if news * 100 > ran.len() * NEWS_PERCENT {
        fs::write(order, ran.join("\n") + "\n").with_context(|| order.clone())?;
    }
    println!("{} of {} functions run, {news} of them new", ran.len(), functions.len());
    Ok(())
}

fn succeed(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "it ended with {}: {errors}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
