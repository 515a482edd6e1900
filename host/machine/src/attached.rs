//! One client of the machine's terminal, for harnesses and for users.

use machine_client::{Process, ProcessError};
use machine_protocol::{Command, Program, Size};

use crate::machine::{Machine, Running, StartError};

/// The variable by which the terminal's status line knows its agent.
const NAME: &str = "XCLAW_AGENT";

/// Dropping it detaches.
pub(crate) struct Attached {
    pub process: Process,
    pub running: Running,
}

impl Attached {
    /// Starts the machine if it does not run.
    pub async fn new(machine: &Machine, size: Size) -> Result<Self, StartError> {
        let running = machine.running().await?;
        let command = Command {
            program: Program::Terminal,
            cwd: None,
            env: vec![(NAME.to_owned(), machine.agent().to_string())],
            timeout_ms: None,
            pty: Some(size),
        };
        let process = running.client.start(command);
        Ok(Self { process, running })
    }

    /// What comes next; empty at the end.
    pub async fn read(&self, max_bytes: usize) -> Result<Vec<u8>, ProcessError> {
        let chunks = self.process.read(max_bytes).await?;
        Ok(chunks.into_iter().flat_map(|chunk| chunk.data).collect())
    }

    /// All of it, in as many pieces as the terminal takes.
    pub async fn write(&self, mut data: &[u8]) -> Result<(), ProcessError> {
        while !data.is_empty() {
            let taken = self.process.write(data).await?;
            data = data.get(taken..).unwrap_or_default();
        }
        Ok(())
    }
}
