//! `xpressclaw:machine/shell`.

use approvals::Action;
use bindings::machine::shell as wit;
use bindings::machine::types::{Error, Size};
use domain::wait::Waitable;
use harness::Cancellation;
use machine_client::Chunk;
use machine_protocol::{Exit, Signal, Stream};
use wasmtime::component::Resource;

use crate::process::{Process, Request};
use crate::{MachineView, PROCESSES_MAX, command};

type Handle = Resource<wit::Process>;

/// Bytes of one call's data; the contract says so.
const DATA_MAX_BYTES: usize = 1 << 20;

impl MachineView<'_> {
    fn process(&self, this: &Handle) -> wasmtime::Result<&Process> {
        Ok(self.table.get(&Resource::<Process>::new_borrow(this.rep()))?)
    }
}

impl wit::Host for MachineView<'_> {
    async fn spawn(&mut self, command: wit::Command) -> wasmtime::Result<Result<Handle, Error>> {
        let action = Action::command(&command.script, command.call_id.as_deref());
        let Some(machine) = &self.ctx.machine else {
            // A denied command is denied with or without a machine. Without one nobody is asked: there
            // is nothing that an approval could start.
            return Ok(Err(match self.ctx.approvals.check_rules(&action) {
                Err(denial) => Error::Denied(denial.to_string()),
                Ok(()) => Error::NoMachine,
            }));
        };
        // Nothing new begins in a turn that is cancelled, whether or not the guest knows.
        if self.ctx.cancellation.is_cancelled() {
            return Ok(Err(Error::Cancelled));
        }
        let checked = match command::command(&command) {
            Ok(checked) => checked,
            Err(reason) => return Ok(Err(Error::Invalid(reason))),
        };
        let Ok(slot) = self.ctx.processes.clone().try_acquire_owned() else {
            let full = format!("{PROCESSES_MAX} processes are open; drop some first");
            return Ok(Err(Error::Invalid(full)));
        };
        let request =
            Request { command: checked, script: command.script, call_id: command.call_id };
        let process = Process::start(request, machine.clone(), self.ctx.approvals.clone(), slot);
        let entry = self.table.push(process)?;
        Ok(Ok(Resource::new_own(entry.rep())))
    }
}

impl wit::HostProcess for MachineView<'_> {
    async fn read(
        &mut self,
        this: Handle,
        max_bytes: u32,
    ) -> wasmtime::Result<Result<Vec<wit::Chunk>, Error>> {
        let max = (max_bytes as usize).clamp(1, DATA_MAX_BYTES);
        let process = self.process(&this)?;
        let read = unless_interrupted(&self.ctx.cancellation, process.read(max)).await;
        Ok(read.map(|chunks| chunks.into_iter().map(chunk_out).collect()))
    }

    async fn readable(&mut self, this: Handle) -> wasmtime::Result<Resource<Waitable>> {
        let waitable = self.process(&this)?.readable();
        Ok(self.table.push(waitable)?)
    }

    async fn write(
        &mut self,
        this: Handle,
        mut data: Vec<u8>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        data.truncate(DATA_MAX_BYTES);
        let process = self.process(&this)?;
        let written = unless_interrupted(&self.ctx.cancellation, process.write(&data)).await;
        Ok(written.map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX)))
    }

    async fn writable(&mut self, this: Handle) -> wasmtime::Result<Resource<Waitable>> {
        let waitable = self.process(&this)?.writable();
        Ok(self.table.push(waitable)?)
    }

    async fn close_stdin(&mut self, this: Handle) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.process(&this)?.close_stdin().await)
    }

    async fn kill(
        &mut self,
        this: Handle,
        signal: wit::Signal,
    ) -> wasmtime::Result<Result<(), Error>> {
        let process = self.process(&this)?;
        let signal = match signal {
            wit::Signal::Interrupt => Signal::Interrupt,
            wit::Signal::Terminate => Signal::Terminate,
            wit::Signal::Kill => Signal::Kill,
        };
        Ok(process.signal(signal).await)
    }

    async fn resize(&mut self, this: Handle, size: Size) -> wasmtime::Result<Result<(), Error>> {
        let process = self.process(&this)?;
        if !process.has_pty {
            return Ok(Err(Error::Invalid("only a process with a `pty` has a size".to_owned())));
        }
        Ok(match command::size(size) {
            Ok(size) => process.resize(size).await,
            Err(reason) => Err(Error::Invalid(reason)),
        })
    }

    async fn exit(&mut self, this: Handle) -> wasmtime::Result<Result<wit::Exit, Error>> {
        let process = self.process(&this)?;
        let exit = unless_interrupted(&self.ctx.cancellation, process.exit()).await;
        Ok(exit.map(|exit| match exit {
            Exit::Code(code) => wit::Exit::Code(code.into()),
            Exit::Signal(number) => wit::Exit::Signal(number.into()),
            Exit::TimedOut => wit::Exit::TimedOut,
        }))
    }

    async fn exited(&mut self, this: Handle) -> wasmtime::Result<Resource<Waitable>> {
        let waitable = self.process(&this)?.exited();
        Ok(self.table.push(waitable)?)
    }

    async fn drop(&mut self, this: Handle) -> wasmtime::Result<()> {
        self.table.delete(Resource::<Process>::new_own(this.rep()))?;
        Ok(())
    }
}

/// The result of a call that may block, unless the turn is cancelled and the guest does not know yet; one
/// that knows may hear out what is still open. What is there is given in any case.
pub(crate) async fn unless_interrupted<T>(
    cancellation: &Cancellation,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::select! {
        biased;
        result = call => result,
        () = cancellation.interrupted() => Err(Error::Cancelled),
    }
}

fn chunk_out(chunk: Chunk) -> wit::Chunk {
    let stream = match chunk.stream {
        Stream::Stdout => wit::OutputStream::Stdout,
        Stream::Stderr => wit::OutputStream::Stderr,
    };
    wit::Chunk { stream, data: chunk.data }
}
