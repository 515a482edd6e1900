//! The record of a session, bounded in bytes, and the cursors of those who read it.
//!
//! One writer, which never waits. A reader is a position: it holds no copy of anything, and when
//! what it would read next is gone, it is told how many entries that were.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::protocol::{ENTRY_MAX_BYTES, RECORD_MAX_BYTES};

/// What an entry costs besides its bytes: a bound for floods of small ones.
const ENTRY_BYTES: usize = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Feed {
    record: Mutex<Record>,
    /// Changes with the record.
    grown: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Record {
    /// `None`: too large to be kept.
    entries: VecDeque<Option<Arc<str>>>,
    /// The number of the first of them.
    first: u64,
    bytes: usize,
    /// Where the running or the last turn begins.
    turn: u64,
    ended: bool,
}

/// What a reader gets next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Line(Arc<str>),
    Missed(u64),
    Ended,
}

impl Feed {
    pub fn new() -> Self {
        Self { record: Mutex::default(), grown: watch::Sender::new(()) }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the next entry.
    pub fn next(&self) -> u64 {
        self.record().next()
    }

    /// A turn begins with the next entry: new readers begin there.
    pub fn turn(&self) {
        let mut record = self.record();
        record.turn = record.next();
    }

    pub fn append(&self, line: String) {
        self.record().append(line);
        self.grown.send_replace(());
    }

    /// Nothing will follow.
    pub fn end(&self) {
        self.record().ended = true;
        self.grown.send_replace(());
    }

    /// A reader that begins with the running or the last turn.
    pub fn read(self: &Arc<Self>) -> Cursor {
        let grown = self.grown.subscribe();
        Cursor { next: self.record().turn, grown, feed: self.clone() }
    }
}

impl Record {
    fn next(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    fn append(&mut self, line: String) {
        let entry = (line.len() <= ENTRY_MAX_BYTES).then(|| Arc::from(line));
        self.bytes += cost(entry.as_ref());
        self.entries.push_back(entry);
        while self.bytes > RECORD_MAX_BYTES {
            let Some(entry) = self.entries.pop_front() else { break };
            self.first += 1;
            self.bytes -= cost(entry.as_ref());
        }
    }
}

fn cost(entry: Option<&Arc<str>>) -> usize {
    ENTRY_BYTES + entry.map_or(0, |line| line.len())
}

/// A reader. Dropping it is all that it takes to leave.
#[derive(Debug)]
pub(crate) struct Cursor {
    feed: Arc<Feed>,
    next: u64,
    grown: watch::Receiver<()>,
}

impl Cursor {
    /// The next entry. Cancel-safe; after the end it stays at the end.
    pub async fn next(&mut self) -> Seen {
        loop {
            self.grown.mark_unchanged();
            if let Some(seen) = self.try_next() {
                return seen;
            }
            if self.grown.changed().await.is_err() {
                return Seen::Ended;
            }
        }
    }

    fn try_next(&mut self) -> Option<Seen> {
        let record = self.feed.record();
        let gone = record.first.saturating_sub(self.next);
        let from = usize::try_from(self.next + gone - record.first).ok()?;
        let rest = record.entries.range(from.min(record.entries.len())..);
        let missed = gone + rest.clone().take_while(|entry| entry.is_none()).count() as u64;
        let seen = match rest.flatten().next() {
            _ if missed > 0 => Seen::Missed(missed),
            Some(line) => Seen::Line(line.clone()),
            None if record.ended => return Some(Seen::Ended),
            None => return None,
        };
        self.next += missed.max(1);
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn line(bytes: usize) -> String {
        "x".repeat(bytes)
    }

    fn now(cursor: &mut Cursor) -> Option<Seen> {
        cursor.next().now_or_never()
    }

    #[tokio::test]
    async fn readers_begin_with_the_turn_and_see_its_end() {
        let feed = Arc::new(Feed::new());
        feed.append("before".into());
        feed.turn();
        for text in ["one", "two"] {
            feed.append(text.into());
        }
        let mut cursor = feed.read();
        for text in ["one", "two"] {
            assert_eq!(now(&mut cursor), Some(Seen::Line(text.into())));
        }
        assert_eq!(now(&mut cursor), None);
        let ((), seen) = tokio::join!(async { feed.append("three".into()) }, cursor.next());
        assert_eq!(seen, Seen::Line("three".into()));
        feed.append("last".into());
        feed.end();
        assert_eq!(now(&mut cursor), Some(Seen::Line("last".into())));
        assert_eq!(now(&mut cursor), Some(Seen::Ended));
        assert_eq!(now(&mut cursor), Some(Seen::Ended));
    }

    #[test]
    fn a_slow_reader_is_told_what_it_missed() {
        let feed = Arc::new(Feed::new());
        let mut cursor = feed.read();
        let entries = 300_000u64;
        for number in 0..entries {
            feed.append(number.to_string());
        }
        let Some(Seen::Missed(missed)) = now(&mut cursor) else { panic!("nothing is missed") };
        let mut seen = missed;
        while let Some(Seen::Line(line)) = now(&mut cursor) {
            assert_eq!(*line, *seen.to_string());
            seen += 1;
        }
        assert_eq!(seen, entries);
        let record = feed.record();
        assert!(record.bytes <= RECORD_MAX_BYTES);
        assert!(record.entries.len() <= RECORD_MAX_BYTES / ENTRY_BYTES);
    }

    #[test]
    fn what_is_too_large_counts_as_missed_and_pushes_nothing_out() {
        let feed = Arc::new(Feed::new());
        let mut cursor = feed.read();
        feed.append("before".into());
        feed.append(line(ENTRY_MAX_BYTES + 1));
        feed.append(line(ENTRY_MAX_BYTES + 1));
        feed.append("after".into());
        assert_eq!(now(&mut cursor), Some(Seen::Line("before".into())));
        assert_eq!(now(&mut cursor), Some(Seen::Missed(2)));
        assert_eq!(now(&mut cursor), Some(Seen::Line("after".into())));
        assert_eq!(now(&mut cursor), None);
    }
}
