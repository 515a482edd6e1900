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
mod limits;
mod local_model;
mod log;
mod models;
mod paths;
mod registries;
mod render;
mod run;
mod servers;
mod terminal;
mod typed;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let log = match log::init(&cli.global) {
        Ok(log) => log,
        Err(failure) => return exit::report(Err(failure.into())),
    };
    let code = exit::report(commands::dispatch(cli));
    log.close();
    code
}
