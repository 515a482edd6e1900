//! What authors of harnesses may type: `xpressclaw harness new | build | check | test | wit`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Format;

#[derive(Debug, Args)]
pub struct NewArgs {
    /// What the harness is called: lower-case letters, digits and dashes
    pub name: String,
    /// The language that it is written in
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    pub lang: Language,
    /// Where to make the project [default: a folder of its name, here]
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Built by cargo, the smallest
    Rust,
    /// Built by npm with componentize-js
    Js,
    /// Built by componentize-py
    Python,
}

impl From<Language> for kit::manifest::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::Rust => Self::Rust,
            Language::Js => Self::Js,
            Language::Python => Self::Python,
        }
    }
}

#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The project
    #[arg(value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
    /// Refuse a lock file that is not up to date
    #[arg(long)]
    pub locked: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A component, or a project that was built
    #[arg(value_name = "FILE|DIR", default_value = ".")]
    pub target: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// A component, or a project that was built
    #[arg(value_name = "FILE|DIR", default_value = ".")]
    pub target: PathBuf,
    /// Only this scenario; may be repeated
    #[arg(long, value_name = "NAME")]
    pub scenario: Vec<String>,
    /// A call of one of its tools that succeeds, like `remember={"text": "a"}` [default: harness.yaml's]
    #[arg(long, value_name = "TOOL=JSON")]
    pub tool: Option<String>,
    /// The harness's settings, a JSON object [default: harness.yaml's]
    #[arg(long, value_name = "JSON")]
    pub settings: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct WitArgs {
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = "wit")]
    pub out: PathBuf,
    /// Write packages in their binary form, as registries keep them, in place of text
    #[arg(long)]
    pub packages: bool,
    /// Publish these packages below a registry's namespace, where `wkg` looks for them
    #[arg(long, value_name = "NAMESPACE", conflicts_with_all = ["out", "packages"])]
    pub push: Option<String>,
}
