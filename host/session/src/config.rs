//! What a session is opened with.

use std::path::PathBuf;
use std::sync::Arc;

use approvals::Rules;
use domain::{AgentName, SessionId, User};
use machine::Machines;
use network::Policy;
use store::ledger::Cap;

/// What a session is opened with.
pub struct SessionConfig {
    pub agent: AgentName,
    pub session: SessionId,
    pub model: String,
    /// Further models that the agent may ask for.
    pub models: Vec<String>,
    /// Where a spent budget degrades to when its cap names nothing.
    pub fallback: Option<String>,
    pub role: Option<String>,
    /// A JSON object for the harness.
    pub settings: String,
    pub workspace: PathBuf,
    /// The session's private directory; made when missing.
    pub state: PathBuf,
    pub caps: Vec<Cap>,
    /// The key that per-task caps count by.
    pub task: String,
    pub policy: Policy,
    /// What is allowed, asked for and denied.
    pub rules: Rules,
    /// MCP servers whose tools the harness is offered.
    pub servers: Vec<mcp::Spec>,
    /// `None`: an agent without a machine.
    pub machine: Option<MachineConfig>,
    pub user: Arc<dyn User>,
}

/// The machine of a session.
#[derive(Debug, Clone)]
pub struct MachineConfig {
    /// Of this process.
    pub machines: Arc<Machines>,
    /// Bytes of the machine's memory.
    pub memory: usize,
}
