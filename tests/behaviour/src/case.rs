//! The cases: `cases/GROUP.cases` holds one a line, whose name is the line itself, or a block, which begins
//! with `=== name` and ends at an empty line or the next such beginning. `# differs: reason` above a case says that the systems may differ
//! there, and why; other lines with `#` outside of blocks are comments.

use std::fmt;

/// What cases are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Coreutils,
    Text,
    Bash,
    Archives,
    Git,
    Python,
    /// Python's tests of itself.
    Modules,
    /// Needs the root with Node.js.
    Node,
}

impl Group {
    pub const ALL: [Self; 8] = [
        Self::Coreutils,
        Self::Text,
        Self::Bash,
        Self::Archives,
        Self::Git,
        Self::Python,
        Self::Modules,
        Self::Node,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Coreutils => "coreutils",
            Self::Text => "text",
            Self::Bash => "bash",
            Self::Archives => "archives",
            Self::Git => "git",
            Self::Python => "python",
            Self::Modules => "modules",
            Self::Node => "node",
        }
    }

    /// Its cases, in order.
    pub fn cases(self) -> Vec<Case> {
        let text = match self {
            Self::Coreutils => include_str!("../cases/coreutils.cases"),
            Self::Text => include_str!("../cases/text.cases"),
            Self::Bash => include_str!("../cases/bash.cases"),
            Self::Archives => include_str!("../cases/archives.cases"),
            Self::Git => include_str!("../cases/git.cases"),
            Self::Python => include_str!("../cases/python.cases"),
            Self::Modules => include_str!("../cases/modules.cases"),
            Self::Node => include_str!("../cases/node.cases"),
        };
        parse(self, text)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub group: Group,
    pub name: String,
    /// Bash's.
    pub script: String,
    /// Why the systems may differ.
    pub differs: Option<String>,
}

fn parse(group: Group, text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut differs = None;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(reason) = line.strip_prefix("# differs: ") {
            differs = Some(reason.to_owned());
        } else if let Some(name) = line.strip_prefix("=== ") {
            let mut script = String::new();
            while let Some(line) = lines.next_if(|line| !starts_another(line)) {
                script.push_str(line);
                script.push('\n');
            }
            let differs = differs.take();
            cases.push(Case { group, name: name.to_owned(), script, differs });
        } else if !line.is_empty() && !line.starts_with('#') {
            let script = match group {
                Group::Modules => format!("python3 /tmp/suite/run-module.py {line}"),
                _ => line.to_owned(),
            };
            cases.push(Case { group, name: line.to_owned(), script, differs: differs.take() });
        }
    }
    cases
}

fn starts_another(line: &str) -> bool {
    line.is_empty() || line.starts_with("=== ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_blocks_become_cases() {
        let text =
            "# a comment\none line\n\n# differs: because\n=== a block\nfirst\n# kept\n\nlast\n";
        let cases = parse(Group::Bash, text);
        let seen: Vec<_> = cases
            .iter()
            .map(|case| (case.name.as_str(), case.script.as_str(), case.differs.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                ("one line", "one line", None),
                ("a block", "first\n# kept\n", Some("because")),
                ("last", "last", None),
            ]
        );
    }

    #[test]
    fn no_two_cases_are_the_same() {
        for group in Group::ALL {
            let mut names: Vec<_> = group.cases().into_iter().map(|case| case.name).collect();
            assert!(names.len() > 9, "{group}");
            names.sort();
            let before = names.len();
            names.dedup();
            assert_eq!(names.len(), before, "{group} has a case twice");
        }
    }
}
