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
/// What an item holds besides its text: so that a flood of empty ones is bounded, too.
const ITEM_BYTES: usize = 64;
/// Longer texts are handed on in pieces, so that no item alone passes what a door may answer:
/// servers that do not stream arguments send a whole file as one delta.
const PIECE_MAX_BYTES: usize = 64 << 10;

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

    /// Bytes that it holds while it waits.
    pub fn size(&self) -> usize {
        let payload = match self {
            Self::Delta(Delta::Text(t) | Delta::Thinking(t) | Delta::ThinkingSignature(t)) => {
                t.len()
            }
            Self::Delta(Delta::ToolCallArguments { fragment, .. }) => fragment.len(),
            Self::Delta(Delta::ToolCallSignature { signature, .. }) => signature.len(),
            Self::Delta(Delta::ToolCallStart { id, name, .. }) => id.len() + name.len(),
            Self::Delta(Delta::Usage(_) | Delta::Model(_) | Delta::Finished(_))
            | Self::Finished(_)
            | Self::Failed(_) => 0,
        };
        payload + ITEM_BYTES
    }
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
    ended: bool,
}

impl Queue {
    fn add(&mut self, item: Item) {
        self.bytes += item.size();
        self.items.push_back(item);
    }
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
    _reader: watch::Receiver<()>,
}

/// The driver's end.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    alive: watch::Sender<()>,
}

pub(crate) fn pair() -> (Driver, Completion) {
    let shared = Arc::<Shared>::default();
    let (alive, reader) = watch::channel(());
    (Driver { shared: shared.clone(), alive }, Completion { shared, _reader: reader })
}

impl Driver {
    /// Resolves when the reader is gone.
    pub async fn abandoned(&self) {
        self.alive.closed().await;
    }

    /// Hands a delta on, a long one in pieces; waits while the reader is behind.
    pub async fn push(&self, delta: Delta) {
        let item = Item::Delta(delta);
        if item.size() <= PIECE_MAX_BYTES {
            return self.push_item(item).await;
        }
        for piece in split(item) {
            self.push_item(piece).await;
        }
    }

    /// Hands the last item on; never waits. What comes after it is lost.
    pub fn end(self, item: Item) {
        self.end_with(item);
    }

    fn end_with(&self, item: Item) {
        let mut queue = self.shared.queue();
        if !std::mem::replace(&mut queue.ended, true) {
            queue.add(item);
            self.shared.ready.raise();
        }
    }

    async fn push_item(&self, item: Item) {
        loop {
            let room = self.shared.room.notified();
            {
                let mut queue = self.shared.queue();
                if queue.bytes < QUEUE_MAX_BYTES {
                    queue.add(item);
                    self.shared.ready.raise();
                    return;
                }
            }
            room.await;
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // After a panic: the reader must not wait for ever.
        self.end_with(Item::Failed(LlmError::Other("the model call broke in the host".into())));
    }
}

/// Cuts a long text between characters. What cannot be cut stays whole.
fn split(item: Item) -> Vec<Item> {
    let (text, piece): (String, Box<dyn Fn(String) -> Delta>) = match item {
        Item::Delta(Delta::Text(text)) => (text, Box::new(Delta::Text)),
        Item::Delta(Delta::Thinking(text)) => (text, Box::new(Delta::Thinking)),
        Item::Delta(Delta::ToolCallArguments { index, fragment }) => {
            (fragment, Box::new(move |fragment| Delta::ToolCallArguments { index, fragment }))
        }
        whole => return vec![whole],
    };
    let mut rest = text.as_str();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(rest.floor_char_boundary(PIECE_MAX_BYTES));
        pieces.push(Item::Delta(piece(head.to_owned())));
        rest = tail;
    }
    pieces
}

impl Completion {
    /// What arrived and was not taken yet, at most `max_bytes` unless one item alone has more;
    /// never blocks. A failure comes alone, so that what came before it is not lost. Empty after
    /// the last item.
    pub fn take(&self, max_bytes: usize) -> Vec<Item> {
        let mut queue = self.shared.queue();
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(next) = queue.items.front() {
            bytes += next.size();
            let alone = matches!(next, Item::Failed(_)) || bytes > max_bytes;
            if alone && !taken.is_empty() {
                break;
            }
            taken.extend(self.pop(&mut queue));
        }
        taken
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
                if let Some(item) = self.pop(&mut queue) {
                    return Some(item);
                }
                if queue.ended {
                    return None;
                }
            }
            ready.ready().await;
        }
    }

    fn pop(&self, queue: &mut Queue) -> Option<Item> {
        let item = queue.items.pop_front()?;
        queue.bytes = queue.bytes.saturating_sub(item.size());
        if queue.items.is_empty() && !queue.ended {
            self.shared.ready.lower();
        }
        self.shared.room.notify_one();
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn text(text: &str) -> Delta {
        Delta::Text(text.into())
    }

    #[test]
    fn ready_follows_the_queue_and_stays_after_the_end() {
        let (driver, completion) = pair();
        let ready = completion.ready();
        assert!(!ready.is_ready());
        assert!(driver.push(text("a")).now_or_never().is_some());
        assert!(ready.is_ready());
        assert_eq!(completion.take(1), [Item::Delta(text("a"))]);
        assert!(!ready.is_ready());
        driver.end(Item::Failed(LlmError::Cancelled));
        for _ in 0..2 {
            assert!(ready.is_ready());
            completion.take(1);
        }
        assert!(ready.is_ready());
        assert_eq!(completion.next().now_or_never(), Some(None));
    }

    #[test]
    fn a_full_queue_holds_the_driver_back_until_something_is_taken() {
        let (driver, completion) = pair();
        let mut pushed = 0;
        while driver.push(text(&"x".repeat(1_000))).now_or_never().is_some() {
            pushed += 1;
            assert!(pushed * 1_000 <= QUEUE_MAX_BYTES);
        }
        assert!(pushed > 200, "{pushed}");
        let mut blocked = Box::pin(driver.push(text("last")));
        assert!(blocked.as_mut().now_or_never().is_none());
        assert!(completion.next().now_or_never().is_some());
        assert!(blocked.now_or_never().is_some());
        // Empty deltas are bounded as well.
        while driver.push(text("")).now_or_never().is_some() {
            pushed += 1;
            assert!(pushed < 2 * QUEUE_MAX_BYTES / ITEM_BYTES);
        }
    }

    #[test]
    fn long_texts_come_in_pieces_and_a_failure_alone() {
        let (driver, completion) = pair();
        let long = "ä".repeat(PIECE_MAX_BYTES);
        let arguments = Delta::ToolCallArguments { index: 3, fragment: long.clone() };
        assert!(driver.push(arguments).now_or_never().is_some());
        driver.end(Item::Failed(LlmError::Cancelled));
        let mut whole = String::new();
        loop {
            let items = completion.take(PIECE_MAX_BYTES + ITEM_BYTES);
            assert_eq!(items.len(), 1);
            match items.into_iter().next() {
                Some(Item::Delta(Delta::ToolCallArguments { index: 3, fragment })) => {
                    assert!(fragment.len() <= PIECE_MAX_BYTES);
                    whole.push_str(&fragment);
                }
                last => {
                    assert_eq!(last, Some(Item::Failed(LlmError::Cancelled)));
                    break;
                }
            }
        }
        assert_eq!(whole, long);
    }

    #[test]
    fn a_driver_that_is_lost_ends_the_completion() {
        let (driver, completion) = pair();
        drop(driver);
        let last = completion.next().now_or_never().flatten();
        assert!(matches!(last, Some(Item::Failed(LlmError::Other(_)))), "{last:?}");
    }
}
