//! The command line: what may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Runs AI-agent harnesses as WebAssembly components: no Docker, no daemon, no API key inside a
/// sandbox.
#[derive(Debug, Parser)]
#[command(name = "xpressclaw", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Where sessions, memory and the ledger are kept [env: XPRESSCLAW_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The configuration file [env: XPRESSCLAW_CONFIG] [default: ./xpressclaw.yaml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a harness: one turn with a prompt, or a conversation without
    Run(Box<RunArgs>),
    /// Notes that an agent keeps
    #[command(subcommand)]
    Memory(MemoryCommand),
    /// Work items of an agent
    #[command(subcommand)]
    Tasks(TasksCommand),
    /// What was spent, and what may still be
    Budget(BudgetArgs),
    /// What agents logged
    Logs(LogsArgs),
    /// Harness components
    #[command(subcommand)]
    Harness(HarnessCommand),
    /// Models that agents can use
    #[command(subcommand)]
    Model(ModelCommand),
    /// Check this machine and say what is missing
    Doctor,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// A harness by name, the path of a component, or an agent of the configuration
    pub harness: String,
    /// What the agent shall do; without it stdin when that is piped, else a conversation
    pub prompt: Option<String>,
    /// `local`, a .gguf file, `provider/model`, or `script:FILE` [default: the configuration's, or `local`]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
    /// The directory that the agent works in; made when missing [default: one of the agent's own]
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// The most that this run may cost, in dollars, like `$0.50`
    #[arg(long, value_name = "AMOUNT")]
    pub budget: Option<String>,
    /// What to do when `--budget` is spent
    #[arg(long, value_name = "ACTION", default_value = "degrade")]
    pub on_exceeded: OnExceeded,
    /// A destination that the agent may reach, like `https://example.com`; may be repeated
    #[arg(long, value_name = "URL")]
    pub allow_net: Vec<String>,
    /// A conversation to continue or to begin under this name
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One object a line
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnExceeded {
    /// Answer from the fallback model
    Degrade,
    /// Wait until the window resets or the cap is raised
    Pause,
    /// Refuse
    Stop,
    /// Answer all the same and say so
    Alert,
}

/// Whose rows.
#[derive(Debug, Clone, Args)]
pub struct AgentArgs {
    /// The agent
    #[arg(long, value_name = "NAME", default_value = "pi")]
    pub agent: String,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
pub enum MemoryCommand {
    /// Newest first
    List {
        #[command(flatten)]
        agent: AgentArgs,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Best first
    Search {
        /// Words
        query: Vec<String>,
        #[command(flatten)]
        agent: AgentArgs,
        /// At most so many
        #[arg(long, default_value_t = 10)]
        limit: u32,
    },
    /// Keep a note
    Add {
        /// What to keep
        text: String,
        /// A tag; may be repeated
        #[arg(long)]
        tag: Vec<String>,
        #[command(flatten)]
        agent: AgentArgs,
    },
    /// Remove a note
    Delete {
        /// From `memory list`
        id: String,
        #[command(flatten)]
        agent: AgentArgs,
    },
}

#[derive(Debug, Subcommand)]
pub enum TasksCommand {
    /// Newest first
    List {
        #[command(flatten)]
        agent: AgentArgs,
        /// Only those of this status: open, active, blocked, done, failed or cancelled
        #[arg(long)]
        status: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Add one
    Create {
        /// One line
        title: String,
        /// More
        #[arg(long, default_value = "")]
        detail: String,
        #[command(flatten)]
        agent: AgentArgs,
    },
    /// Change one
    Update {
        /// From `tasks list`
        id: String,
        /// open, active, blocked, done, failed or cancelled
        #[arg(long)]
        status: Option<String>,
        /// A new title
        #[arg(long)]
        title: Option<String>,
        /// A new detail
        #[arg(long)]
        detail: Option<String>,
        #[command(flatten)]
        agent: AgentArgs,
    },
}

#[derive(Debug, Args)]
pub struct BudgetArgs {
    /// Only this agent [default: all]
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Only this session
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// The last requests, each with its price and cost
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20")]
    pub history: Option<u32>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Only this agent [default: all]
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Only this session
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,
    /// This level or a graver one: trace, debug, info, warn or error
    #[arg(long)]
    pub level: Option<String>,
    /// The last so many lines
    #[arg(short = 'n', long, default_value_t = 100)]
    pub lines: u32,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Subcommand)]
pub enum HarnessCommand {
    /// Those that can be run by name
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// What a component imports and exports: what it can reach at most
    Inspect {
        /// A name or a path
        harness: String,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Local models on this machine and those of configured providers
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}
