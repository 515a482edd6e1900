//! A running completion: a bounded queue between the task that drives the provider and a door.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::chat::{Delta, Outcome};
use domain::wait::{Signal, Waitable};
use tokio::sync::{Notify, watch};

use crate::error::LlmError;

/// Bytes that may wait for a slow reader before the provider is no longer read: a screenful many
/// times over, and a bound on what a stalled guest holds.
const QUEUE_MAX_BYTES: usize = 256 << 10;

/// What a completion yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Delta(Delta),
    /// The last item of a completion that was answered: settled.
    Finished(Outcome),
    /// The last item of one that failed; what it used is settled.
    Failed(LlmError),
}

impl Item {
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Delta(_))
    }

    /// Bytes of payload.
    pub fn size(&self) -> usize {
        match self {
            Self::Delta(Delta::Text(t) | Delta::Thinking(t) | Delta::ThinkingSignature(t)) => {
                t.len()
            }
            Self::Delta(Delta::ToolCallArguments { fragment, .. }) => fragment.len(),
            Self::Delta(Delta::ToolCallSignature { signature, .. }) => signature.len(),
            Self::Delta(Delta::ToolCallStart { id, name, .. }) => id.len() + name.len(),
            _ => 0,
        }
    }
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    ready: Signal,
    room: Notify,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reader's end. Dropping it cancels the completion upstream; what was used is settled.
pub struct Completion {
    shared: Arc<Shared>,
    /// Its drop tells the driver that nobody reads any more.
    _alive: watch::Receiver<()>,
}

/// The driver's end.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    alive: watch::Sender<()>,
}

pub(crate) fn pair() -> (Driver, Completion) {
    let shared = Arc::<Shared>::default();
    let (alive, reader) = watch::channel(());
    (Driver { shared: shared.clone(), alive }, Completion { shared, _alive: reader })
}

impl Driver {
    /// Resolves when the reader is gone.
    pub async fn abandoned(&self) {
        self.alive.closed().await;
    }

    /// Hands an item on; waits while the reader is behind. The last item never waits.
    pub async fn push(&self, item: Item) {
        loop {
            let room = self.shared.room.notified();
            {
                let mut queue = self.shared.queue();
                if queue.bytes < QUEUE_MAX_BYTES || item.is_last() || self.alive.is_closed() {
                    queue.bytes += item.size();
                    queue.ended |= item.is_last();
                    queue.items.push_back(item);
                    self.shared.ready.raise();
                    return;
                }
            }
            tokio::select! {
                () = room => {}
                () = self.abandoned() => {}
            }
        }
    }
}

impl Completion {
    /// What arrived and was not taken yet, at most about `max_bytes`; never blocks. Empty after
    /// the last item.
    pub fn take(&self, max_bytes: usize) -> Vec<Item> {
        let mut queue = self.shared.queue();
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < max_bytes
            && let Some(item) = queue.items.pop_front()
        {
            bytes += item.size();
            taken.push(item);
        }
        queue.bytes = queue.bytes.saturating_sub(bytes);
        if queue.items.is_empty() && !queue.ended {
            self.shared.ready.lower();
        }
        self.shared.room.notify_one();
        taken
    }

    /// Gives back the last item taken, to be taken again.
    pub(crate) fn put_back(&self, item: Item) {
        let mut queue = self.shared.queue();
        queue.bytes += item.size();
        queue.items.push_front(item);
        self.shared.ready.raise();
    }

    /// Ready when `take` would return something, or after the end.
    pub fn ready(&self) -> Waitable {
        self.shared.ready.waitable()
    }

    /// The next item, or `None` after the last one. Cancel-safe.
    pub async fn next(&self) -> Option<Item> {
        let mut ready = self.ready();
        loop {
            {
                let mut queue = self.shared.queue();
                if let Some(item) = queue.items.pop_front() {
                    queue.bytes = queue.bytes.saturating_sub(item.size());
                    if queue.items.is_empty() && !queue.ended {
                        self.shared.ready.lower();
                    }
                    self.shared.room.notify_one();
                    return Some(item);
                }
                if queue.ended {
                    return None;
                }
            }
            ready.ready().await;
        }
    }
}
