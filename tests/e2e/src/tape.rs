//! What a process prints, recorded while it runs, so that a test can wait for a part of it.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use crate::DEADLINE;

/// One output stream. Cloning shares it.
#[derive(Clone)]
pub struct Tape(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Tape {
    /// Records until the source ends. An error is an end: a terminal reports its last program's
    /// exit as one.
    pub fn record(mut source: impl Read + Send + 'static) -> Self {
        let tape = Self(Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() }));
        let shared = tape.0.clone();
        thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            loop {
                let read = source.read(&mut buffer).unwrap_or(0);
                let mut state = shared.state.lock().unwrap();
                state.bytes.extend_from_slice(&buffer[..read]);
                state.ended = read == 0;
                shared.changed.notify_all();
                if state.ended {
                    return;
                }
            }
        });
        tape
    }

    /// Waits until `found` finds something in what was printed so far. `Err` holds all of the
    /// output when it ended, or when the deadline passed, without that.
    pub fn wait<T>(&self, mut found: impl FnMut(&str) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.0.state.lock().unwrap();
        loop {
            let text = String::from_utf8_lossy(&state.bytes);
            if let Some(found) = found(&text) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                return Err(text.into_owned());
            }
            state = self.0.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Everything up to the end of the stream; `Err` is what there was when the deadline passed.
    pub fn all(&self) -> Result<String, String> {
        match self.wait(|_| None::<()>) {
            Ok(()) => unreachable!("nothing is looked for"),
            Err(text) if self.0.state.lock().unwrap().ended => Ok(text),
            Err(text) => Err(text),
        }
    }

    /// What was printed so far.
    pub fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.0.state.lock().unwrap().bytes).into_owned()
    }
}
