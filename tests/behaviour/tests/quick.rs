//! A sample of the cases that need half a second each: under a minute of the processor. `cargo xtask compare
//! machine` has them all.
#![allow(clippy::unwrap_used, reason = "tests")]

use behaviour::{Group, Pair, Summary, Verdict};
use systems::{Images, Root};

/// Groups whose cases are quick.
const QUICK: [Group; 5] = [Group::Coreutils, Group::Text, Group::Bash, Group::Archives, Group::Git];

/// One of so many, all over the groups.
const SAMPLE: usize = 6;

#[test]
fn programs_do_what_they_do_elsewhere() {
    let mut pair = Pair::new(Images::find(Root::Base).unwrap(), None).unwrap();
    let mut summary = Summary::default();
    for case in QUICK.into_iter().flat_map(Group::cases).step_by(SAMPLE) {
        let verdict = pair.compare(&case).unwrap();
        summary.add(&verdict);
        if !matches!(verdict, Verdict::Equal) {
            println!("{}: {verdict:#?}", case.name);
        }
    }
    assert!(summary.equal > 0 && summary.wrong == 0, "{summary}");
}
