//! The one thread that owns a model.
//!
//! llama.cpp's contexts are not made for several threads (creating two at once is a data race),
//! so everything that touches the model happens here, one call after another. Callers send jobs
//! over a channel and get a stream of deltas; a waiting call holds no thread. The model is loaded
//! at the first job and freed when the last sender is gone.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use domain::chat::Delta;
use domain::provider::{Call, Deltas, ProviderError};
use futures::StreamExt as _;
use futures::channel::{mpsc, oneshot};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;

use crate::backend::backend;
use crate::engine::Engine;
use crate::error::LoadError;
use crate::options::Options;
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
    /// Set when the provider is dropped: the answer in work is broken off.
    pub closing: AtomicBool,
}

impl Setup {
    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }
}

/// Where an answer goes. Unbounded, because one slow reader must not hold up every other session;
/// the output limit bounds what can pile up.
pub(crate) struct Output<'a> {
    sender: mpsc::UnboundedSender<Result<Delta, ProviderError>>,
    setup: &'a Setup,
}

impl Output<'_> {
    pub(crate) fn send(&self, delta: Delta) {
        // A reader that went away is noticed by `is_cancelled`.
        let _ = self.sender.unbounded_send(Ok(delta));
    }

    /// The reader is gone or the provider is closing; asked before every batch and token.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.sender.is_closed() || self.setup.is_closing()
    }
}

/// The thread's body. Ends when all senders are gone or the provider closes. A model that cannot
/// be loaded refuses the call and is tried again at the next.
pub(crate) fn run(setup: &Setup, jobs: &Receiver<Job>) {
    let mut jobs = jobs.iter().take_while(|_| !setup.is_closing());
    let Some((model, first)) = jobs.by_ref().find_map(|job| match load(setup) {
        Ok(model) => Some((model, job)),
        Err(error) => refuse(job, error),
    }) else {
        return;
    };
    let Some((mut engine, first)) = std::iter::once(first).chain(jobs.by_ref()).find_map(|job| {
        match Engine::new(setup, &model) {
            Ok(engine) => Some((engine, job)),
            Err(error) => refuse(job, error),
        }
    }) else {
        return;
    };
    for job in std::iter::once(first).chain(jobs) {
        serve(setup, &mut engine, job);
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

fn serve(setup: &Setup, engine: &mut Engine<'_>, job: Job) {
    if job.accepted.is_canceled() {
        return;
    }
    let prepared = match engine.prepare(job.call) {
        Ok(prepared) => prepared,
        Err(error) => {
            let _ = job.accepted.send(Err(error));
            return;
        }
    };
    let (sender, deltas) = mpsc::unbounded();
    if job.accepted.send(Ok(deltas.boxed())).is_err() {
        return;
    }
    let output = Output { sender, setup };
    if let Err(error) = engine.answer(prepared, &output) {
        let _ = output.sender.unbounded_send(Err(error));
    }
}
