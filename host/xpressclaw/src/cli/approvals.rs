//! `xpressclaw approvals …`: what may be typed.

use clap::Subcommand;
use domain::{AgentName, SessionId};
use store::approval::APPROVAL_PAGE_MAX;

use super::{Format, agent_name, page, session_id};

#[derive(Debug, Subcommand)]
pub enum ApprovalsCommand {
    /// What is not asked for again, newest first
    List {
        /// Only of this agent [default: all]
        #[arg(long, value_name = "NAME", value_parser = agent_name)]
        agent: Option<AgentName>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = page(APPROVAL_PAGE_MAX))]
        limit: u32,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Ask for it again from now on
    Forget {
        /// From `approvals list`
        id: String,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// The audit log: what was allowed and denied, and by whom; oldest first
    History {
        /// Only of this agent [default: all]
        #[arg(long, value_name = "NAME", value_parser = agent_name)]
        agent: Option<AgentName>,
        /// Only of this session
        #[arg(long, value_name = "NAME", value_parser = session_id)]
        session: Option<SessionId>,
        /// The last so many
        #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = page(APPROVAL_PAGE_MAX))]
        lines: u32,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}
