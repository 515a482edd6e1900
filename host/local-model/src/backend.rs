//! llama.cpp's process-wide state: its logs and its backend.
//!
//! Both can be set up only once in a process, whatever the number of models. Logs are routed
//! before the first call into llama.cpp, because by default it writes to standard error.

use std::sync::{Once, OnceLock};

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::{LogOptions, send_logs_to_tracing};

use crate::error::{LoadError, OpenError};

/// Sends llama.cpp's log lines to `tracing`, and only when somebody listens at level debug: its
/// own levels call every loaded tensor "info".
pub(crate) fn route_logs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = tracing::enabled!(tracing::Level::DEBUG);
        send_logs_to_tracing(LogOptions::default().with_logs_enabled(wanted));
    });
}

/// The backend, started at the first use and kept until the process ends.
pub(crate) fn backend() -> Result<&'static LlamaBackend, LoadError> {
    static BACKEND: OnceLock<Result<LlamaBackend, String>> = OnceLock::new();
    route_logs();
    BACKEND
        .get_or_init(|| LlamaBackend::init().map_err(|e| e.to_string()))
        .as_ref()
        .map_err(|reason| LoadError::Backend(reason.clone()))
}

/// Whether layers can be computed on a GPU: a matter of how the program was built, and of the
/// machine's drivers.
pub(crate) fn has_gpu() -> Result<bool, OpenError> {
    match backend() {
        Ok(backend) => Ok(backend.supports_gpu_offload()),
        Err(error) => Err(OpenError::Backend(error.to_string())),
    }
}
