//! One mistake in a file: where, at which key, and what to write instead.

use std::fmt;

/// A mistake and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: u64,
    /// From 1.
    pub column: u64,
    /// The path of the key, like `agents[0].budget.daily`; empty for the file itself.
    pub key: String,
    pub fault: Fault,
}

/// What is wrong with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// `known` are the keys that may stand there.
    Unknown {
        nearest: Option<&'static str>,
        known: Vec<&'static str>,
    },
    Missing {
        child: &'static str,
    },
    Type {
        expected: &'static str,
        found: &'static str,
    },
    /// The value cannot be used; the reason says what can.
    Value {
        reason: String,
    },
    Range {
        min: u64,
        max: u64,
    },
    /// A key that the design has and this version does not.
    NotYet,
    /// Something of that name is there already.
    Twice {
        name: String,
    },
    /// A key or password itself, where a reference belongs. The value is never repeated.
    Literal,
}

impl Problem {
    /// What helps, when the message does not hold it already.
    pub fn hint(&self) -> Option<String> {
        match &self.fault {
            Fault::Unknown { nearest: None, known } => {
                let known: Vec<_> = known.iter().map(|key| format!("`{key}`")).collect();
                let parent = match self.key.rsplit_once('.') {
                    Some((parent, _)) => format!("`{parent}`"),
                    None => "the file".to_owned(),
                };
                Some(format!("the keys of {parent} are {}", known.join(", ")))
            }
            Fault::Literal => Some(
                "put the key into an environment variable or a file of its own, so that the \
                 configuration can be shared"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key.is_empty() { "the file" } else { &format!("`{}`", self.key) };
        match &self.fault {
            Fault::Unknown { nearest: Some(nearest), .. } => {
                write!(f, "unknown key {key}; did you mean `{nearest}`?")
            }
            Fault::Unknown { nearest: None, .. } => write!(f, "unknown key {key}"),
            Fault::Missing { child } => write!(f, "{key} needs the key `{child}`"),
            Fault::Type { expected, found } => write!(f, "{key} must be {expected}, not {found}"),
            Fault::Value { reason } => write!(f, "{key}: {reason}"),
            Fault::Range { min, max } if min == max => write!(f, "{key} must be {min}"),
            Fault::Range { min, max } => write!(f, "{key} must be from {min} to {max}"),
            Fault::NotYet => write!(f, "{key} is not supported yet; remove it"),
            Fault::Twice { name } => write!(f, "{key}: `{name}` is there already"),
            Fault::Literal => {
                write!(f, "{key} holds the key itself; write `env:NAME` or `file:PATH`")
            }
        }
    }
}

/// The known key that was probably meant: one that is nearly spelt like it (a third of the letters
/// may be wrong), or one that has it as a word.
pub(crate) fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    nearest_of(key, known)
}

/// The same among names of the user's choice.
pub(crate) fn nearest_of<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = || known.iter().copied().find(|known| known.split('_').any(|word| word == key));
    let distance = |known: &str| strsim::damerau_levenshtein(key, known);
    let nearest = known.iter().copied().min_by_key(|known| distance(known))?;
    let length = key.chars().count().max(nearest.len());
    (distance(nearest) * 3 <= length).then_some(nearest).or_else(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_near() {
        let known = ["model", "models", "time_zone", "budget", "api_key"];
        for (key, expected) in [
            ("modle", Some("model")),
            ("Model", Some("model")),
            ("timezone", Some("time_zone")),
            ("time-zone", Some("time_zone")),
            ("budgets", Some("budget")),
            ("apikey", Some("api_key")),
            ("key", Some("api_key")),
            ("zone", Some("time_zone")),
            ("x", None),
            ("", None),
            ("secret", None),
        ] {
            assert_eq!(nearest(key, &known), expected, "{key}");
        }
        assert_eq!(nearest("x", &[]), None);
    }
}
