//! The quick cases: half a minute of the processor. `cargo xtask compare machine` has them all.
#![allow(clippy::unwrap_used, reason = "tests")]

use behaviour::{Group, Pair, Summary, Verdict};
use systems::{Images, Root};

/// Of the groups that need no programs of their own to be slow.
const QUICK: [Group; 2] = [Group::Text, Group::Bash];

#[test]
fn programs_do_what_they_do_elsewhere() {
    let mut pair = Pair::new(Images::find(Root::Base).unwrap(), None).unwrap();
    let mut summary = Summary::default();
    for case in QUICK.into_iter().flat_map(Group::cases) {
        let verdict = pair.compare(&case).unwrap();
        summary.add(&verdict);
        if let Verdict::Differs(found) = &verdict {
            println!("{}: {found:#?}", case.name);
        }
    }
    assert_eq!(summary.wrong, 0, "{summary}");
}
