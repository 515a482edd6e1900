//! llama.cpp behind the [`Provider`] trait: any GGUF file as a model that costs nothing.
//!
//! Made and configured by the composition root, driven by the `llm` pipeline, which takes it as
//! the fallback when a budget is spent. It reads one file and nothing else: no environment, no
//! network, no standard output.
//!
//! What is decided here:
//! - one thread owns the model, because llama.cpp's contexts are not made for several (`worker`);
//! - it writes several answers at once, a token of each in every batch (`schedule`, `share`);
//! - the prompt comes from the model's own chat template (`template`);
//! - tool calls have one text format (`wire`) and are written under a grammar (`grammar`), so
//!   that even a model of 135 million parameters makes valid ones;
//! - one cache for all sessions, shared where they begin alike (`sequences`).
//!
//! Not here: images (named in the text instead), embeddings, several models in one file.

mod answer;
mod backend;
mod cache;
mod calls;
mod course;
mod engine;
mod error;
mod gguf;
mod grammar;
mod guard;
mod messages;
mod options;
mod pieces;
mod python_json;
mod sampler;
mod schedule;
mod sequences;
mod share;
mod template;
mod utf8;
mod wire;
mod worker;

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, mpsc};
use std::thread;

use async_trait::async_trait;
use domain::chat::Delta;
use domain::money::Price;
use domain::provider::{Call, Deltas, ModelInfo, Provider, ProviderError};
use futures::StreamExt as _;
use futures::channel::oneshot;

pub use crate::error::OpenError;
pub use crate::options::{
    CONTEXT_MAX_DEFAULT, OUTPUT_MAX_DEFAULT, Options, PARALLEL_DEFAULT, PARALLEL_MAX, Seed,
    THREADS_MAX_DEFAULT,
};
pub use crate::sampler::TEMPERATURE_DEFAULT;

use crate::error::PROVIDER;
use crate::template::Template;
use crate::worker::{Job, Setup};

/// Bytes that are certainly no more than `i32::MAX`, the longest text that llama.cpp tokenizes.
const COUNTED_MAX_BYTES: usize = 1 << 30;

/// A GGUF file as a provider with one model.
///
/// Opening reads the file's header. The weights are mapped at the first call, by a thread that
/// this value owns. Dropping it breaks off the answers in work and waits for the thread, at most
/// one batch of tokens.
pub struct LocalModel {
    setup: Arc<Setup>,
    alias: Option<String>,
    worker: Mutex<Option<Worker>>,
    /// Held shared while the model may be read, so that `model remove` leaves it alone.
    _file: File,
}

struct Worker {
    jobs: mpsc::Sender<Job>,
    thread: thread::JoinHandle<()>,
}

impl LocalModel {
    /// Opens a model file.
    ///
    /// # Errors
    /// When the file is missing, no GGUF, damaged, or a base model without a chat template; when
    /// layers shall go to a GPU and this program was built for none.
    pub fn open(path: &Path, options: Options) -> Result<Self, OpenError> {
        if options.gpu_layers > 0 && !backend::has_gpu()? {
            return Err(OpenError::NoGpu { layers: options.gpu_layers });
        }
        let facts = gguf::read(path)?;
        let file = hold(path)?;
        let template = Template::new(&facts.chat_template)
            .map_err(|source| OpenError::Template { path: path.to_owned(), source })?;
        let setup = Setup {
            path: path.to_owned(),
            architecture: facts.architecture,
            window: options.context.get().min(facts.context),
            template,
            options,
            loaded: OnceLock::new(),
            closing: AtomicBool::new(false),
        };
        let alias = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Ok(Self { setup: Arc::new(setup), alias, worker: Mutex::new(None), _file: file })
    }

    /// What is known of the model.
    pub fn info(&self) -> ModelInfo {
        let options = &self.setup.options;
        ModelInfo {
            name: options.name.clone(),
            context_window: self.setup.window,
            // A small window must leave half to the history.
            max_output_tokens: options.max_output.min(self.setup.window / 2),
            images: false,
            reasoning: self.setup.template.thinks,
            price: Some(Price::FREE),
            tiers: Vec::new(),
        }
    }

