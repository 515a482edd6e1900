//! `xpressclaw:machine/checkpoint`.

use bindings::machine::checkpoint as wit;
use bindings::machine::types::Error;

use crate::MachineView;

impl wit::Host for MachineView<'_> {
    async fn create(&mut self, _label: String) -> wasmtime::Result<Result<wit::Checkpoint, Error>> {
        Ok(Err(Error::NoMachine))
    }

    async fn list_checkpoints(&mut self) -> wasmtime::Result<Result<Vec<wit::Checkpoint>, Error>> {
        Ok(Err(Error::NoMachine))
    }

    async fn restore(&mut self, _id: String) -> wasmtime::Result<Result<(), Error>> {
        Ok(Err(Error::NoMachine))
    }
}
