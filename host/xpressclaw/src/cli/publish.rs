//! What publishers and users of registries may type: `xpressclaw harness push | pull | add | remove |
//! sign | key`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

#[derive(Debug, Args)]
pub struct PushArgs {
    /// A component, or a project that was built
    #[arg(value_name = "FILE|DIR")]
    pub target: PathBuf,
    /// Where to, like `ghcr.io/acme/tool:1.0`
    pub reference: String,
    /// Sign it with this key, too
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct PullHarnessArgs {
    /// A short name, a full reference, or one with a digest
    pub reference: String,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct AddArgs {
    /// A short name, a full reference, or one with a digest
    pub reference: String,
    /// What it is called here [default: the last part of its repository]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// From `harness list`
    pub name: String,
}

#[derive(Debug, Args)]
pub struct SignArgs {
    /// What is signed; a tag stands for what it is today
    pub reference: String,
    /// A private key as cosign and `harness key` write it
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct KeyArgs {
    /// What the two files are called
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
}
