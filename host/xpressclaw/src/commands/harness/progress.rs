//! How far a pull is, on stderr.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::output::{note, size};

/// What arrives sooner is not worth a line; later, a line every so often.
const OFTEN: Duration = Duration::from_secs(3);

/// Says how many bytes of how many have arrived, now and then.
pub fn download_progress() -> registry::Progress {
    let said = Mutex::new(Instant::now());
    Arc::new(move |bytes, total| {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() >= OFTEN {
            *said = Instant::now();
            note(&format!("{} of {}", size(bytes), size(total)));
        }
    })
}
