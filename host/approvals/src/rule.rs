//! One rule, `kind:pattern`, as it stands under `approvals:`.

use std::fmt;
use std::str::FromStr;

use crate::action::{Access, Action, WORKSPACE, What};
use crate::glob::{Glob, PATTERN_MAX_BYTES};
use crate::script;

/// The verbs that can be refused, by the names that rules know them by. Reading the budget, writing
/// a log line and asking for the version have no error in the contract and change nothing.
pub const VERBS: [&str; 9] = [
    "ask",
    "memory.add",
    "memory.delete",
    "memory.list",
    "memory.search",
    "task.create",
    "task.get",
    "task.list",
    "task.update",
];

/// What stands before the colon.
const KINDS: [(&str, Kind); 8] = [
    ("verb", Kind::Verb),
    ("tool", Kind::Tool),
    ("command", Kind::Command),
    ("path", Kind::Path(None)),
    ("path(read)", Kind::Path(Some(Access::Read))),
    ("path(write)", Kind::Path(Some(Access::Write))),
    ("host", Kind::Host),
    ("permit", Kind::Permit),
];

/// One pattern of one kind. Displayed as it was written.
#[derive(Clone)]
pub struct Rule {
    text: String,
    kind: Kind,
    glob: Glob,
    /// A host's pattern that names a port.
    port: bool,
    /// A path's pattern from `/`, outside of the workspace.
    rooted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Verb,
    Tool,
    Command,
    Path(Option<Access>),
    Host,
    Permit,
}

/// Why a rule could not be read; each text says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error(
        "`{text}` names no kind; write one before a colon, like `tool:{text}` or `path:{text}`"
    )]
    NoKind { text: String },
    #[error("`{kind}` is no kind of a rule; did you mean `{nearest}`?")]
    NearlyKind { kind: String, nearest: &'static str },
    #[error(
        "`{kind}` is no kind of a rule; write verb, tool, command, path, path(read), path(write), \
         host or permit"
    )]
    Kind { kind: String },
    #[error("`{kind}:` needs a pattern; `{kind}:*` is all of them")]
    Empty { kind: &'static str },
    #[error("a pattern has at most {PATTERN_MAX_BYTES} bytes")]
    TooLong,
    #[error("`{pattern}` matches no verb; did you mean `{nearest}`?")]
    Verb { pattern: String, nearest: &'static str },
    #[error("`{pattern}` holds `..`; write the path from the workspace, or from `/`")]
    Parent { pattern: String },
    #[error("`{pattern}` is not a pattern of paths: {reason}")]
    Glob { pattern: String, reason: String },
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let text = text.trim();
        let (name, pattern) =
            text.split_once(':').ok_or_else(|| RuleError::NoKind { text: text.to_owned() })?;
        let (name, kind) = kind(name.trim())?;
        let pattern = pattern.trim();
        if pattern.is_empty() {
            return Err(RuleError::Empty { kind: name });
        }
        if pattern.len() > PATTERN_MAX_BYTES {
            return Err(RuleError::TooLong);
        }
        let failed = |error: globset::Error| RuleError::Glob {
            pattern: pattern.to_owned(),
            reason: error.kind().to_string(),
        };
        let mut rooted = false;
        let glob = match kind {
            Kind::Path(_) => {
                let pattern = path(pattern)?;
                rooted = pattern.starts_with('/');
                Glob::path(&pattern).map_err(failed)?
            }
            Kind::Host => Glob::text(&pattern.to_ascii_lowercase()).map_err(failed)?,
            Kind::Command => {
                let words = pattern.split_whitespace().collect::<Vec<_>>();
                let end = if pattern.ends_with(' ') { " " } else { "" };
                Glob::text(&(words.join(" ") + end)).map_err(failed)?
            }
            Kind::Verb | Kind::Tool | Kind::Permit => Glob::text(pattern).map_err(failed)?,
        };
        if kind == Kind::Verb && !VERBS.iter().any(|verb| glob.is_match(verb)) {
            let distance = |verb: &&str| strsim::damerau_levenshtein(pattern, verb);
            let nearest = VERBS.into_iter().min_by_key(distance).unwrap_or(VERBS[0]);
            return Err(RuleError::Verb { pattern: pattern.to_owned(), nearest });
        }
        let port = kind == Kind::Host && names_port(pattern);
        Ok(Self { text: text.to_owned(), kind, glob, port, rooted })
    }
}

fn kind(name: &str) -> Result<(&'static str, Kind), RuleError> {
    if let Some(found) = KINDS.into_iter().find(|(known, _)| *known == name) {
        return Ok(found);
    }
    let distance = |known: &str| strsim::damerau_levenshtein(&name.to_ascii_lowercase(), known);
    let nearest = KINDS.into_iter().map(|(known, _)| known).min_by_key(|known| distance(known));
    match nearest.filter(|nearest| distance(nearest) * 3 <= nearest.len().max(name.len())) {
        Some(nearest) => Err(RuleError::NearlyKind { kind: name.to_owned(), nearest }),
        None => Err(RuleError::Kind { kind: name.to_owned() }),
    }
}

