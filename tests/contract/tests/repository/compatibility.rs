//! The contract against what was last released.

use anyhow::{Result, bail};
use contract::compat::{self, Release, Surface, UNRELEASED, Verdict};
use contract::expected::Mode;
use contract::wit::Contract;

const RECORD: &str = "UPDATE_EXPECTED=1 cargo test -p contract";
const OVERWRITE: &str = "XPRESSCLAW_CONTRACT_UNRELEASED=1 UPDATE_EXPECTED=1 cargo test -p contract";

#[test]
fn nothing_released_is_broken() -> Result<()> {
    let folder = crate::root().join("wit/released");
    let contract = crate::contract()?;
    let Some(Release { version, contract: released }) = compat::latest(&folder)? else {
        return record(&contract, "the contract has no snapshot");
    };
    let current = contract.version()?;
    let changes = compat::compare(&Surface::of(&released), &Surface::of(&contract));
    let unreleased = version == current && UNRELEASED.as_ref() == Some(&current);
    if unreleased && crate::is_set("XPRESSCLAW_CONTRACT_UNRELEASED") {
        return record(&contract, "an unreleased snapshot is to be overwritten");
    }
    match compat::verdict(&version, &current, &changes) {
        Verdict::Same => Ok(()),
        Verdict::Record => record(&contract, &format!("version {current} is not recorded")),
        refused if unreleased => {
            bail!("{refused}; or, while {current} is unreleased, run `{OVERWRITE}`")
        }
        refused => bail!("{refused}"),
    }
}

fn record(contract: &Contract, why: &str) -> Result<()> {
    match crate::mode() {
        Mode::Update => compat::record(&crate::root().join("wit/released"), contract),
        Mode::Compare => bail!("{why}: run `{RECORD}`"),
    }
}
