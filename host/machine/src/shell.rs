//! `xpressclaw:machine/shell`.

use approvals::Action;
use bindings::machine::shell as wit;
use bindings::machine::types::{Error, Size};
use domain::wait::Waitable;
use wasmtime::component::Resource;

use crate::{MachineView, no_such_handle};

type Process = Resource<wit::Process>;

impl wit::Host for MachineView<'_> {
    /// A denied command is denied with or without a machine. Without one nobody is asked: there is
    /// nothing that an approval could start.
    async fn spawn(&mut self, command: wit::Command) -> wasmtime::Result<Result<Process, Error>> {
        let action = Action::command(&command.script, command.call_id.as_deref());
        Ok(Err(match self.ctx.approvals.check_rules(&action) {
            Err(denial) => Error::Denied(denial.to_string()),
            Ok(()) => Error::NoMachine,
        }))
    }
}

impl wit::HostProcess for MachineView<'_> {
    async fn read(
        &mut self,
        _this: Process,
        _max_bytes: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Chunk>, Error>> {
        no_such_handle()
    }

    async fn readable(&mut self, _this: Process) -> wasmtime::Result<Resource<Waitable>> {
        no_such_handle()
    }

    async fn write(
        &mut self,
        _this: Process,
        _data: Vec<u8>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        no_such_handle()
    }

    async fn writable(&mut self, _this: Process) -> wasmtime::Result<Resource<Waitable>> {
        no_such_handle()
    }

    async fn close_stdin(&mut self, _this: Process) -> wasmtime::Result<Result<(), Error>> {
        no_such_handle()
    }

    async fn kill(
        &mut self,
        _this: Process,
        _signal: wit::Signal,
    ) -> wasmtime::Result<Result<(), Error>> {
        no_such_handle()
    }

    async fn resize(&mut self, _this: Process, _size: Size) -> wasmtime::Result<Result<(), Error>> {
        no_such_handle()
    }

    async fn exit(&mut self, _this: Process) -> wasmtime::Result<Result<wit::Exit, Error>> {
        no_such_handle()
    }

    async fn exited(&mut self, _this: Process) -> wasmtime::Result<Resource<Waitable>> {
        no_such_handle()
    }

    async fn drop(&mut self, _this: Process) -> wasmtime::Result<()> {
        no_such_handle()
    }
}
