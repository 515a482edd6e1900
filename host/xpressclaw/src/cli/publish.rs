//! What publishers and users of registries may type: `xpressclaw harness push | pull | add | remove |
//! sign | key | sbom | prune`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// A harness that nobody has run for a month is pulled again when somebody does.
const PRUNE_DAYS: u32 = 30;

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
    /// Attach this list of its parts, CycloneDX or SPDX in JSON [default: one made from the component and its project's lock file]
    #[arg(long, value_name = "FILE")]
    pub sbom: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct SbomArgs {
    /// A short name, a full reference, or one with a digest
    pub reference: String,
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

#[derive(Debug, Args)]
pub struct PruneArgs {
    /// Keep what was used within so many days
    #[arg(long, value_name = "N", default_value_t = PRUNE_DAYS)]
    pub days: u32,
    /// Keep at most so many MiB, what was used last first
    #[arg(long, value_name = "N")]
    pub mib: Option<u32>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}
