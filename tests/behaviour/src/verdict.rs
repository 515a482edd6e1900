//! What came out of a case, and of all of them.

use std::fmt;

use systems::Outcome;

use crate::case::Case;

/// Lines of a difference that are shown.
const SHOWN: usize = 4;
/// Bytes of each.
const WIDTH: usize = 160;

/// What came out of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Equal,
    /// There is a reason.
    Known(String),
    /// There is a reason, but no difference: the reason is wrong.
    Gone(String),
    /// Where they differ.
    Differs(Vec<String>),
}

impl Verdict {
    pub fn of(case: &Case, ours: &Outcome, theirs: &Outcome) -> Self {
        let mut found = Vec::new();
        if ours.status != theirs.status {
            found.push(format!("status: {} here, {} in QEMU", ours.status, theirs.status));
        }
        for (name, ours, theirs) in
            [("stdout", &ours.stdout, &theirs.stdout), ("stderr", &ours.stderr, &theirs.stderr)]
        {
            found
                .extend(differences(ours, theirs).into_iter().map(|line| format!("{name} {line}")));
        }
        Self::differs(case, found)
    }

    /// What the differences that were found mean for a case.
    pub fn differs(case: &Case, found: Vec<String>) -> Self {
        match (found.is_empty(), &case.differs) {
            (true, None) => Self::Equal,
            (true, Some(reason)) => Self::Gone(reason.clone()),
            (false, Some(reason)) => Self::Known(reason.clone()),
            (false, None) => Self::Differs(found),
        }
    }
}

/// The first lines that differ, fit for a terminal.
fn differences(ours: &[u8], theirs: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let (mut ours, mut theirs) = (ours.split(is_newline), theirs.split(is_newline));
    for number in 1.. {
        let (ours, theirs) = (ours.next(), theirs.next());
        if ours.is_none() && theirs.is_none() {
            break;
        }
        if ours != theirs && found.len() < SHOWN {
            found.push(format!("line {number}: {} here, {} in QEMU", shown(ours), shown(theirs)));
        }
    }
    found
}

fn is_newline(byte: &u8) -> bool {
    *byte == b'\n'
}

fn shown(line: Option<&[u8]>) -> String {
    line.map_or("nothing".to_owned(), |line| {
        format!("`{}`", line[..line.len().min(WIDTH)].escape_ascii())
    })
}

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub equal: usize,
    pub known: usize,
    pub wrong: usize,
}

impl Summary {
    pub fn add(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Equal => &mut self.equal,
            Verdict::Known(_) => &mut self.known,
            Verdict::Gone(_) | Verdict::Differs(_) => &mut self.wrong,
        } += 1;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { equal, known, wrong } = self;
        let all = equal + known + wrong;
        write!(f, "{all} cases: {equal} equal, {known} differ with a reason, {wrong} differ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Group;

    fn verdict(ours: &str, theirs: &str, status: i32, differs: Option<&str>) -> Verdict {
        let case = Case {
            group: Group::Bash,
            name: String::new(),
            script: String::new(),
            differs: differs.map(str::to_owned),
        };
        let outcome =
            |text: &str, status| Outcome { status, stdout: text.into(), ..Outcome::default() };
        Verdict::of(&case, &outcome(ours, status), &outcome(theirs, 0))
    }

    #[test]
    fn every_byte_and_the_status_count() {
        let reason = Some("reason");
        assert_eq!(verdict("a\n", "a\n", 0, None), Verdict::Equal);
        assert_eq!(verdict("a\n", "a\n", 0, reason), Verdict::Gone("reason".into()));
        assert_eq!(verdict("a", "a\n", 0, reason), Verdict::Known("reason".into()));
        let Verdict::Differs(found) = verdict("a\nb\nc", "a\nx\nc\n", 3, None) else { panic!() };
        assert_eq!(
            found,
            [
                "status: 3 here, 0 in QEMU",
                "stdout line 2: `b` here, `x` in QEMU",
                "stdout line 4: nothing here, `` in QEMU"
            ]
        );
    }
}
