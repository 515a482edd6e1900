//! JSON as Python's `json.dumps` writes it: `{"a": 1, "b": [1, 2]}`.
//!
//! Models were trained on prompts that Python rendered, so templates, tool calls in the history
//! and the grammar that constrains new calls must all space JSON this way. Equal spacing also
//! makes a call that the model wrote tokenize the same when it comes back as history, which keeps
//! the prefix cache whole.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// Between two items of an array or object.
pub(crate) const ITEM_SEPARATOR: &str = ", ";
/// Between a key and its value.
pub(crate) const KEY_SEPARATOR: &str = ": ";

struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { w.write_all(ITEM_SEPARATOR.as_bytes()) }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { w.write_all(ITEM_SEPARATOR.as_bytes()) }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, w: &mut W) -> io::Result<()> {
        w.write_all(KEY_SEPARATOR.as_bytes())
    }
}

/// On one line.
pub(crate) fn dumps<T: Serialize>(value: &T) -> serde_json::Result<String> {
    write(value, PythonFormatter)
}

/// On many lines, `indent` spaces a level.
pub(crate) fn dumps_indented<T: Serialize>(value: &T, indent: usize) -> serde_json::Result<String> {
    write(value, PrettyFormatter::with_indent(" ".repeat(indent).as_bytes()))
}

fn write<T: Serialize, F: Formatter>(value: &T, formatter: F) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter))?;
    // The serializer only writes whole strings and ASCII punctuation.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spaces_as_python_does() {
        let value = json!({"a": 1, "b": [1, "x<y", null], "c": {}, "d": "ä\n"});
        assert_eq!(
            dumps(&value).unwrap(),
            r#"{"a": 1, "b": [1, "x<y", null], "c": {}, "d": "ä\n"}"#
        );
        assert_eq!(dumps_indented(&json!({"a": [1]}), 2).unwrap(), "{\n  \"a\": [\n    1\n  ]\n}");
    }
}
