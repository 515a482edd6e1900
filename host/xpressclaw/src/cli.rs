//! The command line: what may be typed.

mod approvals;
mod authoring;
mod budget;
mod publish;
mod serve;

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use domain::ids::NameError;
use domain::limits::PAGE_MAX;
use domain::{AgentName, SessionId};
use store::log::{Level, TAIL_MAX};
use store::task::Status;

pub use approvals::ApprovalsCommand;
pub use authoring::{BuildArgs, CheckArgs, NewArgs, TestArgs, WitArgs};
pub use budget::{
    BudgetArgs, BudgetCommand, ClearArgs, ExplainArgs, HistoryArgs, PricesArgs, SetArgs, ShowArgs,
};
pub use publish::{
    AddArgs, KeyArgs, PruneArgs, PullHarnessArgs, PushArgs, RemoveArgs, SbomArgs, SignArgs,
};
pub use serve::{ServeArgs, TokenCommand};

/// Runs AI-agent harnesses as WebAssembly components: no Docker, no daemon, no API key inside a
/// sandbox.
#[derive(Debug, Parser)]
#[command(
    name = "xpressclaw",
    version,
    disable_help_subcommand = true,
    after_long_help = crate::environment::as_help()
)]
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
    /// Ask no registry: a harness that is not on this machine is an error
    #[arg(long, global = true)]
    pub offline: bool,
    /// The program's own log on stderr: `error` to `trace`, or `crate=level` [env: XPRESSCLAW_LOG] [default: error]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// How to print that log [env: XPRESSCLAW_LOG_FORMAT] [default: text]
    #[arg(long, global = true, value_enum)]
    pub log_format: Option<LogFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a harness: one turn with a prompt, or a conversation without
    Run(Box<RunArgs>),
    /// The sessions that run now
    Ps(PsArgs),
    /// Watch a running session, steer it, cancel it, answer its questions
    Attach(AttachArgs),
    /// Serve the models to any OpenAI or Anthropic client, within the agents' budgets
    Serve(ServeArgs),
    /// Who may use what `serve` offers: tokens, each of one agent
    #[command(subcommand)]
    Token(TokenCommand),
    /// Notes that an agent keeps
    #[command(subcommand)]
    Memory(MemoryCommand),
    /// Work items of an agent
    #[command(subcommand)]
    Tasks(TasksCommand),
    /// What was spent, and what may still be
    Budget(BudgetArgs),
    /// What users allowed for longer than once, and who decided what
    #[command(subcommand)]
    Approvals(ApprovalsCommand),
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
    /// A harness by name, the path of a component, a registry's reference, or an agent of the configuration
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
    /// Build and load what changed: a conversation's next turn uses it, a prompt is run again. HARNESS may be a project
    #[arg(long)]
    pub watch: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct PsArgs {
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct AttachArgs {
    /// A session or an agent of `xpressclaw ps` [default: the only one that runs]
    #[arg(value_name = "SESSION|AGENT")]
    pub target: Option<String>,
    /// Only watch: nothing that is typed is sent
    #[arg(long)]
    pub read_only: bool,
    /// Show the terminal of its machine; Ctrl-] leaves [default where it has one and no question waits]
    #[arg(long, short, conflicts_with = "format")]
    pub terminal: bool,
    /// Show what is said and done, to steer it and to answer [default where it has no machine]
    #[arg(long, short, conflicts_with = "terminal")]
    pub conversation: bool,
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

impl From<OnExceeded> for domain::OnExceeded {
    fn from(action: OnExceeded) -> Self {
        match action {
            OnExceeded::Degrade => Self::Degrade,
            OnExceeded::Pause => Self::Pause,
            OnExceeded::Stop => Self::Stop,
            OnExceeded::Alert => Self::Alert,
        }
    }
}

/// Whose rows.
#[derive(Debug, Clone, Args)]
pub struct AgentArgs {
    /// The agent [default: the only one there is]
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub agent: Option<AgentName>,
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
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = page(PAGE_MAX))]
        limit: u32,
    },
    /// Best first
    Search {
        /// Words; each counts, none is required
        #[arg(required = true)]
        query: Vec<String>,
        #[command(flatten)]
        agent: AgentArgs,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = page(PAGE_MAX))]
        limit: u32,
    },
    /// Keep a note
    Add {
        /// What to keep
        text: String,
        /// A tag; may be repeated
        #[arg(long, value_name = "WORD")]
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
        /// Only those of this status
        #[arg(long, value_parser = status())]
        status: Option<Status>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = page(PAGE_MAX))]
        limit: u32,
    },
    /// Add one
    Create {
        /// One line
        title: String,
        /// More
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        detail: String,
        #[command(flatten)]
        agent: AgentArgs,
    },
    /// Change one
    Update {
        /// From `tasks list`
        id: String,
        /// A new status
        #[arg(long, value_parser = status())]
        status: Option<Status>,
        /// A new title
        #[arg(long, value_name = "TEXT")]
        title: Option<String>,
        /// A new detail
        #[arg(long, value_name = "TEXT")]
        detail: Option<String>,
        #[command(flatten)]
        agent: AgentArgs,
    },
}

