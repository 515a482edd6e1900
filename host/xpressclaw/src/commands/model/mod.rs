//! `xpressclaw model`: the models that agents can use.

mod default;
mod list;
mod progress;
mod pull;
mod remove;

use anyhow::Result;

use super::Context;
use crate::cli::ModelCommand;
use crate::exit::Exit;

pub fn run(context: &Context, command: ModelCommand) -> Result<Exit> {
    match command {
        ModelCommand::List { format } => list::run(context, format),
        ModelCommand::Pull(args) => pull::run(context, &args),
        ModelCommand::Default { model, format } => default::run(context, model.as_deref(), format),
        ModelCommand::Remove { name, format } => remove::run(context, &name, format),
    }
}
