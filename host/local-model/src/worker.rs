//! The one thread that owns a model.
//!
//! llama.cpp's contexts are not made for several threads (creating two at once is a data race),
//! so everything that touches the model happens here. Callers send jobs over a channel and get a
//! stream of deltas; `schedule` writes several answers at once, and a waiting call holds no thread.
//! The model is loaded at the first job and freed when the last sender is gone.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use domain::chat::Delta;
use domain::provider::{Call, Deltas, ProviderError};
use futures::channel::{mpsc, oneshot};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;

use crate::backend::backend;
use crate::cache::Cache;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::options::{Options, PARALLEL_MAX};
use crate::schedule::Schedule;
use crate::template::Template;

/// One call, and where its stream goes once it is accepted.
pub(crate) struct Job {
    pub call: Call,
    pub accepted: oneshot::Sender<Result<Deltas, ProviderError>>,
}

/// Everything the thread needs.
pub(crate) struct Setup {
    pub path: PathBuf,
    pub architecture: String,
    /// The context window in tokens, already cut to the model's.
    pub window: u32,
    pub template: Template,
    pub options: Options,
    /// Filled when the model is loaded; others may read its vocabulary.
    pub loaded: OnceLock<Arc<LlamaModel>>,
    /// Set when the provider is dropped: the answers in work are broken off.
    pub closing: AtomicBool,
}

impl Setup {
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// Answers written at once.
    pub(crate) fn parallel(&self) -> usize {
        self.options.parallel.get().min(PARALLEL_MAX) as usize
    }
}

/// Where an answer goes. Unbounded, because one slow reader must not hold up every other session;
/// the output limit bounds what can pile up.
pub(crate) struct Output<'a> {
    sender: mpsc::UnboundedSender<Result<Delta, ProviderError>>,
    setup: &'a Setup,
}

impl<'a> Output<'a> {
    pub(crate) fn new(setup: &'a Setup) -> (Self, Deltas) {
        let (sender, deltas) = mpsc::unbounded();
        (Self { sender, setup }, Box::pin(deltas))
    }

    pub(crate) fn send(&self, delta: Delta) {
        // A reader that went away is noticed by `is_cancelled`.
        let _ = self.sender.unbounded_send(Ok(delta));
    }

    pub(crate) fn fail(&self, error: ProviderError) {
        let _ = self.sender.unbounded_send(Err(error));
    }

    /// The reader is gone or the provider is closing; asked before every batch.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.sender.is_closed() || self.setup.is_closing()
    }
}

/// The thread's body. Ends when all senders are gone or the provider closes. A model that cannot
/// be loaded refuses the call and is tried again at the next.
pub(crate) fn run(setup: &Setup, jobs: &Receiver<Job>) {
    let mut arriving = jobs.iter().take_while(|_| !setup.is_closing());
    let Some((model, first)) = arriving.by_ref().find_map(|job| match load(setup) {
        Ok(model) => Some((model, job)),
        Err(error) => refuse(job, error),
    }) else {
        return;
    };
    let Some((cache, first)) = std::iter::once(first).chain(arriving.by_ref()).find_map(|job| {
        match Cache::new(setup, &model) {
            Ok(cache) => Some((cache, job)),
            Err(error) => refuse(job, error),
        }
    }) else {
        return;
    };
    let mut engine = Engine::new(setup, &model);
    let mut schedule = Schedule::new(setup, &model, cache);
    schedule.add(first, &mut engine);
    loop {
        if schedule.is_idle() {
            let Some(job) = arriving.next() else { return };
            schedule.add(job, &mut engine);
        }
        while let Ok(job) = jobs.try_recv() {
            schedule.add(job, &mut engine);
        }
        schedule.step();
    }
}

fn refuse<T>(job: Job, error: LoadError) -> Option<T> {
    // The caller may have given up while the model was loading.
    let _ = job.accepted.send(Err(error.into()));
    None
}

fn load(setup: &Setup) -> Result<Arc<LlamaModel>, LoadError> {
    if let Some(model) = setup.loaded.get() {
        return Ok(Arc::clone(model));
    }
    let backend = backend()?;
    if !setup.path.exists() {
        return Err(LoadError::Vanished);
    }
    let parameters =
        LlamaModelParams::default().with_n_gpu_layers(setup.options.gpu_layers).with_use_mmap(true);
    let model = LlamaModel::load_from_file(backend, &setup.path, &parameters)
        .map_err(|_| LoadError::Model { architecture: setup.architecture.clone() })?;
    Ok(Arc::clone(setup.loaded.get_or_init(|| Arc::new(model))))
}
