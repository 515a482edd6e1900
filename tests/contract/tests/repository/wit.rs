//! The WIT itself: it resolves, it is documented, and its page is up to date.

use anyhow::{Result, ensure};
use contract::{documented, expected, names, reference};

/// The contract's line: a new one is a decision with an ADR, because every guest is built again.
const LINE: (u64, u64) = (0, 1);

#[test]
fn all_packages_resolve_at_the_version_that_the_host_reports() -> Result<()> {
    let contract = crate::contract()?;
    let version = contract.version()?;
    ensure!((version.major, version.minor) == LINE, "the contract left {LINE:?}: {version}");
    ensure!(
        version.to_string() == verbs::CONTRACT,
        "wit/ is at {version}, but `verbs::CONTRACT`, which guests and users are told, is {}: make them equal",
        verbs::CONTRACT
    );
    Ok(())
}

#[test]
fn names_are_in_lower_case_and_none_says_who_calls() -> Result<()> {
    crate::none(&names::violations(&crate::contract()?))
}

#[test]
fn what_carries_meaning_is_documented() -> Result<()> {
    crate::none(&documented::violations(&crate::contract()?))
}

#[test]
fn the_reference_page_is_up_to_date() -> Result<()> {
    expected::check(
        &crate::root().join("docs/contract.md"),
        &reference::render(&crate::contract()?)?,
        crate::mode(),
        "UPDATE_EXPECTED=1 cargo test -p contract",
    )
}
