//! The output of a command: passed on as it arrives, its end kept for the model, the whole of it
//! in a file once it is long.

use std::fs::File;
use std::io::Write;

use super::Place;

/// What is written of one output; a command that prints for ever must not fill the disk.
const FILE_MAX_BYTES: usize = 16 << 20;

/// One stream of a command.
pub struct Capture {
    name: String,
    /// The end of the output.
    tail: Vec<u8>,
    total: usize,
    file: Option<(File, std::path::PathBuf)>,
    /// The beginning of a character whose end has not arrived.
    half: Vec<u8>,
}

impl Capture {
    /// `name` is that of the file.
    pub fn new(name: String) -> Self {
        Self { name, tail: Vec::new(), total: 0, file: None, half: Vec::new() }
    }

    /// Takes the next piece and gives it back as text to be shown.
    pub fn take(&mut self, piece: &[u8], place: &Place) -> String {
        self.total += piece.len();
        self.tail.extend_from_slice(piece);
        if self.file.is_none() && self.tail.len() > place.limit {
            self.file = place.output(&self.name).and_then(|path| {
                let mut file = File::create(&path).ok()?;
                file.write_all(&self.tail).ok()?;
                Some((file, path))
            });
        } else if let Some((file, _)) = &mut self.file
            && self.total <= FILE_MAX_BYTES
        {
            // What cannot be written is missing from the file; the end is here all the same.
            let _ = file.write_all(piece);
        }
        // Twice the limit, so that it is not moved with every piece.
        if self.tail.len() > 2 * place.limit {
            self.tail.drain(..self.tail.len() - place.limit);
        }
        self.text(piece)
    }

    /// What the model is shown; `None` when there was no output.
    pub fn finish(mut self, place: &Place) -> Option<String> {
        if self.total == 0 {
            return None;
        }
        let over = self.tail.len().saturating_sub(place.limit);
        if over > 0 {
            // From the beginning of a line, where there is one.
            let line = self.tail[over..].iter().position(|byte| *byte == b'\n');
            self.tail.drain(..over + line.map_or(0, |at| at + 1));
        }
        let left_out = self.total - self.tail.len();
        let mut text = String::from_utf8_lossy(&self.tail).into_owned();
        if left_out > 0 {
            let note = match &self.file {
                Some((_, path)) => format!(
                    "[the first {left_out} of {} bytes are left out; read {} for them]\n",
                    self.total,
                    path.display()
                ),
                None => format!("[the first {left_out} of {} bytes are left out]\n", self.total),
            };
            text.insert_str(0, &note);
        }
        Some(text)
    }

    /// Whole characters, as far as they have arrived.
    fn text(&mut self, piece: &[u8]) -> String {
        self.half.extend_from_slice(piece);
        let whole = match std::str::from_utf8(&self.half) {
            Ok(_) => self.half.len(),
            // An incomplete character at the end waits; what is wrong elsewhere is shown as such.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.half.len(),
        };
        let text = String::from_utf8_lossy(&self.half[..whole]).into_owned();
        self.half.drain(..whole);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::place::tests::place;
    use super::*;

    #[test]
    fn a_character_in_two_pieces_is_shown_whole() {
        let (_folder, place) = place();
        let mut capture = Capture::new("c".into());
        let bytes = "aäb€".as_bytes();
        let shown: Vec<String> = bytes.iter().map(|byte| capture.take(&[*byte], &place)).collect();
        assert_eq!(shown.concat(), "aäb€");
        assert!(shown.iter().all(|piece| !piece.contains('\u{fffd}')), "{shown:?}");
        assert_eq!(capture.take(b"\xff!", &place), "\u{fffd}!");
        assert_eq!(capture.finish(&place).unwrap(), "aäb€\u{fffd}!");
        assert_eq!(Capture::new("c".into()).finish(&place), None);
    }

    #[test]
    fn of_a_long_output_the_end_is_shown_and_all_of_it_kept() {
        let (folder, place) = place();
        let mut capture = Capture::new("call-1 stdout".into());
        let mut all = String::new();
        for line in 0..20_000 {
            let line = format!("line {line}\n");
            capture.take(line.as_bytes(), &place);
            all.push_str(&line);
        }
        let text = capture.finish(&place).unwrap();
        assert!(text.ends_with("line 19999\n"));
        assert!(text.len() <= place.limit + 300);
        let path = folder.path().join("output/call_1_stdout.txt");
        let (note, rest) = text.split_once('\n').unwrap();
        assert!(note.contains(&path.display().to_string()), "{note}");
        assert!(rest.starts_with("line "), "{note}");
        assert_eq!(std::fs::read_to_string(path).unwrap(), all);
    }

    #[test]
    fn a_file_of_output_has_an_end() {
        let (folder, place) = place();
        let mut capture = Capture::new("flood".into());
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..20 {
            capture.take(&piece, &place);
        }
        assert!(capture.tail.len() <= 2 * place.limit);
        assert!(capture.finish(&place).unwrap().contains("of 20971520 bytes"));
        let length = std::fs::metadata(folder.path().join("output/flood.txt")).unwrap().len();
        assert_eq!(length, 16 << 20);
    }
}
