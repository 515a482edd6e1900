//! One module per command. Each gets plain values and returns an exit code.

mod open;

use anyhow::Result;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

pub use open::{Context, now_ms};

pub fn dispatch(cli: Cli) -> Result<Exit> {
    let context = Context::resolve(&cli.global)?;
    match cli.command {
        Command::Run(args) => crate::run::run(&context, &args),
        _ => Err(anyhow::anyhow!("not yet")),
    }
}
