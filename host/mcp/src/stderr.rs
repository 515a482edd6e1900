//! A server's stderr, line by line: the bounded part of each line goes to the log.

use std::sync::Arc;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

use crate::limits::STDERR_LINE_MAX_BYTES;

/// Takes a line; must not block.
pub(crate) type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Reads to the end, so that a chatty server never blocks on a full pipe.
pub(crate) async fn pump(mut from: impl AsyncBufRead + Unpin, sink: Sink) {
    let mut line = Vec::new();
    loop {
        let (used, ended) = match from.fill_buf().await {
            Ok(bytes) if !bytes.is_empty() => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let piece = &bytes[..end.unwrap_or(bytes.len())];
                let room = STDERR_LINE_MAX_BYTES - line.len();
                line.extend_from_slice(&piece[..piece.len().min(room)]);
                (piece.len() + usize::from(end.is_some()), end.is_some())
            }
            _ => break,
        };
        from.consume(used);
        if ended {
            sink(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
    }
    if !line.is_empty() {
        sink(String::from_utf8_lossy(&line).trim_end());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn lines_are_bounded_and_none_is_lost() {
        let long = "x".repeat(3 * STDERR_LINE_MAX_BYTES);
        let text = format!("one\r\n{long}\n\nlast");
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let sink = seen.clone();
        let take: Sink = Arc::new(move |line| sink.lock().unwrap().push(line.to_owned()));
        pump(text.as_bytes(), take).await;
        let seen = seen.lock().unwrap();
        assert_eq!(*seen, ["one", &long[..STDERR_LINE_MAX_BYTES], "", "last"]);
    }
}
