//! `xpressclaw`: the command line. The only crate that reads the environment and prints.
//!
//! stdout is data, stderr is everything else; exit codes are in `exit.rs`.

mod asked;
mod caps;
mod cli;
mod commands;
mod environment;
mod exit;
mod harness_path;
mod hosted;
mod local_model;
mod models;
mod paths;
mod render;
mod run;
mod servers;
mod terminal;
mod typed;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter =
        EnvFilter::try_from_env(environment::LOG.name).unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
    exit::report(commands::dispatch(cli))
}