#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Only this agent [default: all]
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub agent: Option<AgentName>,
    /// Only this session
    #[arg(long, value_name = "NAME", value_parser = session_id)]
    pub session: Option<SessionId>,
    /// This level or a graver one
    #[arg(long, value_parser = level())]
    pub level: Option<Level>,
    /// The last so many lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = page(TAIL_MAX))]
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
        /// A name, a path, or a registry's reference
        harness: String,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Begin a harness of your own: a project that builds
    New(NewArgs),
    /// Build a project with its language's tools
    Build(BuildArgs),
    /// Hold a component against the contract, line by line
    Check(CheckArgs),
    /// Play the conformance suite: what every harness must do
    Test(TestArgs),
    /// Write the contract, in the version of this program
    Wit(WitArgs),
    /// Publish a component in a registry
    Push(PushArgs),
    /// Fetch what a registry has today, verify it, and say who vouches for it
    Pull(PullHarnessArgs),
    /// Pull a harness and pin its name here, in xpressclaw.lock
    Add(AddArgs),
    /// Take a name out of xpressclaw.lock
    Remove(RemoveArgs),
    /// Print the list of parts that was attached to a component in a registry
    Sbom(SbomArgs),
    /// Vouch for what is in a registry, with a key
    Sign(SignArgs),
    /// Make a pair of keys: NAME.key to sign with, NAME.pub for others
    Key(KeyArgs),
    /// Remove what was pulled and is not used any more; what is pinned here stays
    Prune(PruneArgs),
}

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Models on this machine, those of configured providers, and those that can be pulled
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Download a model and verify it; a download that broke off is continued
    Pull(Box<PullArgs>),
    /// Say which file the model `local` is, or record another one
    Default {
        /// A model from `model list`, or the path of a .gguf file
        model: Option<String>,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Delete a downloaded model
    Remove {
        /// From `model list`
        name: String,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

#[derive(Debug, Args)]
pub struct PullArgs {
    /// A name from `model list`, or the https URL of a .gguf file
    pub model: String,
    /// What the file at a URL must be
    #[arg(long, value_name = "HEX", conflicts_with = "trust_server_digest")]
    pub sha256: Option<String>,
    /// Believe the server, once, which SHA-256 its file has; it is recorded and holds from then on
    #[arg(long)]
    pub trust_server_digest: bool,
    /// What a model from a URL is called [default: its file's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

fn agent_name(text: &str) -> Result<AgentName, NameError> {
    AgentName::new(text)
}

fn session_id(text: &str) -> Result<SessionId, NameError> {
    SessionId::new(text)
}

/// Rows of one answer: what the store gives at once.
fn page(max: u32) -> impl TypedValueParser<Value = u32> {
    value_parser!(u32).range(1..=i64::from(max))
}

fn status() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.map(Status::as_str))
        .try_map(|name| Status::from_name(&name).ok_or("not a status"))
}

fn level() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::as_str))
        .try_map(|name| Level::from_name(&name).ok_or("not a level"))
}
