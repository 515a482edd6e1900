//! Reading a node as what it should be; a mistake is noted and reading goes on.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use domain::NanoDollars;

use crate::node::{Entry, Node, Place, Value};
use crate::problem::{Fault, Problem, nearest};

/// What holds for a whole file.
pub(crate) struct File {
    /// Relative paths start here.
    pub folder: PathBuf,
    pub problems: RefCell<Vec<Problem>>,
}

impl File {
    /// A path as it is written in the file, seen from where the program runs.
    pub fn resolve(&self, path: &str) -> PathBuf {
        // Through the components, which leaves `.` out.
        self.folder.join(path).components().collect()
    }
}

/// A value, the path to it, and the file that it is in.
#[derive(Clone)]
pub(crate) struct Field<'a> {
    pub file: &'a File,
    pub key: String,
    node: &'a Node,
}

/// The keys that may stand in a map.
pub(crate) struct Keys {
    pub known: &'static [&'static str],
    /// Keys that a later version will know.
    pub later: &'static [&'static str],
}

/// A map whose keys were all checked.
pub(crate) struct Table<'a> {
    field: Field<'a>,
    entries: &'a [Entry],
}

impl<'a> Field<'a> {
    pub fn root(file: &'a File, node: &'a Node) -> Self {
        Self { file, key: String::new(), node }
    }

