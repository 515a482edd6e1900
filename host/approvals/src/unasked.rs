//! Decisions for a caller that cannot wait: a guest in the middle of a system call, whose thread is not
//! its own.
//!
//! What a rule asks about is denied, unless somebody allowed just that for longer before. An approval of
//! one call cannot count here, since no call of a harness says which of its files a program will open.

use domain::Verdict;

use crate::action::{Access, Action};
use crate::approvals::Approvals;
use crate::denial::Denial;
use crate::fix::{fix, what};
use crate::rules::Decision;

impl Approvals {
    /// Whether a place may be used, decided at once and asking nobody. `path` is as in
    /// [`Action::path`]. Denials are told and recorded once a turn, as those of [`Approvals::check`].
    ///
    /// # Errors
    /// A rule denies it, or asks and nothing is remembered, or the store fails.
    pub fn check_path_unasked(&self, access: Access, path: &str) -> Result<(), Denial> {
        let action = Action::path(access, path);
        match self.rules().decide(&action) {
            Decision::Deny(rule) => Err(self.denied(&action, rule)),
            Decision::Allow(_) => Ok(()),
            Decision::Ask(rule) => match self.remembered(&action)? {
                Some(by) => self.decided_once(&action, Verdict::Allowed, &by),
                None => {
                    let by = match rule {
                        Some(rule) => format!("rule ask {rule} where nobody can be asked"),
                        None => "nobody can be asked".to_owned(),
                    };
                    // A row that is lost allows nothing.
                    let _ = self.decided_once(&action, Verdict::Denied, &by);
                    let fix = fix(self.rules(), &action, rule);
                    Err(Denial::Nobody { what: what(&action), fix })
                }
            },
        }
    }
}