    fn knows(&self, model: &str) -> bool {
        model == self.setup.options.name || self.alias.as_deref() == Some(model)
    }

    fn worker(&self) -> MutexGuard<'_, Option<Worker>> {
        // A panic elsewhere leaves the option whole.
        self.worker.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Hands a job to the thread, which is started when there is none.
    fn send(&self, mut job: Job) -> Result<(), ProviderError> {
        let failed = |reason: String| ProviderError::Other(format!("{PROVIDER}: {reason}"));
        let mut worker = self.worker();
        if let Some(running) = worker.as_ref() {
            match running.jobs.send(job) {
                Ok(()) => return Ok(()),
                // Only a panic ends the thread before its senders are gone; start another.
                Err(mpsc::SendError(returned)) => job = returned,
            }
        }
        let (jobs, queue) = mpsc::channel();
        let setup = Arc::clone(&self.setup);
        let thread = thread::Builder::new()
            .name("local-model".to_owned())
            .spawn(move || worker::run(&setup, &queue))
            .map_err(|e| failed(format!("no thread for the model: {e}")))?;
        let sent = jobs.send(job);
        *worker = Some(Worker { jobs, thread });
        sent.map_err(|_| failed("the model's thread ended at once".to_owned()))
    }
}

/// Opens the file under a shared lock. A file system without locks has nobody who asks for one.
fn hold(path: &Path) -> Result<File, OpenError> {
    let file =
        File::open(path).map_err(|source| OpenError::Read { path: path.to_owned(), source })?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(OpenError::Removing { path: path.to_owned() }),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

#[async_trait]
impl Provider for LocalModel {
    fn name(&self) -> &str {
        PROVIDER
    }

    fn model(&self, model: &str) -> Option<ModelInfo> {
        self.knows(model).then(|| self.info())
    }

    fn takes(&self, field: &str) -> bool {
        matches!(field, "seed" | "top_p")
    }

    /// Loads the model when this is the first call, and resolves when the prompt is known to fit.
    /// The stream begins when a place is free: calls beyond [`Options::parallel`] wait in their
    /// order. Dropping the stream frees its place at the next batch.
    async fn call(&self, call: Call) -> Result<Deltas, ProviderError> {
        if !self.knows(&call.model) {
            return Err(ProviderError::UnknownModel {
                provider: PROVIDER.to_owned(),
                model: call.model,
            });
        }
        let (accepted, answer) = oneshot::channel();
        self.send(Job { call, accepted })?;
        let deltas: Deltas = answer.await.unwrap_or_else(|_| {
            Err(ProviderError::Other(format!("{PROVIDER}: the model's thread ended; try again")))
        })?;
        // Which file it is that answers: the name alone says only that it is a local one.
        let served =
            self.alias.as_ref().map(|alias| format!("{}/{alias}", self.setup.options.name));
        Ok(futures::stream::iter(served.map(|name| Ok(Delta::Model(name)))).chain(deltas).boxed())
    }

    /// Exact once the model is loaded, the usual estimate before.
    fn count_tokens(&self, text: &str) -> u64 {
        match self.setup.loaded.get() {
            Some(model) if text.len() <= COUNTED_MAX_BYTES => {
                model.vocab().tokenize(text.as_bytes(), false, false).len() as u64
            }
            _ => (text.len() as u64).div_ceil(4),
        }
    }
}

impl Drop for LocalModel {
    fn drop(&mut self) {
        self.setup.closing.store(true, Ordering::Relaxed);
        if let Some(Worker { jobs, thread }) = self.worker().take() {
            drop(jobs);
            // A panic of the thread was seen by its caller already. Not to wait would let
            // llama.cpp compute while the process runs its exit handlers.
            let _ = thread.join();
        }
    }
}
