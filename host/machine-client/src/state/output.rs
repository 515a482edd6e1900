//! Output that waits for its reader: two streams in the order in which they came.

use std::collections::VecDeque;

use machine_protocol::Stream;

use super::front;

/// A piece of output. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub stream: Stream,
    pub data: Vec<u8>,
}

/// The bytes apart from whose they are: a guest that sends single bytes of both streams in turn then costs
/// few bytes for each of them, not an allocation.
#[derive(Debug, Default)]
pub struct Output {
    bytes: VecDeque<u8>,
    runs: VecDeque<Run>,
}

#[derive(Debug)]
struct Run {
    stream: Stream,
    /// Below the window, which bounds all of this.
    size: u32,
}

impl Output {
    pub fn push(&mut self, stream: Stream, data: &[u8]) {
        let Ok(size @ 1..) = u32::try_from(data.len()) else { return };
        self.bytes.extend(data);
        match self.runs.back_mut() {
            Some(last) if last.stream == stream => last.size += size,
            _ => self.runs.push_back(Run { stream, size }),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The first bytes, at most `most`.
    pub fn take(&mut self, most: usize) -> Vec<Chunk> {
        let mut left = u32::try_from(most).unwrap_or(u32::MAX);
        let mut chunks = Vec::new();
        while left > 0
            && let Some(run) = self.runs.front_mut()
        {
            let size = run.size.min(left);
            let data = front::take(&mut self.bytes, size as usize);
            chunks.push(Chunk { stream: run.stream, data });
            left -= size;
            run.size -= size;
            if run.size == 0 {
                self.runs.pop_front();
            }
        }
        chunks
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_neighbours_are_one_and_no_chunk_is_empty() {
        let mut output = Output::default();
        let pieces: [(Stream, &[u8]); 6] = [
            (Stream::Stdout, b"ab"),
            (Stream::Stdout, b"cd"),
            (Stream::Stderr, b""),
            (Stream::Stdout, b"e"),
            (Stream::Stderr, b"x"),
            (Stream::Stdout, b"f"),
        ];
        for (stream, data) in pieces {
            output.push(stream, data);
        }
        let chunk = |stream, data: &[u8]| Chunk { stream, data: data.into() };
        assert_eq!(output.take(0), []);
        assert_eq!(output.take(3), [chunk(Stream::Stdout, b"abc")]);
        assert_eq!(output.take(3), [chunk(Stream::Stdout, b"de"), chunk(Stream::Stderr, b"x")]);
        assert!(!output.is_empty());
        assert_eq!(output.take(usize::MAX), [chunk(Stream::Stdout, b"f")]);
        assert!(output.is_empty());
        assert_eq!(output.take(1), []);
    }
}
