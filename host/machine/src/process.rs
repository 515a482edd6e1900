//! A command of a harness, from the question whether it may run to its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use approvals::{Action, Approvals, Denial};
use bindings::machine::types::Error;
use domain::wait::{Promise, Waitable};
use machine_client::{self as client, ProcessError};
use machine_protocol::{Command, Exit, Signal, Size};
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};

use crate::error;
use crate::machine::{Machine, Running};

/// What a process is made of.
pub(crate) struct Request {
    pub command: Command,
    pub script: String,
    pub call_id: Option<String>,
}

/// What came of the wish to start a command.
#[derive(Clone)]
enum Began {
    Started(Arc<Started>),
    Never(Error),
    /// A signal came before it started.
    Killed(Signal),
}

/// A command that was passed on to a machine.
pub(crate) struct Started {
    pub io: client::Process,
    pub running: Running,
}

/// What was asked for before it started.
#[derive(Default)]
struct Early {
    input_closed: bool,
    size: Option<Size>,
    /// Withdraws the wish.
    signal: Option<Signal>,
}

/// Dropping it withdraws the question, or kills the whole tree.
pub(crate) struct Process {
    pub has_pty: bool,
    began: watch::Receiver<Option<Began>>,
    early: Arc<Mutex<Early>>,
    signalled: Arc<Notify>,
    readable: Waitable,
    writable: Waitable,
    exited: Waitable,
    /// Held until the guest drops its handle.
    _slot: OwnedSemaphorePermit,
}

impl Process {
    /// Must run inside of the runtime.
    pub fn start(
        request: Request,
        machine: Machine,
        approvals: Approvals,
        slot: OwnedSemaphorePermit,
    ) -> Self {
        let has_pty = request.command.pty.is_some();
        let (tell, began) = watch::channel(None);
        let early = Arc::<Mutex<Early>>::default();
        let signalled = Arc::<Notify>::default();
        let promises = [Promise::default(), Promise::default(), Promise::default()];
        let [readable, writable, exited] = promises.each_ref().map(Promise::waitable);
        // Of the turn that runs now: the task may begin in the next one.
        let over = approvals.ended();
        let (noted, withdrawn) = (early.clone(), signalled.clone());
        tokio::spawn(async move {
            let begun = tokio::select! {
                biased;
                // The guest dropped its handle.
                () = tell.closed() => return,
                () = withdrawn.notified() => Err(Error::Cancelled),
                begun = begin(&request, &machine, &approvals, over) => begun,
            };
            let waitables = {
                // What is asked for from now on finds the process.
                let noted = lock(&noted);
                let began = match (noted.signal, begun) {
                    (Some(signal), _) => Began::Killed(signal),
                    (None, Err(never)) => Began::Never(never),
                    (None, Ok(running)) => {
                        Began::Started(Arc::new(Started::new(request.command, running, &noted)))
                    }
                };
                let waitables = match &began {
                    Began::Started(started) => {
                        let io = &started.io;
                        Some([io.readable(), io.writable(), io.exited()])
                    }
                    Began::Never(_) | Began::Killed(_) => None,
                };
                // Before anybody is woken by what follows.
                tell.send_replace(Some(began));
                waitables
            };
            for (promise, waitable) in promises.into_iter().zip(waitables.into_iter().flatten()) {
                promise.keep(waitable);
            }
        });
        Self { has_pty, began, early, signalled, readable, writable, exited, _slot: slot }
    }

    pub fn readable(&self) -> Waitable {
        self.readable.clone()
    }

    pub fn writable(&self) -> Waitable {
        self.writable.clone()
    }

    pub fn exited(&self) -> Waitable {
        self.exited.clone()
    }

    /// Output; nothing is its end.
    pub async fn read(&self, max_bytes: usize) -> Result<Vec<client::Chunk>, Error> {
        match self.begun().await? {
            Ok(started) => started.told(started.io.read(max_bytes).await).await,
            Err(_) => Ok(Vec::new()),
        }
    }

