//! Tools that the host offers: MCP servers behind it.

use super::{Failure, Outcome, Place};
use crate::xpressclaw::base::content::Part;
use crate::xpressclaw::base::wait::Waitable;
use crate::xpressclaw::harness::types::Status;
use crate::xpressclaw::tools::tools::{Error, Invocation, call};

/// A call under way. Fields are dropped in this order: what depends on the invocation before it.
pub struct Running {
    pub over: Waitable,
    invocation: Invocation,
    id: String,
}

impl Running {
    /// `name` is the host's, `arguments` what the model wrote.
    pub fn start(name: &str, arguments: &str, id: &str) -> Result<Self, Failure> {
        let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
        let invocation = call(name, arguments, id)?;
        Ok(Self { over: invocation.ready(), invocation, id: id.to_owned() })
    }

    /// The outcome when the call is over.
    pub fn advance(&mut self, place: &Place) -> Option<Outcome> {
        if !self.over.ready() {
            return None;
        }
        Some(match self.invocation.finish() {
            Ok(output) => {
                let content = fitted(output.content, &self.id, place);
                let status = if output.failed { Status::Failed } else { Status::Completed };
                Outcome { status, content, diff: None, output: None }
            }
            Err(error) => Outcome::failed(error.into()),
        })
    }
}

/// Texts no longer than a result may be; the rest of a longer one is kept to be read.
fn fitted(content: Vec<Part>, id: &str, place: &Place) -> Vec<Part> {
    let mut room = place.limit;
    let fit = |(index, part): (usize, Part)| match part {
        Part::Text(text) if text.len() > room => {
            let end = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let kept = place.keep(&format!("{id} {index}"), text.as_bytes());
            let rest = match kept {
                Some(path) => format!("read {} for all of it", path.display()),
                None => "the rest is lost".to_owned(),
            };
            room = 0;
            let (all, shown) = (text.len(), &text[..end]);
            Part::Text(format!("{shown}\n[the first {end} of {all} bytes; {rest}]"))
        }
        Part::Text(text) => {
            room -= text.len();
            Part::Text(text)
        }
        Part::Blob(blob) if !(place.images && blob.mime.starts_with("image/")) => {
            let (mime, size) = (blob.mime, blob.data.len());
            Part::Text(format!("[{mime} of {size} bytes, which the model cannot see]"))
        }
        part => part,
    };
    content.into_iter().enumerate().map(fit).collect()
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::UnknownTool(name) => format!("the host has no tool {name}").into(),
            Error::InvalidArguments(text) => format!("invalid arguments: {text}").into(),
            Error::Denied(text) => Self::denied(text),
            Error::TimedOut => "the tool took too long".into(),
            Error::Cancelled => Self::cancelled(),
            Error::Other(text) => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::place::tests::place;
    use super::*;
    use crate::xpressclaw::base::content::Blob;

    #[test]
    fn a_long_text_is_cut_and_kept_and_what_cannot_be_seen_is_named() {
        let (folder, mut place) = place();
        place.limit = 10;
        let blob = |mime: &str| Part::Blob(Blob { mime: mime.into(), data: vec![0; 3] });
        let text = |text: &str| Part::Text(text.into());
        let content =
            vec![text("short"), text("ääääää"), text("more"), blob("image/png"), blob("a/b")];
        let fitted = fitted(content, "c1", &place);
        let shown: Vec<String> = fitted
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                _ => "image".into(),
            })
            .collect();
        assert_eq!(shown[0], "short");
        assert!(shown[1].starts_with("ää\n[the first 4 of 12 bytes; read "), "{}", shown[1]);
        assert!(shown[2].starts_with("\n[the first 0 of 4 bytes"), "{}", shown[2]);
        assert_eq!(shown[3], "image");
        assert!(shown[4].contains("a/b of 3 bytes"));
        let kept = folder.path().join("output/c1_1.txt");
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "ääääää");
    }
}
