//! The threads that computers run on.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use engine::{CompileCache, EngineError, LoadError};

use crate::computer::{Computer, Config};
use crate::module::Module;
use crate::turns::Line;

/// What computers run on.
#[derive(Clone, Debug)]
pub struct Options {
    /// The module, built from `components/computer`.
    pub module: PathBuf,
    /// Where compiled code is kept between processes.
    pub compiled: PathBuf,
    /// How many computers may compute at the same time; `None`: as many as there are cores.
    pub threads: Option<NonZeroUsize>,
}

/// No computer can run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot load the machine's computer")]
    Load(#[from] LoadError),
    #[error("the machine's computer does not fit this host; build both from the same source")]
    Fit(#[source] wasmtime::Error),
    #[error("cannot start a thread for computers")]
    Thread(#[source] std::io::Error),
}

/// A fixed set of threads. Dropping it ends the threads after the turns under way, and with them every
/// computer.
pub struct Computers {
    module: Arc<Module>,
    line: Arc<Line>,
    threads: Vec<JoinHandle<()>>,
}

impl Computers {
    /// Loads the module and starts the threads. Blocks for a few seconds when the module must be
    /// compiled, which is said to `compiling` first.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(options: &Options, compiling: impl FnOnce()) -> Result<Arc<Self>, StartError> {
        let cache = CompileCache::new(&options.compiled);
        let module = Arc::new(Module::load(&options.module, &cache, compiling)?);
        let threads = options.threads.or_else(|| std::thread::available_parallelism().ok());
        let threads = threads.map_or(1, NonZeroUsize::get);
        let mut computers = Self { module, line: Arc::default(), threads: Vec::new() };
        for _ in 0..threads {
            let line = computers.line.clone();
            let thread = std::thread::Builder::new().name("computer".into());
            let thread = thread.spawn(move || line.serve()).map_err(StartError::Thread)?;
            computers.threads.push(thread);
        }
        Ok(Arc::new(computers))
    }

    /// Switches a computer on. It boots on the threads; what goes wrong there is its state.
    pub fn boot(self: &Arc<Self>, config: Config) -> Computer {
        Computer::boot(self.clone(), &self.module, &self.line, config)
    }
}

impl Drop for Computers {
    fn drop(&mut self) {
        self.line.close();
        for thread in self.threads.drain(..) {
            // A panic in it was reported when it happened.
            let _ = thread.join();
        }
    }
}
