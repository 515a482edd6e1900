//! `xpressclaw:machine/checkpoint`. Machines keep no checkpoints yet, and say so: `no-machine` would be
//! untrue for an agent that has one.

use bindings::machine::checkpoint as wit;
use bindings::machine::types::Error;

use crate::MachineView;

impl MachineView<'_> {
    fn no_checkpoints<T>(&self) -> Result<T, Error> {
        Err(match self.ctx.machine {
            Some(_) => Error::Other("this host keeps no checkpoints of machines".to_owned()),
            None => Error::NoMachine,
        })
    }
}

impl wit::Host for MachineView<'_> {
    async fn create(&mut self, _label: String) -> wasmtime::Result<Result<wit::Checkpoint, Error>> {
        Ok(self.no_checkpoints())
    }

    async fn list_checkpoints(&mut self) -> wasmtime::Result<Result<Vec<wit::Checkpoint>, Error>> {
        Ok(self.no_checkpoints())
    }

    async fn restore(&mut self, _id: String) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.no_checkpoints())
    }
}