    fn child(&self, name: &str, node: &'a Node) -> Self {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let name = if !name.is_empty() && name.bytes().all(plain) {
            name.to_owned()
        } else {
            format!("{name:?}")
        };
        let key = if self.key.is_empty() { name } else { format!("{}.{name}", self.key) };
        Self { file: self.file, key, node }
    }

    fn report_at(&self, place: Place, fault: Fault) {
        let Place { line, column } = place;
        let problem = Problem { line, column, key: self.key.clone(), fault };
        self.file.problems.borrow_mut().push(problem);
    }

    /// Notes a mistake in the value.
    pub fn report(&self, fault: Fault) {
        self.report_at(self.node.place, fault);
    }

    fn expected(&self, expected: &'static str) {
        self.report(Fault::Type { expected, found: self.node.value.kind() });
    }

    /// A map with these keys; every other is noted.
    pub fn table(&self, keys: &Keys) -> Option<Table<'a>> {
        let entries = self.entries()?;
        for entry in entries {
            let name = entry.key.as_str();
            if keys.known.contains(&name) {
                continue;
            }
            let fault = if keys.later.contains(&name) {
                Fault::NotYet
            } else {
                Fault::Unknown { nearest: nearest(name, keys.known), known: keys.known.to_vec() }
            };
            self.child(name, &entry.node).report_at(entry.place, fault);
        }
        Some(Table { field: self.clone(), entries })
    }

    /// The value of a key of a map, without a word on anything else in it.
    pub fn peek(&self, name: &str) -> Option<Field<'a>> {
        let Value::Map(entries) = &self.node.value else { return None };
        let entry = entries.iter().find(|entry| entry.key == name)?;
        (entry.node.value != Value::Null).then(|| self.child(name, &entry.node))
    }

    fn entries(&self) -> Option<&'a [Entry]> {
        match &self.node.value {
            Value::Map(entries) => Some(entries),
            _ => {
                self.expected("a map");
                None
            }
        }
    }

    /// A map whose keys are names of the user's choice.
    pub fn named(&self) -> Option<impl Iterator<Item = (&'a str, Field<'a>)>> {
        let this = self.clone();
        let fields = self.entries()?.iter();
        Some(fields.map(move |entry| (entry.key.as_str(), this.child(&entry.key, &entry.node))))
    }

    pub fn list(&self) -> Option<Vec<Field<'a>>> {
        let Value::List(nodes) = &self.node.value else {
            self.expected("a list");
            return None;
        };
        let item = |(at, node): (usize, &'a Node)| Self {
            file: self.file,
            key: format!("{}[{at}]", self.key),
            node,
        };
        Some(nodes.iter().enumerate().map(item).collect())
    }

    /// A list, or one value that stands for a list of it.
    pub fn list_or_one(&self) -> Option<Vec<Field<'a>>> {
        match &self.node.value {
            Value::List(_) => self.list(),
            _ => Some(vec![self.clone()]),
        }
    }

    pub fn text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) if text.trim().is_empty() => {
                self.report(Fault::Value { reason: "must not be empty".to_owned() });
                None
            }
            Value::Text(text) => Some(text),
            _ => {
                self.expected("a text");
                None
            }
        }
    }

    pub fn is_text(&self, text: &str) -> bool {
        matches!(&self.node.value, Value::Text(found) if found == text)
    }

    /// A word, if it is one: a text, or what a parser made of `on` and `off`.
    pub fn word(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            Value::Bool(true) => Some("on"),
            Value::Bool(false) => Some("off"),
            _ => None,
        }
    }

    /// A text that something else reads; its error becomes the reason.
    pub fn parsed<T, E: Display>(&self, parse: impl FnOnce(&'a str) -> Result<T, E>) -> Option<T> {
        match parse(self.text()?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(Fault::Value { reason: error.to_string() });
                None
            }
        }
    }

    pub fn flag(&self) -> Option<bool> {
        match &self.node.value {
            Value::Bool(flag) => Some(*flag),
            _ => {
                self.expected("true or false");
                None
            }
        }
    }

    /// A whole number in a range.
    pub fn number<T: TryFrom<u64>>(&self, range: RangeInclusive<u64>) -> Option<T> {
        let Value::Integer(number) = &self.node.value else {
            self.expected("a whole number");
            return None;
        };
        let number = u64::try_from(*number).ok().filter(|number| range.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            self.report(Fault::Range { min: *range.start(), max: *range.end() });
        }
        number
    }

    /// Dollars, as a number or as a text like `$0.50`.
    pub fn amount(&self) -> Option<NanoDollars> {
        let text = match &self.node.value {
            Value::Text(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            // The shortest decimal that reads as this number: what was written.
            Value::Float(number) => number.to_string(),
            _ => {
                self.expected("an amount of dollars");
                return None;
            }
        };
        match NanoDollars::parse(&text) {
            Ok(amount) => Some(amount),
            Err(error) => {
                self.report(Fault::Value { reason: error.to_string() });
                None
            }
        }
    }

    /// A path; a relative one starts at the file's folder.
    pub fn path(&self) -> Option<PathBuf> {
        let text = self.text()?;
        if text.starts_with('~') {
            let reason = "`~` is only known to shells; write the path out".to_owned();
            self.report(Fault::Value { reason });
            return None;
        }
        Some(self.file.resolve(text))
    }

    /// A model's name; the path in `script:PATH` is resolved like any other.
    pub fn model(&self) -> Option<String> {
        let name = self.text()?;
        Some(match name.strip_prefix("script:") {
            Some(path) => format!("script:{}", self.file.resolve(path).display()),
            None => name.to_owned(),
        })
    }

    /// A harness: a name, a reference, or a path, which starts with `./`, `../` or `/` before and
    /// after, so that nobody takes it for a reference.
    pub fn harness(&self) -> Option<String> {
        let name = self.text()?;
        let dotted = |name: &str| name.starts_with("./") || name.starts_with("../");
        if !dotted(name) && !Path::new(name).is_absolute() {
            return Some(name.to_owned());
        }
        let path = self.file.resolve(name);
        let shown = path.display().to_string();
        Some(if path.is_absolute() || dotted(&shown) { shown } else { format!("./{shown}") })
    }

    /// Anything, as JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        Some(match &self.node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Text(text) => text.as_str().into(),
            Value::Integer(number) => match serde_json::Number::from_i128(*number) {
                Some(number) => number.into(),
                None => return self.not_json(),
            },
            Value::Float(number) => match serde_json::Number::from_f64(*number) {
                Some(number) => number.into(),
                None => return self.not_json(),
            },
            Value::List(_) => {
                let items = self.list()?;
                serde_json::Value::Array(items.iter().filter_map(Self::json).collect())
            }
            Value::Map(_) => {
                let items = self.named()?;
                let items =
                    items.filter_map(|(name, field)| Some((name.to_owned(), field.json()?)));
                serde_json::Value::Object(items.collect())
            }
        })
    }

    fn not_json(&self) -> Option<serde_json::Value> {
        let reason = "JSON cannot hold this number; write it in quotes".to_owned();
        self.report(Fault::Value { reason });
        None
    }
}

impl<'a> Table<'a> {
    /// The value of a key, `None` when it is not there or left empty.
    pub fn get(&self, name: &str) -> Option<Field<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == name)?;
        (entry.node.value != Value::Null).then(|| self.field.child(name, &entry.node))
    }

    /// The same for a key that must be there.
    pub fn need(&self, child: &'static str) -> Option<Field<'a>> {
        let found = self.get(child);
        if found.is_none() {
            self.field.report(Fault::Missing { child });
        }
        found
    }
}
