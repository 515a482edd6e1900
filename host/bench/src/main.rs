//! Benchmarks, run by `cargo xtask bench NAME`, which sets up what they need and passes it in the
//! environment. Each runs its baseline or peer in the same run, in turns, and prints medians and
//! ratios. None asserts a time: machines are noisy.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod deadline;
mod gateway;
mod host;
mod hostcall;
mod idle;
mod instantiate;
mod layout;
mod local;
mod local_peer;
mod machine;
mod process;
mod pull;
mod run_pi;
mod server;
mod stats;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match name.as_str() {
        "deadline" => deadline::run(&rest),
        "gateway" => gateway::run(&rest),
        "hostcall" => hostcall::run(&rest),
        "idle" => idle::run(&rest),
        "instantiate" => instantiate::run(&rest),
        "layout" => layout::run(&rest),
        "local" => local::run(&rest),
        "machine" => machine::run(&rest),
        "pull" => pull::run(&rest),
        "run-pi" => run_pi::run(&rest),
        other => bail!(
            "no benchmark `{other}`; there are: deadline [GUESTS], gateway [ROUNDS [alone]], hostcall [ROUNDS], \
             idle [PI RUST], instantiate [ROUNDS], local [ROUNDS [THREADS]], machine [ROUNDS], pull [ROUNDS], \
             run-pi [ROUNDS]"
        ),
    }
}
