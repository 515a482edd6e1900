//! `xpressclaw budget …`: what may be typed.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, value_parser};
use domain::{AgentName, NanoDollars, SessionId, TurnId, Window};
use store::ledger::{HISTORY_PAGE_MAX, ReservationId};

use super::{Format, OnExceeded, agent_name, page, session_id};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BudgetArgs {
    #[command(subcommand)]
    pub command: Option<BudgetCommand>,
    #[command(flatten)]
    pub show: ShowArgs,
}

#[derive(Debug, Subcommand)]
pub enum BudgetCommand {
    /// Every cap that binds and how far it is used; totals per agent and session
    Show(ShowArgs),
    /// Set a cap: it takes the place of the configured one, at once and in running turns too
    Set(SetArgs),
    /// Take away a cap that was set; the configured one holds again
    Clear(ClearArgs),
    /// The last requests, each with its price and cost
    History(HistoryArgs),
    /// What requests cost, and why, to the nano-dollar
    Explain(ExplainArgs),
    /// What models cost for a million tokens, who says so, and whether it holds here
    Prices(PricesArgs),
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Only this agent [default: all]
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub agent: Option<AgentName>,
    /// Only this session
    #[arg(long, value_name = "NAME", value_parser = session_id)]
    pub session: Option<SessionId>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    /// Over which time it counts
    #[arg(value_parser = window())]
    pub window: Window,
    /// Dollars, like `$0.50`; zero allows only what is free
    #[arg(value_parser = NanoDollars::parse)]
    pub amount: NanoDollars,
    /// The agent that it bounds [default: all agents together]
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub agent: Option<AgentName>,
    /// What to do when it is spent [default: as it is, or `degrade`]
    #[arg(long, value_name = "ACTION")]
    pub on_exceeded: Option<OnExceeded>,
    /// Who answers after `degrade` [default: as it is, or the local model]
    #[arg(long, value_name = "MODEL")]
    pub fallback: Option<String>,
    /// Percentages to warn at, like `50,90` [default: as it is, or 80]
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', value_parser = value_parser!(u8).range(1..=100))]
    pub warn_at: Option<Vec<u8>>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct ClearArgs {
    /// Over which time it counts
    #[arg(value_parser = window())]
    pub window: Window,
    /// The agent that it bounds [default: all agents together]
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub agent: Option<AgentName>,
}

#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Only this agent [default: all]
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub agent: Option<AgentName>,
    /// Only this session
    #[arg(long, value_name = "NAME", value_parser = session_id)]
    pub session: Option<SessionId>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = page(HISTORY_PAGE_MAX))]
    pub limit: u32,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A request, from `budget history` [default: all that match, at most 1,000]
    #[arg(conflicts_with_all = ["agent", "session", "turn"], value_parser = request_id)]
    pub id: Option<ReservationId>,
    /// Only this agent [default: all]
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub agent: Option<AgentName>,
    /// Only this session
    #[arg(long, value_name = "NAME", value_parser = session_id)]
    pub session: Option<SessionId>,
    /// Only this turn, from the events or `budget history --format json`
    #[arg(long, value_name = "ID", value_parser = turn_id)]
    pub turn: Option<TurnId>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct PricesArgs {
    /// Only this model, like `openai/gpt-5-mini` or `gpt-5-mini` [default: all]
    #[arg(value_name = "MODEL")]
    pub model: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// In the order of their length.
const WINDOWS: [Window; 5] =
    [Window::Task, Window::Daily, Window::Weekly, Window::Monthly, Window::Total];

fn window() -> impl TypedValueParser<Value = Window> {
    PossibleValuesParser::new(WINDOWS.map(Window::as_str))
        .try_map(|name| Window::from_name(&name).ok_or("not a window"))
}

fn turn_id(text: &str) -> Result<TurnId, serde_json::Error> {
    serde_json::from_value(text.into())
}

fn request_id(text: &str) -> Result<ReservationId, &'static str> {
    ReservationId::parse(text).ok_or("not the id of a request")
}
