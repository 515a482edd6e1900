//! `read`: a part of a text file, or an image.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use super::{Args, Failure, Here, Outcome, Place, Tool, Way};
use crate::xpressclaw::base::content::{Blob, Part};
use crate::xpressclaw::harness::types::Kind;

pub static TOOL: Tool = Tool {
    name: "read",
    description: "Read a text file or an image (png, jpeg, gif, webp). Of a long text the first \
                  2,000 lines; go on with offset.",
    parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"offset":{"type":"integer","minimum":1,"description":"The first line, from 1"},"limit":{"type":"integer","minimum":1,"description":"Lines; default 2000"}},"required":["path"],"additionalProperties":false}"#,
    kind: Kind::Read,
    shows: "path",
    way: Way::Here(read),
};

/// Lines in one result.
const LINES: usize = 2_000;
/// The largest image that is shown: providers take less than this, as a rule.
const IMAGE_MAX_BYTES: u64 = 8 << 20;
/// How much tells what kind of file it is.
const HEAD: usize = 8 << 10;

fn read(args: &Args, here: &mut Here) -> Result<Outcome, Failure> {
    let path = here.place.readable(args.text("path")?)?;
    let offset = args.count("offset", 1, usize::MAX)?;
    let limit = args.count("limit", LINES, LINES)?;
    let shown = here.place.shown(&path);
    let cannot = |error: &std::io::Error| Failure::io(format!("read {shown}"), error);
    let mut file = File::open(&path).map_err(|error| cannot(&error))?;
    let metadata = file.metadata().map_err(|error| cannot(&error))?;
    if metadata.is_dir() {
        return Err(format!("{shown} is a directory; use list").into());
    }
    let mut head = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(|error| cannot(&error))?;
    file.rewind().map_err(|error| cannot(&error))?;
    if let Some(mime) = image(&head) {
        return show(&mut file, mime, metadata.len(), here.place, &path);
    }
    if head.contains(&0) {
        let size = metadata.len();
        return Err(format!("{shown} is not a text: a binary file of {size} bytes").into());
    }
    let lines = Lines { offset, limit, bytes: here.place.limit };
    lines.of(BufReader::new(file)).map_err(|error| cannot(&error))?.map(Outcome::text)
}

/// Which lines are wanted.
struct Lines {
    offset: usize,
    limit: usize,
    bytes: usize,
}

impl Lines {
    fn of(&self, mut source: impl BufRead) -> std::io::Result<Result<String, Failure>> {
        let mut text = Vec::new();
        let mut line = Vec::new();
        let (mut total, mut taken) = (0usize, 0usize);
        let mut full = false;
        loop {
            line.clear();
            if source.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            total += 1;
            full |= taken == self.limit;
            if total < self.offset || full {
                continue;
            }
            if text.len() + line.len() > self.bytes {
                full = true;
                if taken > 0 {
                    continue;
                }
                // One line longer than a result: its beginning is better than nothing.
                line.truncate(self.bytes);
                line.extend_from_slice("… [the rest of this line is cut]\n".as_bytes());
            }
            text.extend_from_slice(&line);
            taken += 1;
        }
        if taken == 0 {
            let offset = self.offset;
            return Ok(match (total, offset) {
                (0, 1) => Ok("(the file is empty)".to_owned()),
                _ => Err(format!("there are {total} lines; offset {offset} is behind them").into()),
            });
        }
        let mut text = String::from_utf8_lossy(&text).into_owned();
        let (first, next) = (self.offset, self.offset + taken);
        if next <= total {
            let last = next - 1;
            text.push_str(&format!(
                "[lines {first} to {last} of {total}; read on with offset {next}]"
            ));
        }
        Ok(Ok(text))
    }
}

fn show(
    file: &mut File,
    mime: &str,
    size: u64,
    place: &Place,
    path: &Path,
) -> Result<Outcome, Failure> {
    let shown = place.shown(path);
    if !place.images {
        return Err(format!("{shown} is {mime}, and this model sees no images").into());
    }
    if size > IMAGE_MAX_BYTES {
        return Err(format!("{shown} is {mime} of {size} bytes: too large to be shown").into());
    }
    let mut data = Vec::new();
    file.take(IMAGE_MAX_BYTES)
        .read_to_end(&mut data)
        .map_err(|error| Failure::io(format!("read {shown}"), &error))?;
    let mut outcome = Outcome::text(format!("{shown}: {mime} of {size} bytes"));
    outcome.content.push(Part::Blob(Blob { mime: mime.to_owned(), data }));
    Ok(outcome)
}

/// By the first bytes, as the formats define them.
fn image(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, (offset, limit, bytes): (usize, usize, usize), expected: &str) {
        let lines = Lines { offset, limit, bytes };
        let read = lines.of(text.as_bytes()).unwrap();
        assert_eq!(read.unwrap_or_else(|failure| failure.text), expected);
    }

    #[test]
    fn the_wanted_lines_and_how_to_go_on() {
        let text = "a\nb\nc\n";
        check(text, (1, 10, 100), "a\nb\nc\n");
        check(text, (1, 2, 100), "a\nb\n[lines 1 to 2 of 3; read on with offset 3]");
        check(text, (3, 2, 100), "c\n");
        check(text, (2, 9, 3), "b\n[lines 2 to 2 of 3; read on with offset 3]");
        check(text, (4, 2, 100), "there are 3 lines; offset 4 is behind them");
        check("", (1, 2, 100), "(the file is empty)");
        check("last", (1, 2, 100), "last");
        let cut = "abc… [the rest of this line is cut]\n";
        check("abcdef", (1, 2, 3), cut);
        let on = format!("{cut}[lines 1 to 1 of 2; read on with offset 2]");
        check("abcdef\ng\n", (1, 2, 3), &on);
    }

    #[test]
    fn images_are_told_by_their_bytes() {
        assert_eq!(image(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(image(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(image(b"GIF89a"), Some("image/gif"));
        assert_eq!(image(b"RIFF1234WEBPVP8"), Some("image/webp"));
        assert_eq!(image(b"RIFF1234WAVE"), None);
        assert_eq!(image(b""), None);
    }
}
