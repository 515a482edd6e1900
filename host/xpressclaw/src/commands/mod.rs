//! One module per command. Each gets plain values and returns an exit code.
//!
//! A command that lists never creates anything; what it prints as text is filtered in `table`.

mod agents;
mod approvals;
mod attach;
mod budget;
mod doctor;
mod harness;
mod logs;
mod memory;
mod model;
mod open;
mod output;
mod ps;
#[cfg(test)]
mod reference;
mod serve;
mod table;
mod tasks;
mod time;
mod token;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

pub use harness::{asks_for, build_project, download_progress};
pub use open::{Context, now_ms};
pub use output::{note, size};

pub fn dispatch(cli: Cli) -> Result<Exit> {
    if let Command::Doctor = cli.command {
        // It must work where the configuration does not.
        return doctor::run(&cli.global);
    }
    let context = Context::resolve(&cli.global)?;
    match cli.command {
        Command::Run(args) => crate::run::run(&context, &args),
        Command::Ps(args) => ps::run(&context, &args),
        Command::Attach(args) => attach::run(&context, &args),
        Command::Serve(args) => serve::run(&context, &args),
        Command::Token(command) => token::run(&context, command),
        Command::Memory(command) => memory::run(&context, command),
        Command::Tasks(command) => tasks::run(&context, command),
        Command::Budget(args) => budget::run(&context, &args),
        Command::Approvals(command) => approvals::run(&context, command),
        Command::Logs(args) => logs::run(&context, &args),
        Command::Harness(command) => harness::run(&context, command),
        Command::Model(command) => model::run(&context, command),
        Command::Doctor => doctor::run(&cli.global),
    }
}
