//! Whether a version may carry its changes. Called by the repository's tests.

use std::fmt;

use semver::Version;
use wit_parser::PackageName;

use super::compare::{Change, Effect};

/// What to tell whoever changed the contract.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing changed.
    Same,
    /// The version rose far enough for its changes: they can be recorded.
    Record,
    Refused {
        why: String,
        changes: Vec<String>,
        fix: String,
    },
}

/// Judges `changes` from the released version to the current one.
pub fn verdict(released: &Version, current: &Version, changes: &[Change]) -> Verdict {
    let refused = |why: String, fix: String, effect: Option<Effect>| Verdict::Refused {
        why,
        changes: changes
            .iter()
            .filter(|change| effect.is_none_or(|effect| change.effect == effect))
            .map(ToString::to_string)
            .collect(),
        fix,
    };
    if current < released {
        let why = format!("the contract is at {current} but {released} was released");
        return refused(why, format!("raise every package above {released}"), None);
    }
    let breaking = changes.iter().any(|change| change.effect == Effect::Breaks);
    let same_track =
        PackageName::version_compat_track(current) == PackageName::version_compat_track(released);
    if breaking && same_track {
        let next = match released.major {
            0 => Version::new(0, released.minor + 1, 0),
            major => Version::new(major + 1, 0, 0),
        };
        let why = format!("components built for {released} would break under {current}");
        let fix = format!("revert, or raise every package in wit/ to {next}");
        return refused(why, fix, Some(Effect::Breaks));
    }
    if current > released {
        return Verdict::Record;
    }
    if changes.is_empty() {
        return Verdict::Same;
    }
    let next = Version::new(released.major, released.minor, released.patch + 1);
    let why = format!("the contract has more than {released}, which was released without");
    refused(why, format!("raise every package in wit/ to {next}"), None)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("nothing changed"),
            Self::Record => f.write_str("a new version to record"),
            Self::Refused { why, changes, fix } => {
                writeln!(f, "{why}:")?;
                for change in changes {
                    writeln!(f, "  - {change}")?;
                }
                write!(f, "fix: {fix}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `effects`: `+` and `!` as in the comparison's tests. `expected`: how the verdict reads, or
    /// ends.
    fn check(released: &str, current: &str, effects: &str, expected: &str) {
        let change = |effect| Change { effect, text: format!("{effect:?}") };
        let changes: Vec<_> = effects
            .chars()
            .map(|c| change(if c == '+' { Effect::Adds } else { Effect::Breaks }))
            .collect();
        let verdict =
            verdict(&released.parse().unwrap(), &current.parse().unwrap(), &changes).to_string();
        assert!(verdict.ends_with(expected), "{released} → {current} {effects}: {verdict}");
    }

    #[test]
    fn the_version_must_rise_as_far_as_the_change_goes() {
        check("0.1.0", "0.1.0", "", "nothing changed");
        check("0.1.0", "0.1.0", "+", "  - Adds\nfix: raise every package in wit/ to 0.1.1");
        check(
            "0.1.0",
            "0.1.0",
            "+!",
            "would break under 0.1.0:\n  - Breaks\nfix: revert, or raise every package in wit/ to 0.2.0",
        );
        check("0.1.0", "0.1.1", "+", "a new version to record");
        check("0.1.0", "0.1.1", "", "a new version to record");
        check("0.1.0", "0.1.1", "!", "raise every package in wit/ to 0.2.0");
        check("0.1.3", "0.2.0", "!+", "a new version to record");
        check("0.2.0", "0.1.9", "", "fix: raise every package above 0.2.0");
        check("1.2.0", "1.3.0", "!", "raise every package in wit/ to 2.0.0");
        check("1.2.0", "2.0.0", "!", "a new version to record");
    }
}
