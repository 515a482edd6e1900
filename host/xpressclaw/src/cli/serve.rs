//! `serve` and `token`: what may be typed.

use std::net::SocketAddr;

use clap::{Args, Subcommand};
use domain::AgentName;

use super::{Format, agent_name};

/// Loopback: what others on the network may reach is the user's decision.
const LISTEN: &str = "127.0.0.1:8935";

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address and port to serve on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN)]
    pub listen: SocketAddr,
}

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token for an agent; it is printed once and kept nowhere
    Mint {
        /// An agent of the configuration
        #[arg(value_parser = agent_name)]
        agent: AgentName,
        /// What it is for, to tell it from others
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
    },
    /// The tokens that there are, without the tokens themselves
    List {
        /// Of this agent only
        #[arg(long, value_name = "NAME", value_parser = agent_name)]
        agent: Option<AgentName>,
        /// How to print
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// End a token: the next request with it is refused
    Revoke {
        /// An id of `xpressclaw token list`
        id: String,
    },
}