    pub async fn write(&self, data: &[u8]) -> Result<usize, Error> {
        match self.begun().await? {
            Ok(started) => started.told(started.io.write(data).await).await,
            Err(_) => Err(Error::Other("it was killed before it started".to_owned())),
        }
    }

    pub async fn exit(&self) -> Result<Exit, Error> {
        match self.begun().await? {
            Ok(started) => started.told(started.io.exit().await).await,
            Err(signal) => Ok(Exit::Signal(number(signal))),
        }
    }

    /// Never blocks, as nothing below.
    pub async fn close_stdin(&self) -> Result<(), Error> {
        match self.now(|early| early.input_closed = true) {
            Some(Began::Started(started)) => started.told(started.io.close_stdin()).await,
            Some(Began::Never(never)) => Err(never),
            Some(Began::Killed(_)) | None => Ok(()),
        }
    }

    pub async fn signal(&self, signal: Signal) -> Result<(), Error> {
        match self.now(|early| early.signal = Some(signal)) {
            Some(Began::Started(started)) => started.told(started.io.signal(signal)).await,
            Some(Began::Never(_) | Began::Killed(_)) => Ok(()),
            None => {
                self.signalled.notify_one();
                Ok(())
            }
        }
    }

    pub async fn resize(&self, size: Size) -> Result<(), Error> {
        match self.now(|early| early.size = Some(size)) {
            Some(Began::Started(started)) => started.told(started.io.resize(size)).await,
            Some(Began::Never(never)) => Err(never),
            Some(Began::Killed(_)) | None => Ok(()),
        }
    }

    /// What came of it, or `None` after `early` was noted for the start.
    fn now(&self, early: impl FnOnce(&mut Early)) -> Option<Began> {
        // Under the lock under which what was noted is taken.
        let mut noted = lock(&self.early);
        let began = self.began.borrow().clone();
        if began.is_none() {
            early(&mut noted);
        }
        began
    }

    /// Resolves when it was started, or killed before.
    async fn begun(&self) -> Result<Result<Arc<Started>, Signal>, Error> {
        let mut began = self.began.clone();
        let began = began.wait_for(Option::is_some).await.ok().and_then(|began| began.clone());
        match began {
            Some(Began::Started(started)) => Ok(Ok(started)),
            Some(Began::Killed(signal)) => Ok(Err(signal)),
            Some(Began::Never(error)) => Err(error),
            None => Err(Error::Other("the command was lost on the host".to_owned())),
        }
    }
}

impl Started {
    fn new(mut command: Command, running: Running, noted: &Early) -> Self {
        command.pty = command.pty.map(|size| noted.size.unwrap_or(size));
        let io = running.client.start(command);
        if noted.input_closed {
            // A failure here is one of every other call, too.
            let _ = io.close_stdin();
        }
        Self { io, running }
    }

    /// The result of a call in the contract's words.
    async fn told<T>(&self, result: Result<T, ProcessError>) -> Result<T, Error> {
        match result {
            Ok(value) => Ok(value),
            Err(failure) => Err(error::error(failure, &self.running).await),
        }
    }
}

/// Asks as long as the turn is not `over`, and starts the machine if it is not there.
async fn begin(
    request: &Request,
    machine: &Machine,
    approvals: &Approvals,
    over: impl Future<Output = ()>,
) -> Result<Running, Error> {
    let action = Action::command(&request.script, request.call_id.as_deref());
    tokio::select! {
        biased;
        // First: what nobody must be asked about is started, however late.
        checked = approvals.check(&action) => checked.map_err(denied)?,
        () = over => return Err(Error::Cancelled),
    }
    machine.running().await.map_err(|failure| error::not_started(&failure))
}

pub(crate) fn denied(denial: Denial) -> Error {
    match denial {
        Denial::Cancelled => Error::Cancelled,
        denial => Error::Denied(denial.to_string()),
    }
}

/// The signal's number in Linux.
fn number(signal: Signal) -> u8 {
    match signal {
        Signal::Interrupt => 2,
        Signal::Kill => 9,
        Signal::Terminate => 15,
    }
}

/// Nothing that panics runs under this lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
