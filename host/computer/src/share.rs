//! Folders of the host that a guest can mount.
//!
//! Who answers is not this crate's business: it carries messages. They are answered on the thread of the
//! computer's turn, one after another, so an answer that takes long holds its computer up, and a thread.

use std::fmt;

/// Answers a message: `reply` is overwritten with the whole answer.
type Answer = dyn FnMut(&[u8], &mut Vec<u8>) + Send;

/// A share. A panic of whoever answers ends the computer, and no other.
pub struct Share {
    tag: String,
    answer: Box<Answer>,
    /// The last answer: one message after the other needs as much room.
    reply: Vec<u8>,
}

impl Share {
    /// A share that the guest mounts by this tag, of one line. `answer` gets each message of 9P as the
    /// guest sent it, up to five MiB of anything, and overwrites what is in its second argument with the
    /// answer. The guest's device breaks when there is none, or a longer one than 512 KiB.
    pub fn new(
        tag: impl Into<String>,
        answer: impl FnMut(&[u8], &mut Vec<u8>) + Send + 'static,
    ) -> Self {
        Self { tag: tag.into(), answer: Box::new(answer), reply: Vec::new() }
    }

    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    pub(crate) fn answer(&mut self, request: &[u8]) -> &[u8] {
        self.reply.clear();
        (self.answer)(request, &mut self.reply);
        &self.reply
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").field("tag", &self.tag).finish_non_exhaustive()
    }
}
