//! Messages as bytes on a stream and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::MAX_FRAME;

/// Bytes before each message: its length.
const PREFIX: usize = 4;

/// What came is no message. The stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a message of {0} bytes; at most {MAX_FRAME} are allowed")]
    TooLong(usize),
    #[error("not a message of this protocol")]
    Malformed(#[from] postcard::Error),
}

/// One message with its length before it.
///
/// # Errors
/// It is longer than [`MAX_FRAME`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::to_extend(message, vec![0; PREFIX])?;
    let size = frame.len() - PREFIX;
    let prefix = u32::try_from(size).ok().filter(|_| size <= MAX_FRAME);
    let prefix = prefix.ok_or(FrameError::TooLong(size))?;
    frame[..PREFIX].copy_from_slice(&prefix.to_le_bytes());
    Ok(frame)
}

/// Cuts a stream of bytes into messages. Keeps at most one message that has not come whole.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
    read: usize,
}

impl Decoder {
    /// More bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.read);
        self.read = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole message; `None` until more bytes come.
    ///
    /// # Errors
    /// These bytes are no message. Every later call answers an error too.
    pub fn message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let rest = &self.pending[self.read..];
        let Some((prefix, rest)) = rest.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let size = u32::from_le_bytes(*prefix) as usize;
        if size > MAX_FRAME {
            return Err(FrameError::TooLong(size));
        }
        let Some(message) = rest.get(..size) else { return Ok(None) };
        let (message, left) = postcard::take_from_bytes(message)?;
        if !left.is_empty() {
            return Err(postcard::Error::DeserializeBadEncoding.into());
        }
        self.read += PREFIX + size;
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{Event, Request, Stream};

    #[test]
    fn messages_come_back_however_the_stream_is_cut() {
        let sent = [
            Event::Hello { version: 1 },
            Event::Output { process: 3, stream: Stream::Stderr, data: vec![7; 5000] },
            Event::Log { text: String::new() },
        ];
        let stream: Vec<u8> = sent.iter().flat_map(|event| encode(event).unwrap()).collect();
        for step in [1, 2, 3, 7, 4999, stream.len()] {
            let (mut decoder, mut got) = (Decoder::default(), Vec::new());
            for piece in stream.chunks(step) {
                decoder.push(piece);
                while let Some(event) = decoder.message::<Event>().unwrap() {
                    got.push(event);
                }
            }
            assert_eq!(got, sent, "in steps of {step}");
        }
    }

    #[test]
    fn what_is_no_message_is_an_error_for_good() {
        let check = |bytes: &[u8]| {
            let mut decoder = Decoder::default();
            decoder.push(bytes);
            assert!(decoder.message::<Event>().is_err(), "{bytes:?}");
            assert!(decoder.message::<Event>().is_err(), "{bytes:?}");
        };
        check(&[255; 8]);
        check(&[1, 0, 0, 0, 99]);
        check(&[0, 0, 0, 0]);
        // A message with something behind it.
        let mut frame = encode(&Event::Started { process: 1 }).unwrap();
        frame[0] += 1;
        frame.push(0);
        check(&frame);
    }

    #[test]
    fn the_longest_script_and_environment_fit() {
        use crate::{Command, Program};
        let command = Command {
            program: Program::Script("x".repeat(131_071)),
            cwd: Some("/".repeat(4095)),
            env: vec![("k".repeat(32 << 10), "v".repeat(32 << 10))],
            timeout_ms: Some(u32::MAX),
            pty: None,
        };
        assert!(encode(&Request::Start { process: u32::MAX, command }).is_ok());
        let data = vec![0; MAX_FRAME];
        let error = encode(&Request::Input { process: 0, data }).unwrap_err();
        assert!(matches!(error, FrameError::TooLong(_)));
    }
}