/// A path's pattern as actions show paths: from the workspace, or from `/` outside of it.
fn path(pattern: &str) -> Result<String, RuleError> {
    let outside = pattern.split('/').any(|part| part == "..");
    if outside {
        return Err(RuleError::Parent { pattern: pattern.to_owned() });
    }
    let below = match pattern.strip_prefix(WORKSPACE) {
        Some("" | "/") => ".",
        Some(rest) => rest.strip_prefix('/').unwrap_or(pattern),
        None => pattern,
    };
    Ok(below.strip_prefix("./").filter(|rest| !rest.is_empty()).unwrap_or(below).to_owned())
}

/// Whether what follows the last colon can be a port, and not the end of an IPv6 address.
fn names_port(pattern: &str) -> bool {
    let Some((host, port)) = pattern.rsplit_once(':') else { return false };
    let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit() || b == b'*');
    digits && (host.ends_with(']') || !host.contains(':'))
}

impl Rule {
    /// Whether an allowing rule covers the action: by the letter.
    pub(crate) fn allows(&self, action: &Action<'_>) -> bool {
        match (self.kind, action.what) {
            (Kind::Command, What::Command { script }) => {
                let script = script.trim();
                script::is_plain(script) && self.glob.is_match(script)
            }
            _ => self.covers(action, |text| self.glob.is_match(text)),
        }
    }

    /// Whether a rule that asks or denies concerns the action: in case of doubt it does.
    pub(crate) fn concerns(&self, action: &Action<'_>) -> bool {
        match (self.kind, action.what) {
            (Kind::Command, What::Command { script }) => {
                // Too many commands to look at: every rule concerns them.
                script::readings(script).is_none_or(|readings| {
                    let whole = self.glob.begins_anywhere();
                    readings.any(whole, |text| self.glob.is_match(text))
                })
            }
            // Some file systems take `.ENV` for `.env`.
            (Kind::Path(_), _) => self.covers(action, |text| self.glob.is_match_folded(text)),
            _ => self.covers(action, |text| self.glob.is_match(text)),
        }
    }

    fn covers(&self, action: &Action<'_>, is_match: impl Fn(&str) -> bool) -> bool {
        match (self.kind, action.what) {
            (Kind::Verb, What::Verb { name, .. }) => is_match(name),
            (Kind::Tool, What::Tool { name, .. }) => is_match(name),
            (Kind::Path(ruled), What::Path { access, path }) => {
                // A pattern from the workspace stays in the workspace.
                ruled.is_none_or(|ruled| ruled == access)
                    && self.rooted == path.starts_with('/')
                    && is_match(path)
            }
            (Kind::Host, What::Host { host, port }) => {
                if self.port {
                    is_match(&format!("{host}:{port}"))
                } else {
                    is_match(host)
                }
            }
            (Kind::Permit, What::Permit(call)) => is_match(&call.tool),
            _ => false,
        }
    }

    /// How specific it is.
    pub(crate) fn literals(&self) -> usize {
        self.glob.literals()
    }

    pub(crate) fn is_of_hosts(&self) -> bool {
        self.kind == Kind::Host
    }

    pub(crate) fn is_of_paths(&self) -> bool {
        matches!(self.kind, Kind::Path(_))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({:?})", self.text)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Rule {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_fix() {
        let long = format!("tool:{}", "x".repeat(PATTERN_MAX_BYTES + 1));
        for (text, error) in [
            ("files.read", "like `tool:files.read`"),
            ("pth:x", "did you mean `path`?"),
            ("Tool:x", "did you mean `tool`?"),
            ("path(wirte):x", "did you mean `path(write)`?"),
            ("https://example.com", "write verb, tool, command"),
            ("tool:", "`tool:*` is all of them"),
            ("path: ", "`path:*`"),
            (long.as_str(), "at most 1024 bytes"),
            ("verb:memory.remove", "did you mean `memory.delete`?"),
            ("verb:budget.status", "matches no verb"),
            ("path:../x", "holds `..`"),
            ("path:/workspace/a/../../etc", "holds `..`"),
            ("path:a[", "`a[` is not a pattern of paths"),
        ] {
            let found = text.parse::<Rule>().unwrap_err().to_string();
            assert!(found.contains(error), "{text}: {found}");
        }
    }

    #[test]
    fn a_rule_reads_back_as_it_was_written() {
        for text in ["tool:files.read_*", "path(write):.git/**", "command:git  status *"] {
            let rule: Rule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
            assert_eq!(rule, rule.to_string().parse().unwrap());
        }
    }
}
