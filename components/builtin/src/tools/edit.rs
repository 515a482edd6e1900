//! `edit`: a part of a file, found by its exact text.

use std::fs;

use super::write::{Before, difference};
use super::{Args, Failure, Here, Outcome, Tool, Way};
use crate::xpressclaw::harness::types::Kind;

pub static TOOL: Tool = Tool {
    name: "edit",
    description: "Replace a text in a file. old_text must be there exactly once, indentation \
                  included, or set all. Several edits of one file may be in one answer.",
    parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"old_text":{"type":"string","minLength":1},"new_text":{"type":"string"},"all":{"type":"boolean","description":"Replace every occurrence"}},"required":["path","old_text","new_text"],"additionalProperties":false}"#,
    kind: Kind::Edit,
    shows: "path",
    way: Way::Here(edit),
};

/// The largest file that is edited: it is held in memory three times.
const FILE_MAX_BYTES: u64 = 16 << 20;

fn edit(args: &Args, here: &mut Here) -> Result<Outcome, Failure> {
    let path = here.place.writable(args.text("path")?)?;
    let shown = here.place.shown(&path);
    let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    if size > FILE_MAX_BYTES {
        return Err(format!("{shown} has {size} bytes: too many to be edited").into());
    }
    let cannot = |error| Failure::io(format!("read {shown}"), &error);
    let old = fs::read(&path).map_err(cannot)?;
    let old =
        String::from_utf8(old).map_err(|_| Failure::from(format!("{shown} is not a text")))?;
    let change =
        Change { old: args.text("old_text")?, new: args.text("new_text")?, all: args.flag("all")? };
    let (new, count) = change.of(&old).map_err(|why| Failure::from(format!("{shown}: {why}")))?;
    fs::write(&path, &new).map_err(|error| Failure::io(format!("write {shown}"), &error))?;
    let places = if count == 1 { "1 place".to_owned() } else { format!("{count} places") };
    let mut outcome = Outcome::text(format!("changed {shown} in {places}"));
    outcome.diff = difference(&path, Before::Text(old), &new);
    Ok(outcome)
}

struct Change<'a> {
    old: &'a str,
    new: &'a str,
    all: bool,
}

impl Change<'_> {
    /// The text after the change, and in how many places it was made.
    fn of(&self, text: &str) -> Result<(String, usize), String> {
        if self.old.is_empty() {
            return Err("old_text is empty; use write for a new file".to_owned());
        }
        if self.old == self.new {
            return Err("old_text and new_text are the same".to_owned());
        }
        let (mut old, mut new) = (self.old.to_owned(), self.new.to_owned());
        if !text.contains(&old) && text.contains("\r\n") && !old.contains('\r') {
            // Models see and write plain line ends; the file keeps its own.
            (old, new) = (old.replace('\n', "\r\n"), new.replace('\n', "\r\n"));
        }
        match text.matches(&old).count() {
            0 => Err("old_text is not there; read the file and copy it exactly".to_owned()),
            1 => Ok((text.replacen(&old, &new, 1), 1)),
            count if self.all => Ok((text.replace(&old, &new), count)),
            count => Err(format!("old_text is there {count} times; give more of it, or set all")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        text: &str,
        (old, new, all): (&str, &str, bool),
        expected: Result<(&str, usize), &str>,
    ) {
        let changed = Change { old, new, all }.of(text);
        let changed = changed.as_ref().map(|(text, n)| (text.as_str(), *n)).map_err(String::as_str);
        match expected {
            Ok(expected) => assert_eq!(changed, Ok(expected)),
            Err(part) => assert!(changed.unwrap_err().contains(part), "{old:?} in {text:?}"),
        }
    }

    #[test]
    fn a_text_is_replaced_where_it_is_alone() {
        check("a b c", ("b", "x", false), Ok(("a x c", 1)));
        check("a b b", ("b", "x", false), Err("there 2 times"));
        check("a b b", ("b", "x", true), Ok(("a x x", 2)));
        check("a", ("b", "x", true), Err("not there"));
        check("a", ("", "x", false), Err("is empty"));
        check("a", ("a", "a", false), Err("are the same"));
        check("a\r\nb\r\n", ("a\nb", "x\ny", false), Ok(("x\r\ny\r\n", 1)));
        check("a\nb\n", ("a\nb", "x", false), Ok(("x\n", 1)));
    }
}
