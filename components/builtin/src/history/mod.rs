//! The conversation, in memory and in `/state`: a file of JSON lines, one message a line, after a
//! line with the format's version.
//!
//! A message is appended when it is complete, so a kill at any moment costs the line it fell into
//! and no other; shortening writes a new file beside it and renames. What a kill left half done
//! (a torn line, calls without results) is mended when the file is read.

mod codec;
mod mend;

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use crate::tokens;
use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::harness::types::Role;
use crate::xpressclaw::llm::types::{AssistantPart, Message, Request};

/// The first line. A later format has another number.
const HEADER: &str = r#"{"history":1}"#;

/// Why a conversation cannot be kept or continued.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("cannot read the conversation {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write the conversation {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("line {line} of {} is no message that this version knows; begin a new session", path.display())]
    Unknown { path: PathBuf, line: usize },
}

/// See the module.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
    messages: Vec<Message>,
    /// So many messages took so many tokens, as the provider counted.
    counted: Option<(usize, u64)>,
}

impl History {
    /// Reads the file. Without one the conversation begins with `past`, which the host kept.
    pub fn open(path: PathBuf, past: &[PastMessage]) -> Result<Self, HistoryError> {
        let mut history = Self { path, messages: Vec::new(), counted: None };
        let text = match fs::read(&history.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let past: Vec<_> = past.iter().filter_map(past_message).collect();
                if !past.is_empty() {
                    history.replace(past)?;
                }
                return Ok(history);
            }
            Err(source) => return Err(HistoryError::Read { path: history.path, source }),
        };
        let (messages, torn) = history.parse(&text)?;
        let (messages, mended) = mend::mend(messages);
        history.messages = messages;
        if torn || mended {
            let messages = std::mem::take(&mut history.messages);
            history.replace(messages)?;
        }
        Ok(history)
    }

    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Adds a message, which is in the file when this returns.
    pub fn push(&mut self, message: Message) -> Result<(), HistoryError> {
        let mut line = String::new();
        if self.messages.is_empty() {
            line.push_str(HEADER);
            line.push('\n');
        }
        line.push_str(&codec::line(&message));
        let begin = self.messages.is_empty();
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(!begin).truncate(begin);
        let write = || options.open(&self.path)?.write_all(line.as_bytes());
        write().map_err(|source| HistoryError::Write { path: self.path.clone(), source })?;
        self.messages.push(message);
        Ok(())
    }

    /// Puts `messages` in place of all that was said: the file is the old one or the new one.
    pub fn replace(&mut self, messages: Vec<Message>) -> Result<(), HistoryError> {
        let mut text = format!("{HEADER}\n");
        messages.iter().for_each(|message| text.push_str(&codec::line(message)));
        let partial = self.path.with_extension("partial");
        let write = || {
            let mut file = File::create(&partial)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&partial, &self.path)
        };
        write().map_err(|source| HistoryError::Write { path: self.path.clone(), source })?;
        self.messages = messages;
        self.counted = None;
        Ok(())
    }

    /// The provider counted `tokens` of input for the first `messages`.
    pub fn counted(&mut self, messages: usize, tokens: u64) {
        self.counted = Some((messages, tokens));
    }

    /// What `request`, which holds this conversation, takes: counted as far as it was, else
    /// estimated.
    pub fn tokens_with(&self, request: &Request) -> u64 {
        match self.counted {
            Some((length, counted)) => {
                counted + tokens::of_all(self.messages.get(length..).unwrap_or_default())
            }
            None => tokens::of_request(request),
        }
    }

    /// The messages, and whether the file's end is torn.
    fn parse(&self, bytes: &[u8]) -> Result<(Vec<Message>, bool), HistoryError> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let text = String::from_utf8_lossy(&bytes[..whole]);
        let mut messages = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let known = if index == 0 {
                line == HEADER
            } else {
                codec::message(line).map(|message| messages.push(message)).is_some()
            };
            if !known {
                return Err(HistoryError::Unknown { path: self.path.clone(), line: index + 1 });
            }
        }
        Ok((messages, whole < bytes.len()))
    }
}

/// A message as the host keeps it.
type PastMessage = crate::xpressclaw::harness::types::Message;

fn past_message(past: &PastMessage) -> Option<Message> {
    match past.role {
        Role::User => Some(Message::User(past.parts.clone())),
        Role::Assistant => {
            let said = past.parts.iter().filter_map(|part| match part {
                Part::Text(text) => Some(AssistantPart::Text(text.clone())),
                _ => None,
            });
            let said: Vec<_> = said.collect();
            (!said.is_empty()).then_some(Message::Assistant(said))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> Message {
        Message::User(vec![Part::Text(text.to_owned())])
    }

    fn lines(history: &History) -> Vec<String> {
        history.messages().iter().map(codec::line).collect()
    }

    #[test]
    fn what_was_pushed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.jsonl");
        let mut history = History::open(path.clone(), &[]).unwrap();
        assert!(!path.exists(), "nothing was said yet");
        for text in ["one", "two\nlines", "three"] {
            history.push(user(text)).unwrap();
        }
        let again = History::open(path, &[]).unwrap();
        assert_eq!(again.messages().len(), 3);
        assert_eq!(lines(&again), lines(&history));
    }

    #[test]
    fn a_kill_at_any_byte_costs_one_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.jsonl");
        let mut history = History::open(path.clone(), &[]).unwrap();
        let mut ends = Vec::new();
        for text in ["one", "two", "three"] {
            history.push(user(text)).unwrap();
            ends.push(fs::metadata(&path).unwrap().len() as usize);
        }
        let whole = fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let mut cut = History::open(path.clone(), &[]).unwrap();
            let expected = ends.iter().filter(|end| **end <= length).count();
            assert_eq!(cut.messages().len(), expected, "after {length} bytes");
            cut.push(user("next")).unwrap();
            let again = History::open(path.clone(), &[]).unwrap();
            assert_eq!(again.messages().len(), expected + 1, "after {length} bytes");
        }
    }

    #[test]
    fn a_replaced_history_is_the_new_one_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.jsonl");
        let mut history = History::open(path.clone(), &[]).unwrap();
        history.push(user("old")).unwrap();
        history.counted(1, 900);
        history.replace(vec![user("new"), user("newer")]).unwrap();
        history.push(user("newest")).unwrap();
        assert_eq!(History::open(path, &[]).unwrap().messages().len(), 3);
        assert_eq!(history.counted, None);
    }

    #[test]
    fn without_a_file_the_host_s_history_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.jsonl");
        let past = |role, text: &str| PastMessage { role, parts: vec![Part::Text(text.into())] };
        let past = [past(Role::User, "one"), past(Role::Assistant, "two")];
        assert_eq!(History::open(path.clone(), &past).unwrap().messages().len(), 2);
        assert_eq!(History::open(path, &[]).unwrap().messages().len(), 2, "it is kept");
    }

    #[test]
    fn another_format_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("h.jsonl");
        for (text, line) in
            [("{\"history\":2}\n", "line 1"), ("{\"history\":1}\n{\"user\":[]}\n{}\n", "line 3")]
        {
            fs::write(&path, text).unwrap();
            let error = History::open(path.clone(), &[]).unwrap_err().to_string();
            assert!(error.contains(line) && error.contains("begin a new session"), "{error}");
        }
    }
}
