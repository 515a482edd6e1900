//! A guest that breaks one duty fails the scenarios of that duty and passes all others. Together
//! they fail every scenario, so that none of them passes by not looking.

use std::collections::BTreeSet;

use crate::{conform, failed, not_applicable};

const TOOL: &str = r#"remember={"text": "crabs"}"#;

/// The misfit, and what it fails.
const MISFITS: &[(&str, &[&str])] = &[
    ("buffers", &["streaming"]),
    (
        "forgets",
        &[
            "cancel",
            "concurrent",
            "crash-restart",
            "downgrade",
            "fork-recorded",
            "history",
            "resume",
            "unicode",
        ],
    ),
    ("forgets-past", &["crash-restart", "fork-recorded", "resume"]),
    (
        "ignores-calls",
        &[
            "approval-denied",
            "budget-mid-turn",
            "steer",
            "tool-broken",
            "tool-loop",
            "tool-unknown",
        ],
    ),
    ("silent", &["approval-denied", "tool-broken", "tool-loop", "tool-unknown"]),
    ("boasts", &["approval-denied", "tool-broken", "tool-unknown"]),
    ("panics", &["tool-broken"]),
    ("ignores-input", &["steer"]),
    ("fails-on-cancel", &["cancel"]),
    ("mumbles", &["budget-mid-turn", "budget-spent", "cancel", "model-failed"]),
    ("insists", &["downgrade"]),
    ("embellishes", &["budget-mid-turn", "budget-spent", "cancel", "cut-off", "model-failed"]),
    ("gossips", &["concurrent"]),
    ("cuts", &["huge-output"]),
    ("ascii", &["unicode"]),
    ("blind", &["images"]),
];

#[test]
fn without_a_fault_it_keeps_all() {
    let report = conform("tests/misfit", TOOL, "", &[]);
    assert_eq!((failed(&report), not_applicable(&report)), (vec![], vec![]), "{report:#?}");
}

#[test]
fn each_misfit_is_found_out_by_the_scenarios_of_its_duty() {
    let mut wrong = Vec::new();
    for (misfit, expected) in MISFITS {
        let report = conform("tests/misfit", TOOL, &format!(r#"{{"misfit": "{misfit}"}}"#), &[]);
        assert!(!report.is_conformant(), "{misfit}");
        if failed(&report) != *expected {
            wrong.push(format!("{misfit}: {:?} failed, not {expected:?}", failed(&report)));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn no_scenario_passes_by_not_looking() {
    let found: BTreeSet<_> =
        MISFITS.iter().flat_map(|(_, scenarios)| *scenarios).copied().collect();
    let names = kit::suite::names().unwrap();
    let all: BTreeSet<_> = names.iter().map(String::as_str).collect();
    assert_eq!(all, found, "each scenario needs a misfit that fails it");
}

/// What cannot even take a turn fails, and is not excused from what needs more.
#[test]
fn a_guest_that_cannot_start_fails_all() {
    let report =
        conform("tests/misfit", TOOL, r#"{"misfit": "nonsense"}"#, &["steer", "streaming"]);
    assert_eq!(failed(&report), ["steer", "streaming"], "{report:#?}");
}
