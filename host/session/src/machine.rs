//! The machine of a session: what it is made of, and who serves the programs in it.

use std::sync::Arc;

use machine::{Machine, Parts};
use ninep::Export;
use verbs::socket::Door;

use crate::config::MachineConfig;
use crate::error::OpenError;
use crate::session::Session;
use crate::wasi::WORKSPACE;

impl Session {
    /// Nothing is started here: a machine begins with its first use.
    pub(crate) fn make_machine(&self) -> Result<Option<Machine>, OpenError> {
        let Some(MachineConfig { machines, memory }) = &self.config.machine else {
            return Ok(None);
        };
        // What rules say of paths holds for the machine's programs, too.
        let folder = &self.config.workspace;
        let workspace = match self.guard.of_share(WORKSPACE) {
            Some(guard) => Export::open_guarded(folder, guard)?,
            None => Export::open(folder)?,
        };
        let door = Door::new(self.verbs(self.lines()), self.handle.clone());
        Ok(Some(Machine::new(Parts {
            machines: machines.clone(),
            memory: *memory,
            workspace,
            agent: self.config.agent.clone(),
            verbs: Arc::new(move |connection| {
                let door = door.clone();
                tokio::spawn(async move {
                    if let Err(error) = door.serve(connection).await {
                        tracing::debug!(%error, "a program of the machine went");
                    }
                });
            }),
        })))
    }
}
