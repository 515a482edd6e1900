//! `xpressclaw:machine/terminal`.

use approvals::Action;
use bindings::machine::terminal as wit;
use bindings::machine::types::{Error, Size};
use domain::wait::Waitable;
use machine_client::ProcessError;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::Resource;

use crate::attached::Attached;
use crate::process::denied;
use crate::shell::unless_interrupted;
use crate::{MachineView, TERMINALS_MAX, command, error};

type Handle = Resource<wit::Terminal>;

/// What rules see of an attachment. Who attaches can type, so that a rule on commands counts.
const SCRIPT: &str = "tmux attach";

/// Bytes of one `read`; the contract says so.
const READ_MAX_BYTES: usize = 1 << 20;

/// Bytes of one `write`; the contract says so.
const WRITE_MAX_BYTES: usize = 64 << 10;

struct Terminal {
    attached: Attached,
    /// Held until the guest drops its handle.
    _slot: OwnedSemaphorePermit,
}

impl MachineView<'_> {
    fn terminal(&self, this: &Handle) -> wasmtime::Result<&Attached> {
        let terminal = self.table.get(&Resource::<Terminal>::new_borrow(this.rep()))?;
        Ok(&terminal.attached)
    }
}

impl wit::Host for MachineView<'_> {
    async fn attach(&mut self, size: Size) -> wasmtime::Result<Result<Handle, Error>> {
        let Some(machine) = &self.ctx.machine else { return Ok(Err(Error::NoMachine)) };
        let size = match command::size(size) {
            Ok(size) => size,
            Err(reason) => return Ok(Err(Error::Invalid(reason))),
        };
        let Ok(slot) = self.ctx.terminals.clone().try_acquire_owned() else {
            let full = format!("{TERMINALS_MAX} terminals are attached; drop some first");
            return Ok(Err(Error::Invalid(full)));
        };
        let attach = async {
            self.ctx.approvals.check(&Action::command(SCRIPT, None)).await.map_err(denied)?;
            Attached::new(machine, size).await.map_err(|failure| error::not_started(&failure))
        };
        // New work, unlike what follows: a cancelled turn has none.
        let attached = tokio::select! {
            biased;
            () = self.ctx.cancellation.cancelled() => Err(Error::Cancelled),
            attached = attach => attached,
        };
        Ok(match attached {
            Ok(attached) => {
                let entry = self.table.push(Terminal { attached, _slot: slot })?;
                Ok(Resource::new_own(entry.rep()))
            }
            Err(error) => Err(error),
        })
    }
}

impl wit::HostTerminal for MachineView<'_> {
    async fn read(
        &mut self,
        this: Handle,
        max_bytes: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        let max = (max_bytes as usize).clamp(1, READ_MAX_BYTES);
        let terminal = self.terminal(&this)?;
        let read = async {
            match terminal.read(max).await {
                // A machine that went took its terminal with it: that is the end, and no error.
                Err(ProcessError::Gone(_)) => Ok(Vec::new()),
                Err(failure) => Err(error::error(failure, &terminal.running).await),
                Ok(data) => Ok(data),
            }
        };
        Ok(unless_interrupted(&self.ctx.cancellation, read).await)
    }

    async fn readable(&mut self, this: Handle) -> wasmtime::Result<Resource<Waitable>> {
        let waitable = self.terminal(&this)?.process.readable();
        Ok(self.table.push(waitable)?)
    }

    async fn write(&mut self, this: Handle, data: Vec<u8>) -> wasmtime::Result<Result<(), Error>> {
        if data.len() > WRITE_MAX_BYTES {
            let long = format!("at most {WRITE_MAX_BYTES} bytes are typed at once");
            return Ok(Err(Error::Invalid(long)));
        }
        let terminal = self.terminal(&this)?;
        let write = async {
            match terminal.write(&data).await {
                Ok(()) => Ok(()),
                Err(failure) => Err(error::error(failure, &terminal.running).await),
            }
        };
        Ok(unless_interrupted(&self.ctx.cancellation, write).await)
    }

    async fn resize(&mut self, this: Handle, size: Size) -> wasmtime::Result<Result<(), Error>> {
        let terminal = self.terminal(&this)?;
        let size = match command::size(size) {
            Ok(size) => size,
            Err(reason) => return Ok(Err(Error::Invalid(reason))),
        };
        Ok(match terminal.process.resize(size) {
            Ok(()) => Ok(()),
            Err(failure) => Err(error::error(failure, &terminal.running).await),
        })
    }

    async fn drop(&mut self, this: Handle) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Terminal>::new_own(this.rep()))?;
        Ok(())
    }
}
